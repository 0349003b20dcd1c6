"""What 2,000 environments take in a real JupyterLab: to be painted, to change, and to go on changing."""

from __future__ import annotations

import json
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import browser, lab, open_notebook, page, window  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_COUNT = 2_000
_ROUNDS = 15
_SECONDS, _PER_SECOND = 30, 20

_DEFINE = f"""\
%load_ext flyte_nb
import json, random, threading, time
import flyte_nb as flyte
draw = random.Random(0)
made = []
for number in range({_COUNT}):
    stage = number // 200
    before = [made[draw.randrange((stage - 1) * 200, stage * 200)] for _ in range(draw.randint(1, 2))] if stage else []
    made.append(flyte.TaskEnvironment(
        f"features-{{number:04}}", image=f"ghcr.io/acme/features:{{number % 7}}", depends_on=before,
        description="what it computes"))
names = [one.name for one in made]
"""
_WIDGET = """\
from datetime import datetime, timezone
from IPython.display import publish_display_data
from flyte_nb.deployment.applying.status import EnvironmentStatus, State
from flyte_nb.deployment.planning.plan import Action, Plan, Step
from flyte_nb.view.deployment_progress import DeploymentProgress
from flyte_nb.view.deployment_still import deployment_bundle
from flyte_nb.view.widgets.deployment import DeploymentWidget
steps = tuple(Step(one.name, Action.CREATE, one.depends_on) for one in made)
progress = DeploymentProgress(Plan("local", steps, (tuple(names),)), "d1")
widget = DeploymentWidget(progress, "fnb-bench")
sizes, send = [], widget.send
def measured(content, *rest):
    sizes.append(len(json.dumps(content)))
    send(content, *rest)
widget.send = measured
publish_display_data(deployment_bundle(progress, "fnb-bench"));
def tell(some, state):
    for name in some:
        progress.note(EnvironmentStatus(name, State(state), started=datetime.now(timezone.utc)))
    widget.update()
"""
_ONE = """\
sent, acknowledged = [], []
def one(number):
    sent.append(time.time() * 1000)
    tell([names[number]], "running")
"""
_MANY = """\
def many(at_once):
    global begun
    begun = time.time() * 1000
    for first in range(0, len(names), at_once):
        tell(names[first : first + at_once], "succeeded")
"""
_LONG = f"""\
def long():
    cycle = ["pending", "running", "succeeded"]
    for beat in range({_SECONDS * _PER_SECOND}):
        tell([names[(beat * 7 + at) % len(names)] for at in range(5)], cycle[beat % 3])
        time.sleep(1 / {_PER_SECOND})
"""
# In the page: run code in the kernel and return the milliseconds from that until `done` and the paint after it.
_UNTIL = """
async ([code, selector, text]) => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const done = () => [...document.querySelectorAll(selector)].some((one) => one.textContent.includes(text));
    if (code === null) window.jupyterapp.commands.execute("notebook:run-cell").catch(console.error);
    else kernel.requestExecute({ code, silent: true });
    const begun = performance.now();
    return await new Promise((resolve) => {
        const look = () => {
            if (done()) requestAnimationFrame(() => setTimeout(() => resolve([performance.now() - begun, Date.now()])));
            else if (performance.now() - begun > 60000) resolve([60000, 0]);
            else requestAnimationFrame(look);
        };
        look();
    });
}
"""


# In the page: note how many milliseconds from now the still picture is painted.
_STILL = """
() => {
    const begun = performance.now();
    const look = () => {
        const still = document.querySelector(".flyte-nb img");
        if (still?.complete && still.naturalWidth) window.still = performance.now() - begun;
        else if (performance.now() - begun < 60000) requestAnimationFrame(look);
    };
    look();
}
"""


@pytest.fixture
def report(benchmark: Any, capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Return a function that prints figures and keeps them with the benchmark."""
    benchmark.pedantic(lambda: None, rounds=1)

    def told(text: str, **figures: float) -> None:
        benchmark.extra_info.update({name: round(figure, 2) for name, figure in figures.items()})
        with capsys.disabled():
            print(f"\n{benchmark.name}: {text}")

    return told


def _value(notebook: Any, code: str) -> Any:
    """Return what an expression gives in the kernel, by way of JSON."""
    given = notebook.page.evaluate(
        """async (code) => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const future = kernel.requestExecute({ code: "", silent: false, user_expressions: { value: code } });
            const reply = await future.done;
            return reply.content.user_expressions.value.data["text/plain"];
        }""",
        f"json.dumps({code})",
    )
    return json.loads(given[1:-1])


def _open(lab: Any, open_notebook: Any, *cells: str) -> Any:  # noqa: F811
    notebook = open_notebook(lab.write("bench.ipynb", _DEFINE, *cells))
    notebook.run_cell(0)
    return notebook


def _shown(lab: Any, open_notebook: Any, code: str) -> Any:  # noqa: F811
    notebook = _open(lab, open_notebook, _WIDGET, code)
    notebook.run_cell(1)
    notebook.page.wait_for_selector(".fnb-live .fnb-node")
    notebook.run_cell(2)
    notebook.output(1).scroll_into_view_if_needed()
    return notebook


def test_first_paint(lab: Any, open_notebook: Any, report: Callable[..., None]) -> None:  # noqa: F811
    """From the start of the cell with %flyte_graph to the live picture: the first time, and again."""
    notebook = _open(lab, open_notebook, "%flyte_graph")
    paints, stills = [], []
    for _ in range(5):
        notebook.page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1")
        notebook.command("notebook:clear-cell-output")
        notebook.page.wait_for_function("!document.querySelector('.fnb-live')")
        notebook.page.evaluate(_STILL)
        paints.append(notebook.page.evaluate(_UNTIL, [None, ".fnb-live .fnb-node", ""])[0])
        stills.append(notebook.page.evaluate("window.still"))
        notebook.await_idle()
    told = f"{_COUNT:,} environments painted after {stills[0]:.0f} ms, live after {paints[0]:.0f} ms"
    again = f"again after {median(stills[1:]):.0f} ms, live after {median(paints[1:]):.0f} ms"
    report(f"{told}; {again}", still=stills[0], first=paints[0], again=median(paints[1:]))


def test_one_change(lab: Any, open_notebook: Any, report: Callable[..., None]) -> None:  # noqa: F811
    """From the kernel that tells one state to the kernel that hears it was painted, and what it sends for that."""
    notebook = _shown(lab, open_notebook, _ONE)
    painted, acknowledged = [], []
    for number in range(1, _ROUNDS + 1):
        start = f"threading.Timer(0.3, one, [{number}]).start()"
        _, at = notebook.page.evaluate(_UNTIL, [start, ".fnb-legend", f"{number:,} deploying"])
        heard = _value(notebook, "time.time() * 1000")
        sent = _value(notebook, "sent[-1]")
        painted.append(at - sent)
        acknowledged.append(heard - sent)
    size = max(_value(notebook, f"sizes[-{_ROUNDS}:]"))
    told = f"painted after {median(painted):.0f} ms, acknowledged after {median(acknowledged):.0f} ms"
    worst = f"worst {max(acknowledged):.0f} ms, {size} bytes"
    report(f"{told}; {worst}", painted=median(painted), acknowledged=median(acknowledged), bytes=size)


@pytest.mark.parametrize("at_once", [50, 1])
def test_many_changes(
    lab: Any,  # noqa: F811
    open_notebook: Any,  # noqa: F811
    report: Callable[..., None],
    at_once: int,
) -> None:
    """From the first of 2,000 changes to the paint of the last, told so many at once."""
    notebook = _shown(lab, open_notebook, _MANY)
    start = f"threading.Timer(0.3, many, [{at_once}]).start()"
    _, at = notebook.page.evaluate(_UNTIL, [start, ".fnb-legend", f"{_COUNT:,} deployed"])
    took = at - _value(notebook, "begun")
    messages = _value(notebook, "len(sizes)")
    report(f"{_COUNT:,} changes in {messages:,} messages painted after {took:.0f} ms", took=took, messages=messages)


def test_a_long_time(lab: Any, open_notebook: Any, report: Callable[..., None]) -> None:  # noqa: F811
    """How the page's memory grows over 30 s of 20 updates a second, with a wave open, after garbage collection."""
    notebook = _shown(lab, open_notebook, _LONG)
    notebook.page.locator('.fnb-node[data-name="wave 2"]').click()
    notebook.page.wait_for_selector('.fnb-node[data-name^="features-"]')
    session = notebook.page.context.new_cdp_session(notebook.page)
    session.send("Performance.enable")

    def used() -> tuple[float, float]:
        for _ in range(3):
            session.send("HeapProfiler.collectGarbage")
        metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        return metrics["JSHeapUsedSize"] / 1e6, metrics["Nodes"]

    heaps = []
    for _ in range(3):  # the first warms up
        _value(notebook, "threading.Thread(target=long).start()")
        notebook.page.wait_for_timeout((_SECONDS + 4) * 1_000)
        heaps.append(used())
    (_, _), (before, nodes), (after, more) = heaps
    told = f"{before:.2f} MB before, {after:.2f} MB after {_SECONDS} s; {nodes:.0f} and {more:.0f} nodes"
    report(told, before=before, after=after)
