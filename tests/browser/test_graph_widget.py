"""The hosted graph in JupyterLab: live while there is a kernel, a picture for ever after."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

_DEFINE = """\
from IPython.display import display, publish_display_data
from flyte_nb.view.picture import Node, Picture
from flyte_nb.view.still import bundle
from flyte_nb.view.widgets.graph import GraphWidget
NODES = (
    Node("base-utils", "succeeded", "python:3.12-slim", (("image", "python:3.12-slim"), ("memory", "2Gi"))),
    Node("ml-training", "running", "pytorch:latest", (("image", "pytorch:latest"), ("gpu", "A100:2"))),
    Node("api", "pending", "fastapi:latest", (("image", "fastapi:latest"),)),
    Node("gpu", "succeeded", "python:3.12-slim", (("gpu", "A100:2"),)),
)
EDGES = (("base-utils", "ml-training"), ("ml-training", "api"), ("base-utils", "gpu"))
"""
_SHOW = """\
widget = GraphWidget(Picture(NODES, EDGES), "fnb-test")
publish_display_data(bundle(widget.picture, "fnb-test"), transient={"display_id": "fnb-test"});
"""
_FAIL = "widget.show(widget.picture.with_states({'ml-training': 'failed', 'api': 'blocked'}))"
_ADD = """\
more = (*NODES, Node("reports", "create", "python:3.13"))
widget.show(Picture(more, (*EDGES, ("api", "reports"))))
"""
_UPDATE = "publish_display_data(bundle(widget.picture, 'fnb-test'), transient={'display_id': 'fnb-test'}, update=True)"
_SELECTED = "widget.selected"


@pytest.fixture
def notebook(lab, open_notebook):
    """The picture of the four environments, shown by its second cell."""
    opened = open_notebook(lab.write("graph.ipynb", _DEFINE, _SHOW, _FAIL, _ADD, _UPDATE, _SELECTED))
    opened.run_cell(0)
    opened.run_cell(1)
    opened.page.wait_for_selector(".fnb-live .fnb-node")
    return opened


def _node(notebook, name):
    return notebook.page.locator(f'.fnb-node[data-name="{name}"]')


def _result(notebook, index):
    return notebook.output(index).locator("pre").last.inner_text().strip()


def _states(notebook):
    nodes = notebook.page.locator(".fnb-node")
    return dict(nodes.evaluate_all("nodes => nodes.map(node => [node.dataset.name, node.dataset.state])"))


def _await_state(notebook, name, state):
    notebook.page.wait_for_selector(f'.fnb-node[data-name="{name}"][data-state="{state}"]')


def _await_details(notebook, text):
    notebook.page.locator(".fnb-details:visible", has_text=text).wait_for()


def test_the_live_view_takes_the_place_of_the_still_picture(notebook, screenshot):
    """It shows every node with its state, over a picture that is still there, in both themes."""
    states = {"base-utils": "succeeded", "ml-training": "running", "gpu": "succeeded", "api": "pending"}
    assert _states(notebook) == states
    assert not notebook.output(1).locator("img").is_visible()
    assert notebook.page.locator(".fnb-legend").inner_text().split("\n") == ["1 deploying", "1 pending", "2 deployed"]
    screenshot("graph_light")
    notebook.theme("JupyterLab Dark")
    screenshot("graph_dark")
    notebook.theme("JupyterLab Light")


def test_only_html_and_text_are_saved(notebook, lab):
    """A widget's view would be blank without its kernel; the notebook stores none."""
    notebook.save()
    (output,) = lab.read("graph.ipynb").cells[1].outputs
    assert set(output.data) == {"text/html", "text/plain"}
    assert output.data["text/plain"].startswith("4 environments in 3 waves\n1  base-utils   ✓ deployed")


def test_a_click_opens_details_and_another_closes_them(notebook, screenshot):
    """The panel shows the pairs, what the node depends on and what needs it; Python knows which is open."""
    _node(notebook, "ml-training").click()
    _await_details(notebook, "A100:2")
    text = notebook.page.locator(".fnb-details").inner_text()
    assert text.startswith("ml-training\ndeploying")
    assert notebook.page.locator(".fnb-details dd button").all_inner_texts() == ["base-utils", "api"]
    screenshot("graph_details")
    notebook.run_cell(5)
    assert _result(notebook, 5) == "'ml-training'"
    notebook.page.locator(".fnb-details dd button", has_text="base-utils").click()
    _await_details(notebook, "2Gi")
    _node(notebook, "base-utils").click()
    notebook.page.locator(".fnb-details").wait_for(state="hidden")


def test_the_keyboard_reaches_everything(notebook):
    """Arrows walk the graph, Enter opens, Escape closes, and the notebook does not take the keys for its own."""
    page, focused = notebook.page, "document.activeElement.dataset.name"
    _node(notebook, "base-utils").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) in ("ml-training", "gpu")
    page.keyboard.press("End")
    assert page.evaluate(focused) == "api"
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(focused) == "ml-training"
    page.keyboard.press("Enter")
    _await_details(notebook, "A100:2")
    assert _node(notebook, "ml-training").get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    page.locator(".fnb-details").wait_for(state="hidden")
    assert page.evaluate(focused) == "ml-training"
    assert page.locator(".fnb-node[tabindex='0']").count() == 1


def test_states_change_from_a_later_cell(notebook, screenshot):
    """A delta repaints its nodes, their names for screen readers, and the counts; unknown names do no harm."""
    _node(notebook, "api").click()
    notebook.run_cell(2)
    _await_state(notebook, "ml-training", "failed")
    _await_state(notebook, "api", "blocked")
    assert _node(notebook, "ml-training").get_attribute("aria-label") == "ml-training, failed, pytorch:latest"
    assert "1 failed" in notebook.page.locator(".fnb-legend").inner_text()
    assert "blocked" in notebook.page.locator(".fnb-head").inner_text()
    screenshot("graph_failed")


def test_a_new_picture_redraws_in_place(notebook):
    """What was selected stays selected, and the new node is there."""
    _node(notebook, "gpu").click()
    _await_details(notebook, "A100:2")
    notebook.run_cell(3)
    _await_state(notebook, "reports", "create")
    assert notebook.page.locator(".fnb-live").count() == 1
    assert _node(notebook, "gpu").get_attribute("aria-expanded") == "true"
    notebook.run_cell(5)
    assert _result(notebook, 5) == "'gpu'"


def test_a_reloaded_page_is_live_again_with_the_present_states(notebook):
    """The kernel still has the widget; what it sent as deltas is not lost."""
    notebook.run_cell(2)
    notebook.save()
    notebook.reload()
    _await_state(notebook, "ml-training", "failed")
    notebook.run_cell(3)
    _await_state(notebook, "reports", "create")


def test_the_live_view_returns_after_update_display(notebook):
    """The saved picture is replaced, and the view mounts over the new one; none are left behind."""
    notebook.run_cell(2)
    notebook.run_cell(4)
    _await_state(notebook, "ml-training", "failed")
    assert notebook.page.locator(".fnb-live").count() == 1
    assert notebook.page.locator("img:visible[src^='data:image/svg']").count() == 0


def test_without_a_kernel_and_untrusted_the_picture_is_there(notebook, lab, page, screenshot):
    """Whoever receives the notebook sees the still image, whatever the sanitizer thinks."""
    notebook.open_as_received()
    picture = page.locator(".flyte-nb.fnb-test img")
    picture.wait_for()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert picture.get_attribute("alt").startswith("4 environments in 3 waves: base-utils (deployed); ml-training")
    assert page.locator(".fnb-live").count() == 0
    screenshot("graph_still")


def test_closing_the_widget_brings_the_picture_back(lab, open_notebook):
    """A view that is over leaves the page as it found it."""
    notebook = open_notebook(lab.write("closed.ipynb", _DEFINE, _SHOW, "widget.close()"))
    notebook.run_all()
    notebook.page.locator(".flyte-nb.fnb-test img").wait_for()
    assert notebook.page.locator(".fnb-live").count() == 0


_HOSTILE = """\
bad = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
odd = "\\x1b[31mred\\x1b[0m \\u202egnp.exe \\x00\\x07 \\ud800"
nodes = (
    Node(bad, "failed", bad, ((bad, bad), ("x" * 300, "y" * 100_000))),
    Node(odd, "undefined", odd),
    Node("long-" + "z" * 1_000_000),
)
widget = GraphWidget(Picture(nodes, ((bad, odd),), note=bad), "fnb-test")
publish_display_data(bundle(widget.picture, "fnb-test"))
widget.show(widget.picture.with_states({odd: "succeeded"}))
"""


def test_hostile_names_do_nothing(lab, open_notebook, screenshot):
    """Markup, terminal codes, bidi overrides and control characters are shown, cut, and inert."""
    notebook = open_notebook(lab.write("hostile.ipynb", _DEFINE, _HOSTILE, "widget.selected[:4]"))
    notebook.run_cell(0)
    notebook.run_cell(1)
    page = notebook.page
    page.wait_for_selector('.fnb-node[data-state="succeeded"]')
    page.locator('.fnb-node[data-state="failed"]').click()
    page.locator(".fnb-details:visible").wait_for()
    assert page.evaluate("window.hacked") is None
    assert page.locator(".fnb-live img, .fnb-live script").count() == 0
    text = page.locator(".fnb-live").inner_text()
    assert not set(text) & set("\x1b\u202e\x00\x07")
    assert len(page.locator(".fnb-live").text_content()) < 20_000
    notebook.run_cell(2)
    assert _result(notebook, 2) == "'<img'"
    screenshot("graph_hostile")


_MANY = """\
names = [f"env-{i:04}" for i in range(1200)]
edges = tuple((names[i], names[i + 100]) for i in range(1100))
widget = GraphWidget(Picture(tuple(Node(name, "pending") for name in names), edges), "fnb-test")
publish_display_data(bundle(widget.picture, "fnb-test"));
"""
_PROGRESS = """\
states = {name: "failed" if name == "env-0333" else "succeeded" for name in names[:600]}
widget.show(widget.picture.with_states(states))
"""


def test_a_thousand_environments_are_summed_up_and_still_live(lab, open_notebook, screenshot):
    """The waves stand for them; one that fails steps out by name."""
    notebook = open_notebook(lab.write("many.ipynb", _DEFINE, _MANY, _PROGRESS))
    notebook.run_all()
    _await_state(notebook, "env-0333", "failed")
    assert _states(notebook)["wave 4"] == "succeeded"
    assert notebook.page.locator(".fnb-node").count() == 13
    assert "600 pending" in notebook.page.locator(".fnb-legend").inner_text()
    screenshot("graph_many")


_WIDE = """\
stages = [f"a-rather-long-name-of-stage-{i}" for i in range(9)]
nodes = tuple(Node(s + c, subtitle="ghcr.io/acme-corp/platform/pytorch-cuda:2.4.1") for s in stages for c in "abcd")
edges = tuple((a + c, b + d) for a, b in zip(stages, stages[1:]) for c, d in ("ab", "bc", "cd", "da", "aa"))
widget = GraphWidget(Picture(nodes, edges), "fnb-test")
publish_display_data(bundle(widget.picture, "fnb-test"));
"""


def test_a_picture_wider_than_the_cell_can_be_zoomed_and_dragged(lab, open_notebook, screenshot):
    """It starts at a scale that can be read, and a drag moves it without selecting anything."""
    notebook = open_notebook(lab.write("wide.ipynb", _DEFINE, _WIDE))
    notebook.run_all()
    page, view = notebook.page, notebook.page.locator(".fnb-view")
    page.wait_for_selector(".fnb-live .fnb-node")
    width = "element => element.firstElementChild.getBoundingClientRect().width"
    before = view.evaluate(width)
    screenshot("graph_wide")
    view.hover()
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Zoom in").click()
    assert view.evaluate(width) == pytest.approx(before * 1.25**2, rel=0.01)
    frame = view.bounding_box()
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    left = view.evaluate("element => element.scrollLeft")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 120, y - 40, steps=5)
    page.mouse.up()
    assert view.evaluate("element => element.scrollLeft") == pytest.approx(left + 120, abs=2)
    assert page.locator(".fnb-details:visible").count() == 0
    page.get_by_role("button", name="Fit to width").click()
    assert view.evaluate(width) == pytest.approx(before, rel=0.01)


_TABLE = """\
from flyte_nb.view.table import Table, table_html, table_text
table = Table(
    ("name", "image", "resources", "description"),
    (("base-utils", "python:3.12-slim", "1 cpu, 2Gi", "shared helpers"),
     ("ml-training", "ghcr.io/acme/" + "pytorch" * 40, "8 cpu, 16Gi, A100:2", "<b onclick=alert(1)>trains</b> " * 9)),
    "Environments", "2 of 4 are shown")
publish_display_data({"text/html": table_html(table), "text/plain": table_text(table)})
"""


def test_tables_keep_their_alignment_and_stay_in_the_cell(lab, open_notebook, screenshot):
    """JupyterLab's sanitizer leaves the styles; long cells wrap instead of pushing the page wide."""
    notebook = open_notebook(lab.write("table.ipynb", _DEFINE, _TABLE))
    notebook.run_all()
    table = notebook.output(1).locator("table")
    table.wait_for()
    assert table.locator("td").first.evaluate("cell => getComputedStyle(cell).textAlign") == "left"
    assert table.locator("b").count() == 0
    fits = "table => table.getBoundingClientRect().width <= table.closest('.jp-OutputArea').clientWidth"
    assert table.evaluate(fits)
    screenshot("table")
