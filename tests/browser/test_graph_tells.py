"""What the graph of a real session tells: where an environment stands, and what has called what."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

# Nobody has deployed anything yet, whatever other notebooks do.
_LOAD = """\
import os, tempfile
os.environ["FLYTE_NB_HOME"] = tempfile.mkdtemp()
%load_ext flyte_nb
import flyte_nb as flyte
"""
_DEFINE = """\
base = flyte.TaskEnvironment("base-utils", image="python:3.12-slim", description="shared helpers",
                             resources=flyte.Resources(memory="2Gi"))
ml = flyte.TaskEnvironment("ml-training", image="pytorch:latest", depends_on=[base])
api = flyte.TaskEnvironment("api", image="fastapi:latest", depends_on=[base])
@base.task
async def load() -> int:
    return 1
@ml.task
async def train() -> int:
    return await load() + await load()
@api.task
async def serve() -> int:
    return await train()
"""
_CELLS = (_LOAD, _DEFINE, "%flyte_graph", "%flyte_run serve()", "%flyte_deploy", _DEFINE.replace("2Gi", "4Gi"))


@pytest.fixture
def notebook(lab, open_notebook):
    """A session of three environments, whose graph is on screen and who have run."""
    opened = open_notebook(lab.write("tells.ipynb", *_CELLS, "%flyte_graph --calls", "%flyte_plan"))
    for index in range(4):
        opened.run_cell(index)
    opened.output(2).locator(".fnb-node").first.wait_for()
    return opened


def _details(notebook, text):
    shown = notebook.output(2).locator(".fnb-details:visible", has_text=text)
    shown.wait_for()
    return shown.inner_text()


def test_details_tell_where_an_environment_stands(notebook, screenshot):
    """What it is, and then what only the kernel knows: its last deployment, and what differs since."""
    node = notebook.output(2).locator('.fnb-node[data-name="base-utils"]')
    node.click()
    assert "new: local does not have it" in _details(notebook, "new: local")
    notebook.run_cell(4)  # whoever looks is told again
    assert "none: it is deployed to local as it is defined here" in _details(notebook, "✓ deployed in")
    notebook.run_cell(5)
    told = _details(notebook, "resources.memory: 2Gi → 4Gi")
    assert "shared helpers" in told
    assert "d1 to local" in told
    assert "✓ deployed in" in told
    assert "needed by" in told
    notebook.output(2).scroll_into_view_if_needed()
    screenshot("graph_standing")


def test_details_of_a_plan_tell_what_differs_when_they_are_open(notebook):
    """And what comes after what: a plan that removes has it the other way round."""
    for index in (4, 5, 7):
        notebook.run_cell(index)
    plan = notebook.output(7)
    plan.locator('.fnb-node[data-name="base-utils"]').click()
    plan.locator(".fnb-details dd", has_text="memory: 2Gi → 4Gi").wait_for()
    terms = plan.locator(".fnb-details dt").all_text_contents()
    assert {"after", "before"} < set(terms)
    assert not {"depends on", "needed by"} & set(terms)


def test_calls_are_laid_over_the_dependencies(notebook, screenshot):
    """By a button, and by an option of the magic; drawn differently, counted, and remarked on in words."""
    graph = notebook.output(2)
    graph.hover()
    button = graph.get_by_role("button", name="calls")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    graph.locator(".fnb-arc-label").first.wait_for()
    assert sorted(graph.locator(".fnb-arc-label").all_text_contents()) == ["1 call !", "2 calls"]
    assert graph.locator(".fnb-arc.fnb-remarked").count() == 1
    assert "! is not in depends_on" in graph.locator(".fnb-note").text_content()
    assert graph.locator(".fnb-arc").first.evaluate("arc => getComputedStyle(arc).strokeDasharray") != "none"
    for theme in ("Dark", "Light"):
        notebook.theme(f"JupyterLab {theme}")
        graph.scroll_into_view_if_needed()
        screenshot(f"graph_calls_{theme.lower()}")
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    graph.locator(".fnb-arc").first.wait_for(state="detached")
    assert button.get_attribute("aria-pressed") == "false"
    notebook.run_cell(6)
    notebook.output(6).locator(".fnb-arc").first.wait_for()
    notebook.save()
    text = notebook.lab.read("tells.ipynb").cells[6].outputs[-1].data["text/plain"]
    assert "api → ml-training: 1 call, not in depends_on" in text
