"""A deployment in JupyterLab: the graph that follows it, and what is left of it without a kernel."""

from __future__ import annotations

import pytest

from tests.bare_target import BARE_TARGET

pytestmark = pytest.mark.browser

_DEFINE = (
    BARE_TARGET
    + """\
%load_ext flyte_nb
import asyncio, pathlib, flyte_nb as flyte
from flyte_nb.session import session
flyte.reset()
class Slow(BareTarget):
    name = "slow"
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
)
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


def test_the_timeline_shows_what_went_on_at_the_same_time(notebook, open_gate):
    """A row for all that began, in that order, with bars beside the numbers; a row opens the details."""
    notebook.start_cell(1)
    _await_state(notebook, "ml-training", "running")
    page = notebook.page
    rows = page.locator(".fnb-timed")
    rows.nth(3).wait_for()  # base-utils, and what it held up
    going = "row => row.querySelector('.fnb-bar').getBoundingClientRect().right"
    track = "row => row.querySelector('.fnb-track').getBoundingClientRect().right"
    row = page.locator(".fnb-timed", has_text="ml-training")
    assert row.evaluate(going) == pytest.approx(row.evaluate(track), abs=2)
    open_gate("first")
    _await_state(notebook, "api", "succeeded")
    open_gate("second")
    notebook.await_idle()
    page.wait_for_selector(".fnb-deployment[data-state='failed']")
    names = rows.locator("button").all_inner_texts()
    assert (names[0], names[-1], len(names)) == ("base-utils", "api", 5)  # nightly never began
    lefts = rows.evaluate_all("rows => rows.map(row => row.querySelector('.fnb-bar').getBoundingClientRect().left)")
    assert lefts == sorted(lefts)
    assert page.locator(".fnb-timed .fnb-track:not([aria-hidden])").count() == 0
    assert page.locator(".fnb-timed button[tabindex='0']").count() == 1
    rows.nth(0).locator("button").focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.locator(".fnb-details", has_text="api").wait_for()
    assert _node(notebook, "api").get_attribute("aria-expanded") == "true"


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
    notebook.await_new_place()
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
    notebook.restart()
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
    saved = notebook.open_as_received()
    kinds = {kind for output in saved.cells[1].outputs for kind in output.get("data", ())}
    assert kinds == {"text/html", "text/plain"}
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
    notebook.await_new_place()
    assert page.evaluate(left) < 24
    page.evaluate(
        """() => new Promise((heard) => { const box = document.querySelector(".fnb-log");
        box.addEventListener("scroll", heard, { once: true }); box.scrollTop = 300; })"""
    )
    notebook.await_new_place()
    assert page.evaluate("document.querySelector('.fnb-log').scrollTop") == 300
    open_gate("first")
    notebook.await_idle()
