"""The tutorials are tests: each is executed from top to bottom in a real kernel."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbformat import NotebookNode

FOLDER = Path(__file__).parents[2] / "notebooks"
EVERY = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
# The others need a cluster: see tests/cluster.
NOTEBOOKS = [path for path in EVERY if "cluster" not in path.stem]
# What differs between two runs of one notebook: times, names of runs, versions, memory in use, addresses of hosted
# views and pictures.
VARYING = re.compile(
    r"(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d(\.\d{3})?( ([A-Z]{3,5}|[+-]\d+)\b)?|(?<=started )\(.+?\)|(?<=time )\(.+?\)"
    r"|\d+\.\d{3} s|about \d+ s|[0-9a-f]{8}-\d+|(?<=version )[0-9a-f]{12}|(?<=used )\d+ MiB|/\S+(?=/churn-project)"
    r"|fnb-[0-9a-f]{16}|base64,[\w+/=]+|\x1b\[[\d;]*m|(?<=localhost:)\d+"
)
PADDING = re.compile(r"[ ─]{2,}")


@pytest.fixture
def execute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], NotebookNode]:
    """Return what executes a notebook with empty state."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))

    def run(path: Path) -> NotebookNode:
        monkeypatch.setenv("JPY_SESSION_NAME", str(path))  # as Jupyter Server tells it
        notebook = nbformat.read(path, as_version=4)
        client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}})
        asyncio.run(client.async_execute())
        return notebook

    return run


def shown(notebook: NotebookNode) -> list[list[Any]]:
    """Return, for each code cell, what it showed as text, without what varies."""
    return [_without_order(cell.outputs) for cell in notebook.cells if cell.cell_type == "code"]


def _without_order(outputs: list[NotebookNode]) -> list[Any]:
    """Return the outputs of a cell; of what it printed, and what it logged, sorted lines: tasks print at once."""
    printed = "\n".join(output.text for output in outputs if output.output_type == "stream")
    others = [_text(output) for output in outputs if output.output_type != "stream"]
    return [*others, sorted(filter(None, VARYING.sub("...", printed).split("\n")))]


def _text(output: NotebookNode) -> tuple[str, str]:
    content = output.get("text") or output.get("data", {}).get("text/plain") or output.get("evalue", "")
    return output.output_type, PADDING.sub("  ", VARYING.sub("...", content))


def output_of(notebook: NotebookNode, beginning: str) -> str:
    """Return all that the cell which begins so showed, as text."""
    (cell,) = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.startswith(beginning)]
    return "\n".join(_text(output)[1] for output in cell.outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs_and_shows_what_it_shows_in_the_repository(
    path: Path, execute: Callable[[Path], NotebookNode]
) -> None:
    """A fresh run gives the outputs that are kept in git, so what a code host shows is true."""
    assert shown(execute(path)) == shown(nbformat.read(path, as_version=4))


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)
def test_only_cells_that_say_so_raise(path: Path) -> None:
    """In the kept outputs, an error or a usage error stands only in a cell tagged for it, and there is one."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            outputs = " ".join(f"{output.output_type} {output.get('text', '')}" for output in cell.outputs)
            raised = "error" in outputs.split() or "UsageError" in outputs
            assert raised == ("raises-exception" in cell.metadata.get("tags", ())), cell.source


def test_the_quickstart_shows_the_main_job(execute: Callable[[Path], NotebookNode]) -> None:
    """Define, see the order, deploy in that order, run, redefine: the outputs say so."""
    notebook = execute(FOLDER / "01_quickstart.ipynb")
    assert "'model_trained'" in output_of(notebook, "model = %flyte_run")
    assert output_of(notebook, "deployment.order") == "['base', 'ml', 'api']"
    assert "base -> api -> ml -> base" in output_of(notebook, "base_env.add_dependency")
    assert "1 to update, 2 unchanged" in output_of(
        notebook, 'base_env = flyte.TaskEnvironment(name="base", image="python:3.13")'
    )
    assert "Did you mean 'ml-training'?" in output_of(notebook, "%flyte_env ml-trainin")


@pytest.mark.parametrize(
    ("path", "picture"), list(zip(EVERY, ['<img alt="', "<table", '<img alt="', "<table", "<table"], strict=True))
)
def test_pictures_survive_an_untrusted_notebook(path: Path, picture: str) -> None:
    """Every graph is an image and every run a table, beside plain text; nothing needs a kernel, a script or trust."""
    outputs = [out for cell in nbformat.read(path, as_version=4).cells for out in cell.get("outputs", ())]
    bundles = [output.data for output in outputs if "data" in output]
    assert any(picture in bundle.get("text/html", "") for bundle in bundles)
    for bundle in bundles:
        assert set(bundle) <= {"text/html", "text/plain"}
        assert not re.search(r"<(svg|style|script)", bundle.get("text/html", ""))


def test_the_second_tutorial_shows_its_points(execute: Callable[[Path], NotebookNode]) -> None:
    """A failure stands where it arose, a task is tried again, and results come from the cache."""
    notebook = execute(FOLDER / "02_running_tasks.ipynb")
    assert "✗ training.cross_validate(strength=-1.0)" in output_of(notebook, "%flyte_run choose")
    assert "attempt 3" in output_of(notebook, "%flyte_run fetch()")
    second = output_of(notebook, "second = %flyte_run")
    assert second.count("≡ training.score_fold") == 5
    assert second.endswith("True")


def test_the_third_tutorial_shows_its_points(execute: Callable[[Path], NotebookNode]) -> None:
    """A helper's change is seen, a run-time value is refused with its place, and an earlier version comes back."""
    notebook = execute(FOLDER / "03_deploying.ipynb")
    assert output_of(notebook, "deployment = %flyte_deploy").endswith("['base', 'features', 'churn', 'report']")
    assert "risk: +2 −1 lines" in output_of(notebook, "%flyte_plan --save")
    refusals = [cell for cell in notebook.cells if "raises-exception" in cell.metadata.get("tags", ())]
    outdated, hidden = (" ".join(_text(output)[1] for output in cell.outputs) for cell in refusals)
    assert "'features' changed on the target" in outdated
    assert "features.score uses `weights` (cell [17], line 4)" in hidden
    assert "Pass it as an input, score(weights=...)" in hidden
    assert "3 unchanged, 1 deployed" in output_of(notebook, "%flyte_rollback d1")
    assert "'features': 'update'" in output_of(notebook, "flyte.plan().actions")
    assert "from environments.base import load_customers" in output_of(notebook, 'print(open("churn-project')


def test_the_fourth_tutorial_shows_its_points(execute: Callable[[Path], NotebookNode]) -> None:
    """Two versions of pandas in one run, what is deployed runs, and whatever happens to a task, the next one runs."""
    notebook = execute(FOLDER / "04_isolated_environments.ipynb")
    compared = output_of(notebook, "result = %flyte_run compare")
    assert "counting with pandas 1.5.3" in compared
    assert "counting with pandas 2.3.3" in compared
    assert "'the same': True" in compared
    assert "report has changed since it was deployed" in output_of(notebook, "%flyte_run visits_per_day(30)")
    assert "training: asks for 8 GPUs" in output_of(notebook, "%flyte_plan training")
    assert "of the 256 MiB that 'training' declares" in output_of(notebook, "%flyte_run train(2000)")
    assert "ended with exit code 1" in output_of(notebook, "%flyte_run crash()")
    assert "trained on 8 MiB" in output_of(notebook, "%flyte_run train(8)")
    assert "'the same': True" in output_of(notebook, "result = await compare(60)")
