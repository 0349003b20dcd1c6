"""What people do in any front end: run, click, run again, reload, cancel, restart, change the theme, reopen."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

_DEFINE = """\
%load_ext flyte_nb
import asyncio, pathlib, flyte_nb as flyte
flyte.reset()
base = flyte.TaskEnvironment("base-utils", image="python:3.12-slim")
ml = flyte.TaskEnvironment("ml-training", depends_on=[base])
@base.task
async def load(path: str) -> int:
    print("reading", path)
    await asyncio.sleep(0.5)
    return len(path)
@ml.task
async def train(path: str) -> int:
    rows = await load(path)
    while not pathlib.Path("first").exists():
        await asyncio.sleep(0.02)
    return rows
"""
_GRAPH, _RUN = "%flyte_graph", "result = %flyte_run train('samples.csv')"
_THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


@pytest.fixture(params=["lab", "notebook7"])
def front_end(request):
    """The name of a front end."""
    return request.param


@pytest.fixture
def lab(request, front_end):
    """Its server, in the place of JupyterLab's."""
    return request.getfixturevalue(front_end)


@pytest.fixture
def notebook(lab, open_notebook):
    """A notebook with a graph and a run, of which the definitions have run."""
    opened = open_notebook(lab.write("front_ends.ipynb", _DEFINE, _GRAPH, _RUN))
    opened.run_cell(0)
    return opened


def _views(notebook, kind):
    return notebook.page.locator(f".fnb-live.fnb-{kind}")


def test_a_cell_that_runs_again_replaces_its_view(notebook, open_gate):
    """There is one view of each cell, with what is true now, and a click opens its details."""
    open_gate("first")
    for _ in range(2):
        notebook.run_cell(1)
        notebook.run_cell(2)
        notebook.page.locator(".fnb-run[data-state='succeeded']").wait_for()
        assert _views(notebook, "pictured").count() == 1
        assert _views(notebook, "run").count() == 1
        assert notebook.output(2).locator(".fnb-row").count() == 2
    notebook.page.locator(".fnb-row", has_text="load").click()
    notebook.page.locator(".fnb-log", has_text="reading samples.csv").wait_for()
    notebook.page.locator(".fnb-node[data-name='ml-training']").click()
    notebook.page.locator(".fnb-pictured .fnb-details", has_text="base-utils").wait_for()


def test_a_reloaded_page_has_its_views(notebook, open_gate):
    """The kernel goes on, and so do the views of what is saved: details open, lines are there."""
    open_gate("first")
    notebook.run_cell(1)
    notebook.run_cell(2)
    notebook.save()
    notebook.reload()
    notebook.page.locator(".fnb-run[data-state='succeeded']").wait_for()
    notebook.page.locator(".fnb-row", has_text="load").click()
    notebook.page.locator(".fnb-log", has_text="reading samples.csv").wait_for()
    notebook.page.locator(".fnb-node[data-name='base-utils']").click()
    notebook.page.locator(".fnb-pictured .fnb-details", has_text="python:3.12-slim").wait_for()


def test_cancel_stops_the_run(notebook):
    """The button ends the cell with one line, and the next cell works."""
    notebook.start_cell(2)
    notebook.page.locator(".fnb-row[data-state='running']", has_text="train").wait_for()
    notebook.page.get_by_role("button", name="Cancel").click()
    notebook.page.locator(".fnb-run[data-state='cancelled']").wait_for()
    notebook.page.get_by_text("The run was cancelled.").wait_for()
    notebook.run_cell(0)


def test_a_restarted_kernel_leaves_what_was_known(notebook, open_gate, screenshot, front_end):
    """The graph can still be read and asked, a run that went on is lost, and the notebook runs again."""
    notebook.run_cell(1)
    notebook.start_cell(2)
    page = notebook.page
    page.locator(".fnb-row[data-state='running']", has_text="train").wait_for()
    notebook.restart()
    page.locator(".fnb-run[data-state='lost']").wait_for()
    page.locator(".fnb-node[data-name='ml-training']").click()
    page.locator(".fnb-pictured .fnb-details", has_text="base-utils").wait_for()
    screenshot(f"restarted_{front_end}")
    notebook.await_ready()
    open_gate("first")
    notebook.run_all()
    page.locator(".fnb-run[data-state='succeeded']").wait_for()
    assert _views(notebook, "pictured").count() == 1
    assert _views(notebook, "run").count() == 1


def test_the_theme_is_followed(notebook, open_gate, screenshot, front_end):
    """Page, text and marks have the colours of the theme, at once when that changes."""
    open_gate("first")
    notebook.run_cell(1)
    notebook.run_cell(2)
    pages = set()
    for theme, name in _THEMES.items():
        notebook.theme(name)
        colours = "view => [view, document.querySelector('.jp-Cell')].map((each) => getComputedStyle(each).color)"
        seen = {tuple(view.evaluate(colours)) for view in notebook.page.locator(".fnb-live").all()}
        assert len(seen) == 1
        pages |= seen
        screenshot(f"session_{theme}_{front_end}")
    notebook.theme(_THEMES["light"])
    assert len(pages) == len(_THEMES)


def test_an_untrusted_notebook_is_read_without_a_kernel(notebook, open_gate, lab, page, screenshot, front_end):
    """Whoever receives it sees the graph and the tree, and nothing waits for a kernel."""
    open_gate("first")
    notebook.run_cell(1)
    notebook.run_cell(2)
    notebook.open_as_received()
    graph = page.locator(".flyte-nb img")
    graph.wait_for()
    assert graph.evaluate("image => image.naturalWidth") > 0
    assert "ml-training" in graph.get_attribute("alt")
    assert "✓" in page.locator(".flyte-nb table").inner_text()
    assert page.locator(".fnb-live").count() == 0
    screenshot(f"untrusted_{front_end}")
