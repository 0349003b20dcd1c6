"""Declarations in a worker: what counts for calls is there, whatever is not installed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from flyte_nb.session import session
from flyte_nb.worker.declared import WorkerLoader

if TYPE_CHECKING:
    from pathlib import Path

MODULE = """\
from __future__ import annotations

import flyte
import not_installed.client
import json
import os

env = flyte.TaskEnvironment(
    name="ml",
    image=flyte.Image.from_debian_base(python_version=(3, 12)).with_layers_of_the_sdk("git"),
    description="said",
    env_vars={"A": os.environ.get("A", "a")},
    cache=flyte.Cache("auto", serialize=True),
    pod_template=flyte.PodTemplate(pod_spec=not_installed.client.V1PodSpec(containers=[])),
)


@env.task(retries=2, timeout=30, triggers=not_installed.Trigger("t"))
async def f() -> str:
    return json.dumps(1)
"""


def loaded(text: str, folder: Path) -> dict[str, object]:
    file = folder / "declared_in_a_worker.py"
    file.write_text(text)
    loader = WorkerLoader(file.stem, str(file))
    names: dict[str, object] = {"__name__": file.stem}
    exec(loader.get_code(file.stem), names)  # noqa: S102 - as a module is
    return names


def test_what_cannot_be_evaluated_is_left_out(tmp_path: Path) -> None:
    """Options of a cluster need nothing that is installed; policies and variables are those that were declared."""
    names = loaded(MODULE, tmp_path)
    spec = session().registry.require("ml")
    assert (spec.description, spec.env_vars) == ("said", {"A": "a"})
    assert "pod_template" not in spec.flyte_options
    task = session().registry.tasks("ml")["ml.f"]
    assert (task.retries.count, task.timeout.max_runtime.total_seconds()) == (2, 30)  # type: ignore[union-attr]
    assert names["f"] is task
    assert task.function.__code__.co_firstlineno == MODULE.splitlines().index("async def f() -> str:")
    assert "not_installed" not in sys.modules


def test_what_a_task_imports_must_be_there(tmp_path: Path) -> None:
    """An import of the user's is not left out: the first call would fail later, and less clearly."""
    with pytest.raises(ModuleNotFoundError, match="not_installed"):
        loaded(MODULE.replace("json.dumps(1)", "not_installed.client.name"), tmp_path)
