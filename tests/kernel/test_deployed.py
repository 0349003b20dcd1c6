"""Deployed tasks outlive the kernel that deployed them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from .notebook import Notebook

if TYPE_CHECKING:
    from pathlib import Path

CELL = """
env = flyte.TaskEnvironment("ml-training")

@env.task(retries=2)
async def train_model(config: dict, rate: float = 0.5) -> str:
    return "done"
"""


@pytest.mark.slow
def test_a_fresh_kernel_has_what_another_has_deployed(notebook: Notebook, home: Path, tmp_path: Path) -> None:
    """It needs nothing but the name, also when the notebook is not there; a wrong name is one line."""
    notebook.ok(CELL, "a")
    notebook.ok("%flyte_deploy")
    settings = {"FLYTE_NB_HOME": str(home), "IPYTHONDIR": str(tmp_path / "ipython"), "NO_COLOR": "1"}
    fresh = Notebook(tmp_path, {**os.environ, **settings})
    try:
        fresh.ok("%load_ext flyte_nb\nimport flyte_nb as flyte")
        shown = fresh.ok("task = flyte.deployed('ml-training.train_model'); task").value
        assert (shown or "").startswith("<DeployedTask ml-training.train_model version ")
        assert fresh.value("str(task.signature)") == "(config: dict, rate: float = 0.5) -> str"
        assert fresh.value("task.retries.count, [*flyte.registry()]") == (2, [])
        wrong = fresh.run("flyte.deployed('ml-training.train')")
        assert (wrong.status, wrong.ename) == ("error", "UnknownTaskError")
        assert "Did you mean 'ml-training.train_model'?" in wrong.evalue
    finally:
        fresh.close()
