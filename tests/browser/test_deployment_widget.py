"""A deployment in JupyterLab: the graph that follows it, and what is left of it without a kernel."""

from __future__ import annotations

import nbformat
import pytest

pytestmark = pytest.mark.browser

_DEFINE = """\
%load_ext flyte_nb
import asyncio, pathlib, flyte_nb as flyte
from flyte_nb.session import session
flyte.reset()
class Slow:
    name = "slow"
    def observe(self):
        return {}
    def remarks(self, spec):
        return ()
    async def deploy_environment(self, bundle, log):
        log(f"building the image of {bundle.name}")
        if bundle.name == "ml-training":
            log("  step 1/2: pip install torch")
            await gate("first", log)
        if bundle.name == "gpu":
            await gate("first", log)
            log("quota: 0 of 2 A100 are free")
            raise RuntimeError("no A100 is free in this zone: ask for fewer, or wait")
        if bundle.name == "reports":
            await gate("second", log)
        await asyncio.sleep(0.05)
    async def remove_environment(self, name, log):
        log("removed")
async def gate(name, log):
    waited = 0
    while not pathlib.Path(name).exists():
        await asyncio.sleep(0.02)
        waited += 1
        if waited % 10 == 0:
            log(f"still waiting, {waited}")
session()._targets["slow"] = Slow
base = flyte.TaskEnvironment("base-utils", image="python:3.12-slim")
ml = flyte.TaskEnvironment("ml-training", image="pytorch:latest", depends_on=[base])
api = flyte.TaskEnvironment("api", depends_on=[ml])
gpu = flyte.TaskEnvironment("gpu", depends_on=[base])
flyte.TaskEnvironment("nightly", depends_on=[gpu])
flyte.TaskEnvironment("reports", depends_on=[base])
"""
_DEPLOY = "deployment = %flyte_deploy --target slow"
_DEPLOY_TWO = "deployment = %flyte_deploy api --target slow"


@pytest.fixture
def notebook(lab, open_notebook):
    """A notebook with environments that take their time, and a deployment of them."""
    opened = open_notebook(lab.write("deployment.ipynb", _DEFINE, _DEPLOY, _DEPLOY_TWO))
    opened.run_cell(0)
    return opened


def _node(notebook, name):
    return notebook.page.locator(f'.fnb-node[data-name="{name}"]')


def _await_state(notebook, name, state):
    notebook.page.wait_for_selector(f'.fnb-node[data-name="{name}"][data-state="{state}"]')


def test_states_change_live(notebook, open_gate, screenshot):
    """Cards, clocks, the bar and the counts follow; what fails is loud; in both themes."""
    notebook.start_cell(1)
    page, view = notebook.page, notebook.output(1)
    _await_state(notebook, "ml-training", "running")
    _await_state(notebook, "base-utils", "succeeded")
    bar = page.get_by_role("progressbar", name="Environments that are done")
    assert (bar.get_attribute("aria-valuenow"), bar.get_attribute("aria-valuemax")) == ("1", "6")
    clock = _node(notebook, "ml-training").locator(".fnb-sub")
    before = clock.text_content()
    assert before.startswith("deploying · ")
    clocks = "(before) => document.querySelector('[data-name=ml-training] .fnb-sub').textContent !== before"
    page.wait_for_function(clocks, arg=before)
    screenshot("deployment_light", view)
    notebook.theme("JupyterLab Dark")
    screenshot("deployment_dark", view)
    notebook.theme("JupyterLab Light")
    open_gate("first")
    _await_state(notebook, "gpu", "failed")
    _await_state(notebook, "nightly", "skipped")
    _await_state(notebook, "api", "succeeded")
    page.locator(".fnb-failure", has_text="no A100 is free in this zone").wait_for()
    screenshot("deployment_failing", view)
    open_gate("second")
    notebook.await_idle()
    page.wait_for_selector(".fnb-deployment[data-state='failed']")
    assert not view.locator("table").is_visible()
    screenshot("deployment_done", view)
    notebook.theme("JupyterLab Dark")
    screenshot("deployment_done_dark", view)
    notebook.theme("JupyterLab Light")


def test_the_log_of_what_is_selected_grows(notebook, open_gate, screenshot):
    """A click shows what the environment has said, which follows; updates neither close it nor take the focus."""
    notebook.start_cell(1)
    _await_state(notebook, "ml-training", "running")
    _node(notebook, "ml-training").click()
    page = notebook.page
    log = page.locator(".fnb-log")
    log.get_by_text("step 1/2: pip install torch").wait_for()
    lines = page.locator(".fnb-line").count()
    page.wait_for_function("(before) => document.querySelectorAll('.fnb-line').length > before", arg=lines)
    page.evaluate("document.querySelector('.fnb-live').marked = true")
    page.wait_for_function("document.querySelector('.fnb-live')?.marked === undefined")
    log.get_by_text("step 1/2: pip install torch").wait_for()
    assert page.evaluate("document.activeElement.dataset.name") == "ml-training"
    screenshot("deployment_log", notebook.output(1))
    _node(notebook, "reports").click()
    log.get_by_text("building the image of reports").wait_for()  # a second choice while the cell runs is heard too
    _node(notebook, "ml-training").click()
    log.get_by_text("step 1/2: pip install torch").wait_for()
    open_gate("first", "second")
    notebook.await_idle()
    assert _node(notebook, "ml-training").get_attribute("aria-expanded") == "true"
    page.get_by_role("button", name="gpu").first.click()
    log.get_by_text("quota: 0 of 2 A100 are free").wait_for()
    page.locator(".fnb-news", has_text="no A100 is free").wait_for()
    screenshot("deployment_details", notebook.output(1))


def test_the_cancel_button_ends_the_deployment(notebook, screenshot):
    """What was going on is cancelled, what was not begun never is, and the cell ends with one line."""
    notebook.start_cell(1)
    page = notebook.page
    _await_state(notebook, "ml-training", "running")
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_selector(".fnb-deployment[data-state='cancelled']")
    page.get_by_text("The deployment was cancelled.").wait_for()
    page.locator(".fnb-cancel").wait_for(state="hidden")
    _await_state(notebook, "api", "cancelled")
    screenshot("deployment_cancelled", notebook.output(1))


def test_a_restarted_kernel_leaves_no_deployment_going(notebook, screenshot):
    """The view says that it is lost, and its clocks stand."""
    notebook.start_cell(1)
    page = notebook.page
    _await_state(notebook, "ml-training", "running")
    notebook.command("kernelmenu:restart")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.wait_for_selector(".fnb-deployment[data-state='lost']")
    assert page.locator(".fnb-cancel").is_hidden()
    assert page.locator(".fnb-node[data-state='running']").count() == 0
    clock = page.locator(".fnb-clock")
    before = clock.inner_text()
    page.wait_for_timeout(500)
    assert clock.inner_text() == before
    screenshot("deployment_lost", notebook.output(1))


def test_without_a_kernel_and_untrusted_all_is_there(notebook, open_gate, lab, page, screenshot):
    """Whoever receives the notebook sees the graph, the table, the error and what was said before it."""
    notebook.start_cell(1)
    _await_state(notebook, "ml-training", "running")
    open_gate("first", "second")
    page.wait_for_selector(".fnb-deployment[data-state='failed']")
    notebook.await_idle()
    notebook.save()
    saved = lab.read("deployment.ipynb")
    kinds = {kind for output in saved.cells[1].outputs for kind in output.get("data", ())}
    assert kinds == {"text/html", "text/plain"}
    lab.end_kernels()
    saved.metadata = {"kernelspec": {"name": "gone", "display_name": "Gone", "language": "gone"}}
    nbformat.write(saved, lab.root / "received.ipynb")
    page.goto(f"{lab.url}/lab/tree/received.ipynb?reset&token={lab.token}")
    page.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click()
    assert not page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets[1].model.trusted")
    still = page.locator(".flyte-nb", has=page.locator("img")).first
    still.locator("table").first.wait_for()
    text = still.inner_text()
    assert "1 failed" in text
    assert "no A100 is free in this zone" in text
    assert "quota: 0 of 2 A100 are free" in text
    assert still.locator("img").evaluate("image => image.naturalWidth") > 0
    assert page.locator(".fnb-live").count() == 0
    screenshot("deployment_still", still)
    notebook.theme("JupyterLab Dark")
    screenshot("deployment_still_dark", still)
    notebook.theme("JupyterLab Light")


_MANY = """\
flyte.reset()
class Talking(Slow):
    async def deploy_environment(self, bundle, log):
        for number in range(100):
            log(f"line {number}")
        await gate("first", lambda line: None)
session()._targets["slow"] = Talking
for number in range(120):
    flyte.TaskEnvironment(f"e{number}", depends_on=[f"e{(number - 1) // 3}"] if number else [])
deployment = %flyte_deploy --target slow
"""


def test_a_tall_graph_begins_where_there_is_something(lab, open_notebook, open_gate, screenshot):
    """The first environment is in sight; a log shows its end, and is left where one reads while more is kept."""
    notebook = open_notebook(lab.write("tall.ipynb", _DEFINE, _MANY))
    notebook.run_cell(0)
    notebook.start_cell(1)
    _await_state(notebook, "e0", "running")
    page = notebook.page
    seen = """() => { const view = document.querySelector(".fnb-view").getBoundingClientRect();
        const card = document.querySelector('.fnb-node[data-name="e0"]').getBoundingClientRect();
        return card.top >= view.top && card.bottom <= view.bottom; }"""
    assert page.evaluate(seen)
    screenshot("deployment_tall", notebook.output(1))
    _node(notebook, "e0").click()
    page.locator(".fnb-log").get_by_text("line 99").wait_for()
    left = """() => { const box = document.querySelector(".fnb-log");
        return box.scrollHeight - box.scrollTop - box.clientHeight; }"""
    _await_new_drawing(page)
    assert page.evaluate(left) < 24
    page.evaluate("document.querySelector('.fnb-log').scrollTop = 300")
    page.wait_for_timeout(100)  # the event follows the scroll
    _await_new_drawing(page)
    assert page.evaluate("document.querySelector('.fnb-log').scrollTop") == 300
    open_gate("first")
    notebook.await_idle()


def _await_new_drawing(page):
    """Wait until what stays in the notebook was brought up to date, and the live view was mounted over it again."""
    page.evaluate("document.querySelector('.fnb-live').marked = true")
    page.wait_for_function("document.querySelector('.fnb-live')?.marked === undefined")
    page.wait_for_selector(".fnb-line")
