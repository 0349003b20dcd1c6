"""Graphs that are too large to be overlooked: found in, opened, lit and fitted, by pointer and by keyboard."""

from __future__ import annotations

import os
import signal

import pytest

pytestmark = pytest.mark.browser

_IMPORTS = """\
from IPython.display import publish_display_data
from flyte_nb.view.picture import Node, Picture
from flyte_nb.view.still import bundle
from flyte_nb.view.widgets.graph import GraphWidget
"""
_THIRTY = """\
kinds = ["ingest", "features", "training", "serving", "reports"]
names = [f"{kind}-{number}" for kind in kinds for number in range(6)]
nodes = tuple(
    Node(name, "failed" if name == "serving-3" else "succeeded", f"ghcr.io/acme/{name.split('-')[0]}:1",
         (("description", "weekly numbers" if name == "reports-5" else "of every day"),))
    for name in names)
edges = tuple((names[at], names[at + 6]) for at in range(24))
widget = GraphWidget(Picture(nodes, edges), "fnb-thirty")
publish_display_data(bundle(widget.picture, widget._host));
"""
_SIX_HUNDRED = """\
names = [f"env-{number:03}" for number in range(600)]
edges = (*((names[at], names[at + 100]) for at in range(500)), ("env-045", "env-345"))
widget = GraphWidget(Picture(tuple(Node(name, "pending", "python:3.12") for name in names), edges), "fnb-many")
publish_display_data(bundle(widget.picture, widget._host));
"""
_CALLING = _SIX_HUNDRED.replace("fnb-many", "fnb-calls").replace(
    ', "fnb-calls")', ', "fnb-calls", with_calls=lambda picture: with_calls(picture, 2, counts))'
)
_COUNTS = """\
from flyte_nb.view.calls import with_calls
counts = {("env-250", "env-150"): 3, ("env-510", "env-007"): 1}
"""
_CHANGE = "widget.show(widget.picture.with_states({'env-123': 'running', 'env-124': 'succeeded'}))"
_FOCUSED = "document.activeElement.dataset.name"
_DIMMED = ".fnb-dimmed .fnb-node:not(.fnb-on)"

# In the page: the least contrast of these texts with the page they lie on.
_CONTRAST = """
(selectors) => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const read = (colour, below = [255, 255, 255]) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = `rgb(${below.slice(0, 3).join(",")})`;
        canvas.fillRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = (rgb) => {
        const [r, g, b] = rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ratios = selectors.flatMap((selector) => [...document.querySelectorAll(selector)].map((one) => {
        const style = getComputedStyle(one), ground = read(getComputedStyle(one.closest(".fnb-live")).backgroundColor);
        const text = read(one instanceof SVGElement ? style.fill : style.color, ground);
        const [dark, light] = [luminance(text), luminance(ground)].sort((a, b) => a - b);
        return (light + 0.05) / (dark + 0.05);
    }));
    return ratios.length ? Math.min(...ratios) : 0;
}
"""


def _node(notebook, name):
    return notebook.page.locator(f'.fnb-node[data-name="{name}"]')


def _names(notebook, selector):
    return notebook.page.locator(selector).evaluate_all("all => all.map(one => one.dataset.name)")


def _found(notebook):
    return notebook.page.locator(".fnb-found").inner_text()


@pytest.fixture
def thirty(lab, open_notebook):
    """Thirty environments in five waves."""
    opened = open_notebook(lab.write("thirty.ipynb", _IMPORTS + _THIRTY))
    opened.run_all()
    opened.page.wait_for_selector(".fnb-live .fnb-node")
    opened.output(0).scroll_into_view_if_needed()
    return opened


@pytest.fixture
def many(lab, open_notebook):
    """Six hundred environments in six waves, and a cell that changes two of the second."""
    opened = open_notebook(lab.write("many.ipynb", _IMPORTS + _SIX_HUNDRED, _CHANGE))
    opened.run_cell(0)
    opened.page.wait_for_selector(".fnb-live .fnb-node")
    opened.output(0).scroll_into_view_if_needed()
    return opened


def test_environments_are_found_by_what_is_known_of_them(thirty, screenshot):
    """By name, image, description and state; Enter goes from match to match, Escape ends it."""
    page, field = thirty.page, thirty.page.get_by_role("searchbox")
    _node(thirty, "ingest-0").focus()
    page.keyboard.press("/")
    page.keyboard.type("features 3")
    assert _found(thirty) == "1 found"
    assert _names(thirty, ".fnb-match") == ["features-3"]
    field.fill("acme/serving")
    assert _found(thirty) == "6 found"
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert _found(thirty) == "2 of 6"
    assert _names(thirty, ".fnb-here") == ["serving-1"]
    page.keyboard.press("Shift+Enter")
    assert _found(thirty) == "1 of 6"
    page.get_by_role("button", name="Previous match").click()
    assert _found(thirty) == "6 of 6"
    for query, name in {"weekly": "reports-5", "failed": "serving-3"}.items():
        field.fill(query)
        assert _names(thirty, ".fnb-match") == [name]
    page.keyboard.press("Enter")
    screenshot("graph_found")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(_FOCUSED) == "serving-3"
    page.keyboard.press("Control+f")
    assert page.evaluate("document.activeElement.value") == "failed"
    page.keyboard.press("Escape")
    assert page.evaluate(_FOCUSED) == "serving-3"
    assert (field.input_value(), page.locator(".fnb-match").count()) == ("", 0)
    field.fill("nothing of the kind")
    assert _found(thirty) == "0 found"
    assert page.get_by_role("button", name="Next match").is_disabled()


def test_pointing_at_an_environment_lights_its_ways(thirty, screenshot):
    """Everything it needs and everything that needs it, by pointer and by keyboard; the rest can still be read."""
    page, way = thirty.page, [f"{kind}-2" for kind in ("ingest", "features", "training", "serving", "reports")]
    _node(thirty, "training-2").hover()
    page.wait_for_selector(".fnb-graph.fnb-dimmed")
    assert _names(thirty, ".fnb-node.fnb-on") == way
    assert page.locator(".fnb-wire.fnb-on").count() == 4
    for theme in ("Light", "Dark"):
        thirty.theme(f"JupyterLab {theme}")
        _node(thirty, "training-2").hover()
        page.wait_for_selector(".fnb-graph.fnb-dimmed")
        page.wait_for_timeout(300)
        screenshot(f"graph_ways_{theme.lower()}")
        texts = [f"{_DIMMED} .fnb-name", f"{_DIMMED} .fnb-sub", ".fnb-on .fnb-sub", ".fnb-wave", ".fnb-key"]
        assert page.evaluate(_CONTRAST, texts) >= 4.5
    thirty.theme("JupyterLab Light")
    page.mouse.move(2, 2)
    page.wait_for_selector(".fnb-graph:not(.fnb-dimmed)")
    _node(thirty, "ingest-0").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate(_FOCUSED).startswith("ingest-")
    assert set(_names(thirty, ".fnb-node.fnb-on")) == {
        f"{name.split('-')[0]}-{page.evaluate(_FOCUSED)[-1]}" for name in way
    }
    page.keyboard.press("Tab")
    page.get_by_role("searchbox").focus()
    page.wait_for_selector(".fnb-graph:not(.fnb-dimmed)")


def test_nothing_moves_for_those_who_want_no_motion(thirty):
    """Whatever changes does so at once."""
    thirty.page.emulate_media(reduced_motion="reduce")
    durations = "all => all.map(one => getComputedStyle(one).transitionDuration + getComputedStyle(one).animationName)"
    assert set(thirty.page.locator(".fnb-live *").evaluate_all(durations)) == {"0snone"}


def test_the_whole_picture_can_be_fitted(thirty, screenshot):
    """By button and by key; from afar the names go, the states stay, and failures stand out."""
    page = thirty.page
    fits = """view => { const picture = view.firstElementChild.getBoundingClientRect();
        return picture.width <= view.clientWidth + 1 && picture.height <= view.clientHeight + 1; }"""
    page.get_by_role("button", name="Fit to view").click()
    assert page.locator(".fnb-view").evaluate(fits)
    screenshot("graph_fitted")
    _node(thirty, "ingest-0").focus()
    for _ in range(8):
        page.keyboard.press("-")
    assert not _node(thirty, "ingest-0").locator(".fnb-name").is_visible()
    page.mouse.move(2, 2)
    page.evaluate("document.activeElement.blur()")  # what has the focus lights its ways, and dims all else
    page.wait_for_selector(".fnb-graph:not(.fnb-dimmed)")
    drawn = "node => ['.fnb-card', '.fnb-disc'].map(part => getComputedStyle(node.querySelector(part)).fill)"
    failed, went_well = (_node(thirty, name).evaluate(drawn) for name in ("serving-3", "ingest-0"))
    assert failed[0] == failed[1]  # all of the card is in the colour of its mark
    assert went_well[0] != went_well[1]  # which of most would drown the few
    disc = _node(thirty, "ingest-0").locator(".fnb-disc").bounding_box()
    card = _node(thirty, "ingest-0").locator(".fnb-card").bounding_box()
    assert disc["height"] > 0.6 * card["height"]  # a mark that can be told by its shape
    assert page.locator(".fnb-graph.fnb-farthest").count() == 1
    _node(thirty, "ingest-0").focus()
    page.keyboard.press("0")
    assert _node(thirty, "ingest-0").locator(".fnb-name").is_visible()
    page.keyboard.press("1")
    assert page.locator(".fnb-view").evaluate(fits)


def test_a_wave_opens_and_closes(many, screenshot):
    """By click and by key; its environments follow their states, and so does the wave."""
    page = many.page
    assert _names(many, ".fnb-node") == [f"wave {number}" for number in range(1, 7)]
    _node(many, "wave 2").click()
    _node(many, "env-123").wait_for()
    assert page.locator(".fnb-node").count() == 106
    assert _node(many, "wave 2").get_attribute("aria-expanded") == "true"
    many.run_cell(1)
    page.wait_for_selector('.fnb-node[data-name="env-123"][data-state="running"]')
    assert _node(many, "wave 2").get_attribute("aria-label") == "wave 2, 1 deploying, 98 pending, 1 deployed"
    assert _node(many, "wave 2").get_attribute("data-state") == "running"
    screenshot("graph_wave_open")
    _node(many, "wave 2").focus()
    page.keyboard.press("Enter")
    _node(many, "env-123").wait_for(state="detached")
    assert page.evaluate(_FOCUSED) == "wave 2"
    assert _node(many, "wave 2").get_attribute("aria-label") == "wave 2, 1 deploying, 98 pending, 1 deployed"
    page.keyboard.press(" ")
    _node(many, "env-123").wait_for()
    page.get_by_role("button", name="close all").click()
    _node(many, "env-123").wait_for(state="detached")


def test_what_is_found_in_a_wave_steps_out(many, screenshot):
    """With what is next to it; its details lead on to what is not shown yet, and tell how much there is in all."""
    page = many.page
    page.get_by_role("searchbox").fill("env-345")
    assert _names(many, ".fnb-match") == ["wave 4"]
    page.keyboard.press("Enter")
    _node(many, "env-345").wait_for()
    assert _names(many, ".fnb-node:not(.fnb-group)") == ["env-045", "env-245", "env-345", "env-445"]
    assert _names(many, ".fnb-here") == ["env-345"]
    assert page.locator(".fnb-wire.fnb-on").count() == 3
    right = "element => element.getBoundingClientRect().right"
    wires = page.locator(".fnb-wire.fnb-on").evaluate_all(f"wires => wires.map({right})")
    between = _node(many, "env-245").locator("rect").evaluate(right)
    assert sum(wire > between for wire in wires) == 1  # that of env-045
    _node(many, "env-345").click()
    details = page.locator(".fnb-details")
    details.locator("dd button", has_text="env-245").wait_for()
    page.wait_for_function("document.querySelector('.fnb-details').textContent.includes('3 upstream in all')")
    assert "2 downstream in all" in details.inner_text()
    screenshot("graph_stepped_out")
    details.locator("dd button", has_text="env-245").click()
    _node(many, "env-145").wait_for()
    assert _names(many, ".fnb-node[aria-expanded='true']") == ["env-245"]
    assert page.evaluate(_FOCUSED) == "env-245"


def test_calls_between_waves_are_laid_over_them(lab, open_notebook, screenshot):
    """By a button that tells whether they are; an environment that is opened calls under its own name."""
    notebook = open_notebook(lab.write("calls.ipynb", _IMPORTS + _COUNTS + _CALLING))
    notebook.run_all()
    page, button = notebook.page, notebook.page.get_by_role("button", name="calls", exact=True)
    button.click()
    page.locator(".fnb-arc-label").first.wait_for()
    assert page.locator(".fnb-arc-label").all_text_contents() == ["3 calls", "1 call !"]
    assert page.locator(".fnb-note").all_text_contents()[1].startswith("Dashed: what called what in 2 runs")
    assert button.get_attribute("aria-pressed") == "true"
    notebook.output(0).scroll_into_view_if_needed()
    screenshot("graph_calls_of_waves")
    _node(notebook, "wave 3").click()
    _node(notebook, "env-250").wait_for()
    ends = page.locator(".fnb-arc").first.get_attribute("data-ends").split()
    assert ends[0] == _node(notebook, "env-250").get_attribute("data-key")
    button.click()
    page.locator(".fnb-arc").first.wait_for(state="detached")
    assert button.get_attribute("aria-pressed") == "false"


def test_a_busy_kernel_is_given_as_the_reason(many, lab):
    """What only the kernel can draw waits for it, and comes when it has time."""
    page = many.page
    page.evaluate(
        """() => { window.jupyterapp.shell.currentWidget.content.model.cells.get(1)
        .sharedModel.setSource("import os; os.getpid()"); }"""
    )
    many.run_cell(1)
    kernel = int(many.output(1).locator("pre").inner_text())
    os.kill(kernel, signal.SIGSTOP)  # while a cell merely computes, another thread answers
    try:
        _node(many, "wave 3").click()
        page.locator(".fnb-busy", has_text="The kernel is busy").wait_for()
    finally:
        os.kill(kernel, signal.SIGCONT)
    _node(many, "env-200").wait_for()
    assert not page.locator(".fnb-busy").is_visible()
