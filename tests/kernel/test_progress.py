"""Whether what goes on is shown while it does is a setting; what became of it is shown in any case."""

from __future__ import annotations

import os
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from flyte_nb.settings import Settings

from .notebook import Notebook

if TYPE_CHECKING:
    from pathlib import Path

_WORK = """\
base = flyte.TaskEnvironment("base", description="shared")
@base.task
async def slow(n: int) -> int:
    await asyncio.sleep(0.6)
    print("half way")
    await asyncio.sleep(0.6)
    return n
"""
_SHOWN = {
    "run": ("%flyte_run slow(1)", "base.slow"),
    "deployment": ("%flyte_deploy", "base"),
    "graph": ("%flyte_graph", "base"),
    "plan": ("plan = %flyte_plan", "base"),
}


def _kinds(result, *kinds):
    return [message["msg_type"] for message in result.messages if message["msg_type"] in kinds]


@pytest.fixture
def calm(notebook: Notebook):
    """A notebook without progress."""
    notebook.ok(_WORK)
    notebook.ok("%config FlyteNB.progress = False")
    yield notebook
    notebook.ok("%config FlyteNB.progress = True")


@pytest.mark.parametrize("view", _SHOWN)
def test_without_progress_there_is_one_output(calm: Notebook, view: str) -> None:
    """Nothing is live, nothing is updated, and the output says what became of it."""
    code, said = _SHOWN[view]
    result = calm.ok(code)
    assert _kinds(result, "comm_open", "update_display_data") == []
    assert len(result.displays) == 1
    assert said in result.displays[0]


def test_without_progress_a_graph_stays_as_it_was_drawn(calm: Notebook) -> None:
    """A later definition does not reach it; shown again by its cell, it has it, and with progress it follows again."""
    calm.ok("%flyte_graph", "graph")
    assert _kinds(calm.ok("flyte.TaskEnvironment('later', depends_on=[base])"), "update_display_data") == []
    assert "later" in calm.ok("%flyte_graph", "graph").displays[0]
    calm.ok("%config FlyteNB.progress = True")
    calm.ok("%flyte_graph", "graph")
    assert _kinds(calm.ok("flyte.TaskEnvironment('last')"), "update_display_data") == ["update_display_data"]


def test_with_progress_a_run_is_live(notebook: Notebook) -> None:
    """The same run takes its place at once, opens a view, and is brought up to date."""
    notebook.ok(_WORK)
    result = notebook.ok("%flyte_run slow(1)")
    kinds = _kinds(result, "display_data", "comm_open", "update_display_data", "stream")
    assert kinds[0] == "display_data"
    assert {"comm_open", "update_display_data"} <= set(kinds)
    assert kinds.index("display_data") < kinds.index("stream")


def test_every_setting_is_listed_with_help(notebook: Notebook) -> None:
    """%config FlyteNB names each setting that the session has, with its value and a sentence or more."""
    told = notebook.ok("%config FlyteNB").stdout
    for field in fields(Settings):
        _, _, about = told.partition(f"FlyteNB.{field.name}=")
        about = about.partition("\nFlyteNB.")[0]
        help_text, _, current = about.replace("Choices: ", "Current: ", 1).partition("Current: ")
        assert current, field.name
        assert help_text.rstrip().endswith("."), field.name


def test_an_environment_variable_turns_progress_off(folder: Path, home: Path) -> None:
    """Where nobody watches, such as in CI, notebooks need not be changed."""
    settings = {"FLYTE_NB_HOME": str(home), "IPYTHONDIR": str(folder / "ipython-ci"), "FLYTE_NB_PROGRESS": "off"}
    (folder / "ci").mkdir()
    kernel = Notebook(folder / "ci", {**os.environ, **settings})
    try:
        kernel.ok("%load_ext flyte_nb\nimport asyncio, flyte_nb as flyte")
        kernel.ok(_WORK)
        assert _kinds(kernel.ok("%flyte_run slow(1)"), "comm_open", "update_display_data") == []
        kernel.ok("%config FlyteNB.progress = True")
        assert _kinds(kernel.ok("%flyte_run slow(1)"), "comm_open") != []
    finally:
        kernel.close()
