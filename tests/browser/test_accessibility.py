"""What people who use a keyboard, a screen reader, other colours or no motion find in every view."""

from __future__ import annotations

import pytest

from tests.bare_target import BARE_TARGET

pytestmark = pytest.mark.browser

_DEFINE = (
    BARE_TARGET
    + """\
%load_ext flyte_nb
import asyncio, flyte_nb as flyte
from flyte_nb.session import session
flyte.reset()
class Slow(BareTarget):
    name = "slow"
    async def deploy_environment(self, bundle, log):
        log(f"building the image of {bundle.name}")
        await asyncio.sleep(0.3)
        if bundle.name == "gpu":
            raise RuntimeError("no A100 is free in this zone")
session()._targets["slow"] = Slow
base = flyte.TaskEnvironment("base-utils", image="python:3.12-slim", description="what all share")
ml = flyte.TaskEnvironment("ml-training", image="pytorch:latest", depends_on=[base])
gpu = flyte.TaskEnvironment("gpu", depends_on=[base], resources=flyte.Resources(cpu="2", gpu="A100:2"))
flyte.TaskEnvironment("nightly", depends_on=[gpu])
@base.task
async def load(path: str) -> int:
    print("reading", path)
    await asyncio.sleep(0.2)
    return len(path)
@ml.task(retries=1)
async def train(rows: int, rate: float) -> float:
    print(f"epoch 1  loss {rate}")
    await asyncio.sleep(0.1)
    if rate > 0.5:
        raise ValueError("the loss is not finite")
    return rate
@ml.task
async def pipeline(path: str) -> float:
    rows = await load(path)
    return sum(await asyncio.gather(train(rows, 0.1), train(rows, 0.9)))
"""
)
_SHOWN = {
    "graph": "%flyte_graph",
    "another graph": "%flyte_graph gpu ml-training --calls",
    "run": "%flyte_run pipeline('s3://bucket/samples.csv')",
    "deployment": "%flyte_deploy --target slow",
    "plan": "plan = %flyte_plan",
    "environments": "%flyte_envs",
    "environment": "%flyte_env gpu",
    "runs": "%flyte_runs",
    "logs": "%flyte_logs",
    "deployments": "%flyte_deployments",
}
# Only what is ours: of everything else JupyterLab is the judge.
_SCAN = """async () => {
  document.body.style.overflow = "visible"; // JupyterLab's body has no height: axe would take all text for clipped
  const found = await axe.run({ include: [[".flyte-nb"]] }, { resultTypes: ["violations", "passes"] });
  // A card is called by its name, and tells its state; what stands on it may be cut short, or be a clock.
  const isMeant = (id, node) => id === "label-content-name-mismatch" && node.html.includes("fnb-node");
  const told = ({ id, nodes }) => nodes.filter((node) => !isMeant(id, node)).map((node) =>
    `${id}: ${node.html.slice(0, 200)} ${[...node.any, ...node.all, ...node.none].map((each) => each.message)}`);
  return { violations: found.violations.flatMap(told), passes: found.passes.map(({ id }) => id) };
}"""


@pytest.fixture
def axe(page, node_packages):
    """Scan every view on the page; returns what is wrong, and what was found right."""
    script = (node_packages.folder / "axe-core" / "axe.min.js").read_text(encoding="utf-8")

    def scan():
        if not page.evaluate("'axe' in window"):
            page.evaluate(script)
        return page.evaluate(_SCAN)

    return scan


@pytest.fixture
def notebook(lab, open_notebook):
    """A notebook that shows every view, with details open where there are any."""
    opened = open_notebook(lab.write("accessible.ipynb", _DEFINE, *_SHOWN.values()))
    opened.page.set_viewport_size({"width": 1280, "height": 2400})
    for index in range(len(_SHOWN) + 1):
        opened.run_cell(index)
    page = opened.page
    for index in (1, 2):  # the same, in both graphs
        opened.output(index).locator(".fnb-node[data-name='gpu']").click()
    page.locator(".fnb-run .fnb-row[data-loud='true']").first.click()
    page.locator(".fnb-log .fnb-line").first.wait_for()
    page.locator(".fnb-deployment .fnb-failure button").first.click()
    page.locator(".fnb-deployment .fnb-log .fnb-line").first.wait_for()
    return opened


def test_no_view_has_a_barrier(notebook, axe, screenshot):
    """A scan by axe-core finds nothing wrong with any view, live or still, in either theme."""
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        notebook.theme(theme)
        found = axe()
        assert found["violations"] == [], theme
        assert {"aria-required-attr", "aria-valid-attr-value", "button-name", "color-contrast"} <= set(found["passes"])
    notebook.theme("JupyterLab Light")


def test_every_text_stands_out(notebook):
    """In the live views, drawings included, text has a contrast of 4.5 or more to what it stands on, in every theme."""
    page = notebook.page
    page.locator(".fnb-arc-label").first.wait_for()
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        notebook.theme(theme)
        found = page.evaluate(_CONTRAST)
        assert found["faint"] == [], theme
        assert found["seen"] > 60
    page.evaluate(_AS_IN_VS_CODE)
    assert page.evaluate("getComputedStyle(document.querySelector('.fnb-live')).backgroundColor") == "rgb(30, 30, 30)"
    assert page.evaluate(_CONTRAST)["faint"] == []


# VS Code has no variables of JupyterLab; these are those of its dark theme.
_AS_IN_VS_CODE = """() => {
  const { body, documentElement: { style } } = document;
  body.removeAttribute("data-jp-theme-light");
  body.classList.add("vscode-dark");
  for (const name of ["layout-color1", "ui-font-color1", "brand-color1"]) style.setProperty(`--jp-${name}`, "initial");
  const own = { "editor-background": "#1e1e1e", foreground: "#cccccc", focusBorder: "#007fd4" };
  for (const [name, colour] of Object.entries(own)) style.setProperty(`--vscode-${name}`, colour);
}"""


_CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = (c) => c / 255 <= .04045 ? c / 255 / 12.92 : ((c / 255 + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = rgba(getComputedStyle(each).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const blend = (layers, ground) => layers.reduce((below, [r, g, b, a]) => {
    return [...[r, g, b].map((c, i) => (c * a + below[i] * (255 - a)) / 255), 255];
  }, ground);
  const drawnOn = (text) => { // what is drawn before it, and lies under its middle
    const { x, y, width, height } = text.getBoundingClientRect();
    const under = [...text.ownerSVGElement.querySelectorAll("rect")].filter((rect) => {
      const box = rect.getBoundingClientRect();
      return rect.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING && box.left <= x + width / 2
        && box.right >= x + width / 2 && box.top <= y + height / 2 && box.bottom >= y + height / 2;
    });
    const filled = under.map((rect) => rgba(getComputedStyle(rect).fill)).filter(([, , , alpha]) => alpha);
    return blend(filled, behind(text));
  };
  const faint = [];
  let seen = 0;
  for (const element of document.querySelectorAll(".fnb-live *")) {
    const own = [...element.childNodes].filter((node) => node.nodeType === 3 && node.data.trim());
    if (!own.length || element.nodeName === "title" || element.closest(".fnb-unseen, [hidden]")) continue;
    seen += 1;
    const style = getComputedStyle(element), drawn = element.nodeName === "text";
    const back = drawn ? drawnOn(element) : behind(element), [r, g, b, a] = rgba(drawn ? style.fill : style.color);
    const front = blend([[r, g, b, a]], back);
    const [low, high] = [light(front), light(back)].sort((one, other) => one - other);
    const contrast = (high + .05) / (low + .05);
    if (contrast < 4.5) faint.push([element.getAttribute("class"), element.textContent.slice(0, 30), contrast]);
  }
  return { faint, seen };
}"""


_GOING_ON = """\
class Waits(Slow):
    async def deploy_environment(self, bundle, log):
        await asyncio.sleep(0.1 if bundle.name == "base-utils" else 600)
session()._targets["slow"] = Waits
@base.task
async def waits(n: int) -> None:
    await asyncio.sleep(0.1 if n % 2 else 600)
@base.task
async def both() -> None:
    await asyncio.gather(waits(1), waits(2))
"""
_MOVING = """(view) => document.getAnimations().filter(({ effect, playState }) =>
    playState === "running" && effect.target?.closest(view)).length"""


@pytest.fixture(params=["run", "deployment"])
def going_on(request, lab, open_notebook):
    """A run, and a deployment, that go on until the kernel is interrupted: the notebook, and the view's selector."""
    line = {"run": "%flyte_run both()", "deployment": "%flyte_deploy --target slow"}[request.param]
    notebook = open_notebook(lab.write("going.ipynb", _DEFINE, _GOING_ON, line))
    notebook.run_cell(0)
    notebook.run_cell(1)
    notebook.start_cell(2)
    view = f".fnb-{request.param}"
    notebook.page.locator(f"{view}[data-state='running'] [data-state='running']").first.wait_for()
    notebook.page.locator(f"{view} .fnb-progress i").first.wait_for()  # some of it is done
    yield notebook, view
    notebook.command("notebook:interrupt-kernel")
    notebook.await_idle()


def test_nothing_moves_for_those_who_want_no_motion(going_on):
    """What goes on pulsates, unless the system asks for reduced motion; the clock still goes, once a second."""
    notebook, view = going_on
    page = notebook.page
    page.wait_for_function(f"(view) => ({_MOVING})(view) > 0", arg=view)
    page.emulate_media(reduced_motion="reduce")
    page.wait_for_function(f"(view) => ({_MOVING})(view) === 0", arg=view)
    before = page.locator(f"{view} .fnb-clock").inner_text()
    page.wait_for_function(
        "([view, before]) => document.querySelector(`${view} .fnb-clock`).textContent !== before", arg=[view, before]
    )


def test_forced_colours_leave_everything_to_be_seen(going_on, screenshot):
    """With the colours of a high contrast theme, text stands out, and bars and marks are there."""
    notebook, view = going_on
    page = notebook.page
    page.emulate_media(forced_colors="active", color_scheme="dark")
    found = page.evaluate(_CONTRAST)
    assert found["faint"] == []
    bars = page.locator(f"{view} :is(.fnb-bar, .fnb-progress i)")
    own = "bars => bars.map((bar) => [getComputedStyle(bar).forcedColorAdjust, bar.getBoundingClientRect().width > 0])"
    assert {*map(tuple, bars.evaluate_all(own))} == {("none", True)}  # or the system paints them as it does the page
    screenshot(f"{view[5:]}_forced-colours", page.locator(view))


def test_a_deployment_is_all_within_reach_of_the_keyboard(notebook):
    """Tab comes to the graph, its buttons, failures and logs; keys open, move and close."""
    page = notebook.page
    view = page.locator(".fnb-deployment")
    view.locator(".fnb-details button[aria-label='Close details']").click()
    view.locator("button[aria-label='Zoom out']").focus()
    reached = []
    for _ in range(12):
        reached.append(page.evaluate("document.activeElement.textContent"))
        page.keyboard.press("Tab")
        if not page.evaluate("Boolean(document.activeElement.closest('.fnb-deployment'))"):
            break
    assert "gpu" in reached  # the failure
    assert {"−", "+", "fit"} <= set(reached)
    view.locator(".fnb-failure button").focus()
    page.keyboard.press("Enter")
    details = view.locator(".fnb-details")
    details.get_by_text("no A100 is free").wait_for()
    view.locator(".fnb-node[data-name='gpu']").focus()
    page.keyboard.press("Escape")
    details.wait_for(state="hidden")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    details.get_by_text("building the image of base-utils").wait_for()
