"""A person's session in JupyterLab: run all, redefine, delete a cell, interrupt, reopen."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

pytestmark = pytest.mark.browser

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
QUICKSTART, RUNNING = NOTEBOOKS / "01_quickstart.ipynb", NOTEBOOKS / "02_running_tasks.ipynb"
DEPLOYING = NOTEBOOKS / "03_deploying.ipynb"

_LOAD = "%load_ext flyte_nb\nimport flyte_nb as flyte"
_BASE = """\
%%flyte_env base-utils --image python:3.12-slim
@env.task
async def load_config() -> dict:
    return {}
"""
_ML = """\
%%flyte_env ml-training --image pytorch:latest --depends-on base-utils
@env.task
async def train_model(config: dict) -> str:
    return "model"
"""


def _nodes(notebook):
    return notebook.page.locator(".fnb-node").evaluate_all("nodes => nodes.map(node => node.dataset.name)")


def _index(notebook, beginning):
    cells = [cell for cell in notebook.lab.read(notebook.name).cells if cell.cell_type == "code"]
    return next(index for index, cell in enumerate(cells) if cell.source.startswith(beginning))


def _position(notebook, beginning):
    cells = notebook.lab.read(notebook.name).cells
    return next(index for index, cell in enumerate(cells) if cell.source.startswith(beginning))


def _saved(notebook, beginning):
    """Return the text of what the cell that begins so shows in the saved notebook."""
    (cell,) = [cell for cell in notebook.lab.read(notebook.name).cells if cell.source.startswith(beginning)]
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs)


def _value(notebook, index):
    return notebook.output(index).locator("pre").last.inner_text().strip()


def _without_outputs(lab, path):
    """Put a tutorial into the lab as nobody has run it yet."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
    nbformat.write(notebook, lab.root / path.name)
    return path.name


def test_the_quickstart_runs_from_top_to_bottom(lab, open_notebook, screenshot):
    """Run All in the real front end: the graph is live, the deployment ends well, refusals are one line."""
    notebook = open_notebook(_without_outputs(lab, QUICKSTART))
    notebook.run_all()
    notebook.page.wait_for_selector(".fnb-live .fnb-node")
    assert {"base-utils", "ml-training", "api"} <= set(_nodes(notebook))
    notebook.output(_index(notebook, "deployment = %flyte_deploy")).scroll_into_view_if_needed()
    screenshot("quickstart-deployed")
    notebook.output(_index(notebook, "%flyte_graph")).scroll_into_view_if_needed()
    screenshot("quickstart-graph")
    notebook.save()
    assert _saved(notebook, "deployment = %flyte_deploy").count("✓ deployed") == 3
    assert _saved(notebook, "%%flyte_env broken").startswith("UsageError: Resources.memory: 'lots'")


def test_the_second_tutorial_runs_from_top_to_bottom(lab, open_notebook, screenshot):
    """Run All in the real front end: runs are watched live, fail loudly, come from the cache, and are listed."""
    notebook = open_notebook(_without_outputs(lab, RUNNING))
    notebook.run_all()
    for name, beginning in {
        "running-live": "best = %flyte_run",
        "running-failed": "%flyte_run choose",
        "running-retried": "%flyte_run fetch",
        "running-cached": "second = %flyte_run",
        "running-history": "%flyte_runs",
    }.items():
        notebook.page.evaluate(
            "(index) => window.jupyterapp.shell.currentWidget.content.scrollToItem(index, 'start')",
            _position(notebook, beginning),
        )
        notebook.page.wait_for_timeout(500)  # the notebook draws what comes into view a little later
        screenshot(name)
    notebook.save()
    assert _saved(notebook, "%flyte_run choose").count("✗") == 2
    assert _saved(notebook, "second = %flyte_run").count("≡") == 5
    assert _saved(notebook, "%flyte_runs").startswith("Runs: 1 failed, 4 succeeded")


def test_the_third_tutorial_runs_from_top_to_bottom(lab, open_notebook, screenshot):
    """Run All in the real front end: plans show what differs, and deployments and exports succeed."""
    notebook = open_notebook(_without_outputs(lab, DEPLOYING))
    notebook.run_all()
    for name, beginning in {
        "deploying-deployed": "deployment = %flyte_deploy",
        "deploying-plan": "%flyte_plan --save",
        "deploying-blocked": "weights = ",
        "deploying-history": "%flyte_deployments",
        "deploying-export": "%flyte_export",
    }.items():
        notebook.page.evaluate(
            "(index) => window.jupyterapp.shell.currentWidget.content.scrollToItem(index, 'start')",
            _position(notebook, beginning),
        )
        notebook.page.wait_for_timeout(500)  # the notebook draws what comes into view a little later
        screenshot(name)
    notebook.save()
    assert _saved(notebook, "deployment = %flyte_deploy").count("✓ deployed") == 4
    assert "risk: +2 −1 lines" in _saved(notebook, "%flyte_plan --save")
    assert _saved(notebook, "%flyte_rollback d1").count("= unchanged") == 3


def test_the_graph_follows_the_notebook(lab, open_notebook):
    """A redefinition and the deletion of a cell reach the graph that is on screen."""
    notebook = open_notebook(lab.write("follow.ipynb", _LOAD, _BASE, _ML, "%flyte_graph", "flyte.deployment_order()"))
    notebook.run_all()
    notebook.page.wait_for_selector('.fnb-node[data-name="ml-training"]')
    notebook.page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.model.cells.get(1)
        .sharedModel.setSource("%%flyte_env base-utils --image python:3.13-slim")"""
    )
    notebook.run_cell(1)
    notebook.page.wait_for_selector('.fnb-node[data-name="base-utils"]:has-text("python:3.13-slim")')
    notebook.page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 2; }")
    notebook.command("notebook:delete-cell")
    notebook.page.wait_for_function("window.jupyterapp.shell.currentWidget.content.widgets.length === 4")
    notebook.run_cell(3)
    assert _value(notebook, 3) == "['base-utils']"
    notebook.page.wait_for_selector('.fnb-node[data-name="ml-training"]', state="detached")


def test_order_follows_the_document_and_not_the_order_of_running(lab, open_notebook):
    """Cells that ran bottom-up register as they stand in the saved notebook."""
    name = lab.write("order.ipynb", _LOAD, "%%flyte_env first", "%%flyte_env second", "flyte.deployment_order()")
    notebook = open_notebook(name)
    for index in (0, 2, 1, 3):
        notebook.run_cell(index)
    assert _value(notebook, 3) == "['first', 'second']"


def test_the_stop_button_stops_the_work(lab, open_notebook):
    """Interrupting a run cancels its task, and the next cell works."""
    work = (
        "import asyncio\nended = []\nenv = flyte.TaskEnvironment('slow')\n@env.task\nasync def wait():\n"
        "    try:\n        await asyncio.sleep(60)\n    finally:\n        ended.append('cleaned up')"
    )
    notebook = open_notebook(
        lab.write("stop.ipynb", _LOAD, work, "value = %flyte_run wait()", "ended, 'value' in globals()")
    )
    notebook.run_cell(0)
    notebook.run_cell(1)
    notebook.page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 2; }")
    notebook.command("notebook:run-cell")
    notebook.page.wait_for_selector("text=slow.wait")
    notebook.command("notebook:interrupt-kernel")
    notebook.await_idle()
    assert "KeyboardInterrupt" in notebook.output(2).inner_text()
    notebook.run_cell(3)
    assert _value(notebook, 3) == "(['cleaned up'], False)"


def test_the_saved_notebook_reads_well_without_a_kernel(lab, open_notebook, screenshot):
    """The quickstart as it is in git, opened untrusted and with no kernel: every picture is there."""
    notebook = nbformat.read(QUICKSTART, as_version=4)
    notebook.metadata = {"kernelspec": {"name": "gone", "display_name": "Gone", "language": "gone"}}
    nbformat.write(notebook, lab.root / "untrusted.ipynb")
    opened = open_notebook("untrusted.ipynb", kernel=False)
    opened.page.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click()
    opened.page.wait_for_selector(".jp-OutputArea img")
    widths = opened.page.locator(".jp-OutputArea .flyte-nb img").evaluate_all("all => all.map(one => one.naturalWidth)")
    assert widths
    assert all(width > 0 for width in widths)
    opened.output(_index(opened, "%flyte_plan api")).scroll_into_view_if_needed()
    opened.page.wait_for_timeout(500)  # the notebook draws what comes into view a little later
    screenshot("quickstart-untrusted")
