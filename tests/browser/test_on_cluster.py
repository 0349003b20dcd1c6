"""A deployment and runs on a cluster in JupyterLab: a control plane on this machine, and real pods."""

from __future__ import annotations

import pytest

pytest.importorskip("flyte", reason="the Flyte SDK is not installed")

from tests.cluster.loopback.control import Loopback
from tests.cluster.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_CONNECT = """\
%load_ext flyte_nb
import asyncio, os, pathlib, flyte_nb as flyte
os.environ |= {variables!r}
%config FlyteNB.home = {home!r}
import flyte as sdk
sdk.init(endpoint={endpoint!r}, insecure=True, project="flytesnacks", domain="development")
here = str(pathlib.Path.cwd())
"""
_TASKS = """\
data = flyte.TaskEnvironment("data", image="data:1")
ml = flyte.TaskEnvironment("ml-training", image="ml:1", depends_on=[data])
api = flyte.TaskEnvironment("api", image="api:1", depends_on=[ml])
@data.task
async def load(path: str) -> list[int]:
    print("reading", path)
    if path.endswith(".bad"):
        raise ValueError(f"{path} is empty")
    return [1, 2, 3]
@ml.task
async def fit(folder: str, rate: float, api_token: str = "tok-12345") -> float:
    for epoch in range(1, 4):
        print(f"epoch {epoch}  rate {rate}", flush=True)
    while not (pathlib.Path(folder) / "fitted").exists():
        await asyncio.sleep(0.05)
    return rate
@api.task
async def pipeline(folder: str, path: str = "report.csv") -> list[float]:
    await load(path)
    return list(await asyncio.gather(fit(folder, 0.1), fit(folder, 0.2)))
"""
_DEPLOY = "%flyte_deploy --target flyte"
_RUN = "result = %flyte_run pipeline(here) --on flyte\nresult"
_FAIL = "%flyte_run pipeline(here, 'samples.bad') --on flyte"
_RUNS = "%flyte_runs"
_REFUSED = """\
odd = flyte.TaskEnvironment("odd", depends_on=[data], flyte_options={"no_such": 1})
%flyte_plan --target flyte
"""
_ATTACH = """\
latest = flyte.runs(limit=1)[0]
result = get_ipython().run_line_magic("flyte_attach", latest.name)
print(latest.status, result)
"""


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    """A control plane, and nothing of it afterwards."""
    home = tmp_path_factory.mktemp("home")
    (home / "authorities").mkdir()
    variables = {"HOME": str(home), "DO_NOT_TRACK": "1", "SSL_CERT_DIR": str(home / "authorities")}
    plane = Loopback(tmp_path_factory.mktemp("cluster"), variables)
    plane.variables = variables
    plane.start()
    yield plane
    plane.stop()


@pytest.fixture
def notebook(lab, open_notebook, plane, tmp_path):
    """A notebook that is connected to the cluster."""
    connect = _CONNECT.format(variables=plane.variables, home=str(tmp_path / "nb"), endpoint=plane.endpoint)
    opened = open_notebook(lab.write("cluster.ipynb", connect, _TASKS, _DEPLOY, _RUN, _FAIL, _RUNS, _REFUSED, _ATTACH))
    for cell in (0, 1):
        opened.run_cell(cell)
    return opened


def test_from_cells_to_a_run_on_the_cluster(notebook, open_gate, screenshot):
    """Deployed in order; the tree grows with what pods do, says what they were given, and leads to the console."""
    notebook.run_cell(2)
    screenshot("cluster_deployed", notebook.output(2))
    assert "3 deployed" in notebook.output(2).inner_text()
    notebook.start_cell(3)
    notebook.row("fit").get_by_text("epoch 3").wait_for()
    notebook.row("fit").get_by_text("rate=0.1, api_token=***").wait_for()
    view = notebook.output(3)
    screenshot("cluster_running", view)
    open_gate("fitted")
    notebook.page.wait_for_selector(".fnb-run[data-state='succeeded']")
    notebook.await_idle()
    screenshot("cluster_done", view)
    assert "[0.1, 0.2]" in view.inner_text()
    run = notebook.page.locator("a[href*='/project/flytesnacks/runs/nb-']")
    assert run.count() == 1
    notebook.run_cell(5)
    screenshot("cluster_runs", notebook.output(5))
    assert "flyte" in notebook.output(5).locator("tbody tr").inner_text().split("\t")


def test_errors_and_refusals_are_told(notebook, plane, screenshot):
    """An error stands in the tree where it arose; what the SDK refuses is blocked in the plan, with its reason."""
    notebook.run_cell(2)
    notebook.run_cell(4)
    screenshot("cluster_failed", notebook.output(4))
    failed = notebook.page.locator(".fnb-run .fnb-row[data-state='failed']")
    assert failed.filter(has_text="data.load").get_by_text("ValueError: samples.bad is empty").count() == 1
    sent = len(plane.calls("DeployTask"))
    notebook.run_cell(6)
    screenshot("cluster_refused", notebook.output(6))
    assert "the Flyte SDK refuses this: TypeError: TaskEnvironment.__init__() got an unexpected keyword" in (
        notebook.output(6).inner_text()
    )
    notebook.run_cell(2)
    assert "no_such" in notebook.output(2).inner_text()
    assert len(plane.calls("DeployTask")) == sent


def test_cancel_ends_it_on_the_cluster(notebook, plane, screenshot):
    """The button aborts the run: its pods end, and in the tree nothing goes on."""
    notebook.run_cell(2)
    notebook.start_cell(3)
    notebook.row("fit").get_by_text("epoch 3").wait_for()
    notebook.page.get_by_role("button", name="Cancel").click()
    notebook.page.wait_for_selector(".fnb-run[data-state='cancelled']")
    notebook.await_idle()
    screenshot("cluster_cancelled", notebook.output(3))
    assert "The run was cancelled." in notebook.output(3).inner_text()
    assert notebook.page.locator(".fnb-run .fnb-row[data-state='running']").count() == 0
    wait_for(lambda: not plane.running_pods)


def test_a_run_outlives_the_kernel(notebook, plane, open_gate, screenshot):
    """After a restart it is in the history, and whoever attaches sees it go on, with all that happened meanwhile."""
    notebook.run_cell(2)
    notebook.start_cell(3)
    notebook.row("fit").get_by_text("epoch 3").wait_for()
    notebook.restart()
    notebook.page.wait_for_selector(".fnb-run[data-state='lost']")
    screenshot("cluster_left", notebook.output(3))
    notebook.await_idle()
    notebook.command("notebook:clear-all-cell-outputs")  # and their numbers, which begin anew
    for cell in (0, 1):
        notebook.run_cell(cell)
    notebook.start_cell(7)
    view = notebook.output(7)
    view.locator(".fnb-run .fnb-row").filter(has_text="fit").first.get_by_text("epoch 3").wait_for()
    screenshot("cluster_attached", view)
    open_gate("fitted")
    view.get_by_text("lost [0.1, 0.2]").wait_for()
    notebook.await_idle()
    screenshot("cluster_attached_done", view)
    assert len(plane.calls("CreateRun")) == len({call.run for call in plane.calls("CreateRun")})
