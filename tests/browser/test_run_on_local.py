"""A run on the local target in JupyterLab: what happens in other processes is seen as it happens."""

from __future__ import annotations

import psutil
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_DEFINE = """\
%load_ext flyte_nb
import asyncio, pathlib, tempfile, time, flyte_nb as flyte
%config FlyteNB.home = tempfile.mkdtemp()
here = str(pathlib.Path.cwd())
"""
_TASKS = """\
data = flyte.TaskEnvironment("data")
ml = flyte.TaskEnvironment("ml-training", depends_on=[data])
whole = flyte.TaskEnvironment("whole-machine", resources=flyte.Resources(cpu=1000))
@data.task
async def load(path: str) -> list:
    print("reading", path)
    await asyncio.sleep(0.1)
    if path.endswith(".bad"):
        raise ValueError(f"{path} is empty")
    return [1, 2, 3]
@ml.task
def fit(folder: str, rate: float) -> float:
    for epoch in range(1, 11):
        print(f"epoch {epoch:3}  rate {rate}", flush=True)
        time.sleep(0.05)
    while not (pathlib.Path(folder) / "fitted").exists():
        time.sleep(0.02)
    return rate
@ml.task
async def train(folder: str, rate: float) -> float:
    await load("samples.csv")
    return await fit.aio(folder, rate)
@data.task
async def pipeline(folder: str, path: str = "report.csv") -> list:
    await load(path)
    return await asyncio.gather(train(folder, 0.1), train(folder, 0.2))
@whole.task
def all_of_it(folder: str, name: str) -> str:
    while not (pathlib.Path(folder) / name).exists():
        time.sleep(0.02)
    return name
"""
_RUN = "result = %flyte_run pipeline(here) --on local\nresult"
_FAIL = "%flyte_run pipeline(here, 'samples.bad') --on local"
_WAIT = "%flyte_run asyncio.gather(all_of_it.aio(here, 'one'), all_of_it.aio(here, 'two')) --on local"


@pytest.fixture
def deployed(lab, open_notebook):
    """A notebook whose tasks are deployed, and cells that run them."""
    opened = open_notebook(lab.write("local.ipynb", _DEFINE, _TASKS, "%flyte_deploy", _RUN, _FAIL, _WAIT))
    for cell in (0, 1, 2):
        opened.run_cell(cell)
    return opened


def test_the_tree_grows_with_what_other_processes_do(deployed, open_gate, screenshot):
    """Calls of several environments, sync ones too, show their progress and what they print, live."""
    deployed.start_cell(3)
    deployed.row("fit").get_by_text("epoch  10").wait_for()
    view = deployed.output(3)
    screenshot("local_running", view)
    open_gate("fitted")
    deployed.page.wait_for_selector(".fnb-run[data-state='succeeded']")
    deployed.await_idle()
    screenshot("local_done", view)
    assert "[0.1, 0.2]" in view.inner_text()
    assert "epoch   1  rate 0.1" in view.inner_text()


def test_cancel_stops_it_where_it_runs(deployed, screenshot):
    """The button ends every call at once, in every process, and the cell; the next run has the same processes."""
    deployed.start_cell(3)
    deployed.row("fit").get_by_text("epoch  10").wait_for()
    before = _workers()
    assert len(before) >= 2
    deployed.page.get_by_role("button", name="Cancel").click()
    deployed.page.wait_for_selector(".fnb-run[data-state='cancelled']")
    deployed.await_idle()
    screenshot("local_cancelled", deployed.output(3))
    assert "The run was cancelled." in deployed.output(3).inner_text()
    assert deployed.page.locator(".fnb-run .fnb-row[data-state='running']").count() == 0
    deployed.run_cell(4)
    assert before <= _workers()


def test_an_error_stands_in_the_code_that_ran(deployed, screenshot):
    """In the tree where it arose, and below it the user's own lines."""
    deployed.run_cell(4)
    output = deployed.output(4)
    screenshot("local_failed", output)
    assert "ValueError: samples.bad is empty" in output.inner_text()
    assert "environments/data.py (version " in output.inner_text()
    assert "flyte_nb/" not in output.inner_text()


def test_what_waits_for_room_says_for_what(deployed, open_gate, screenshot):
    """Of two that want the whole machine, one waits until the other has ended."""
    deployed.start_cell(5)
    waiting = deployed.page.locator(".fnb-run").get_by_text("queued · waits for ")
    waiting.wait_for()
    screenshot("local_waiting", deployed.output(5))
    open_gate("one", "two")
    deployed.page.wait_for_selector(".fnb-run[data-state='succeeded']")
    assert waiting.count() == 0


def _workers() -> set[psutil.Process]:
    """Return the processes in which tasks run."""
    found = set()
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or ()
        if any(word.endswith("worker/boot.py") for word in words):
            found.add(process)
    return found
