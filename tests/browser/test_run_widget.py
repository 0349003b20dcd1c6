"""A run in JupyterLab: the tree that grows while it runs, and what is left of it without a kernel."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

_DEFINE = """\
%load_ext flyte_nb
import asyncio, pathlib, flyte_nb as flyte
from flyte_nb.execution.runner import current_call
def say(text, stream="stdout"):
    current_call().write(stream, text + "\\n")
async def gate(name):
    while not pathlib.Path(name).exists():
        await asyncio.sleep(0.02)
data = flyte.TaskEnvironment("data")
ml = flyte.TaskEnvironment("ml-training", depends_on=[data])
@data.task
async def load(path: str) -> list:
    say("reading " + path)
    await asyncio.sleep(0.12)
    return [1, 2, 3]
@ml.task(retries=1)
async def train(rows: list, rate: float) -> float:
    for epoch in range(30):
        say(f"epoch {epoch:3}  loss {1 / (epoch + 1):.4f}")
        await asyncio.sleep(0.01)
    if rate > 0.5:
        say("loss is nan", "WARNING")
        raise ValueError(f"loss is not finite at rate={rate:.1f}: lower the rate")
    return rate
@ml.task
async def evaluate(rate: float) -> float:
    say("  first  part")
    await gate("first")
    await load("report.csv")
    say("\\n".join(["second part"] * 300))
    await gate("second")
    return rate
@ml.task
async def pipeline(path: str, rate: float = 0.1) -> float:
    rows = await load(path)
    await asyncio.gather(*[train(rows, rate * k) for k in (1, 2, 3)], load("b.csv"))
    return await evaluate(rate)
"""
_RUN = "result = %flyte_run pipeline('s3://bucket/samples.csv')"
_FAIL = "result = %flyte_run pipeline('s3://bucket/samples.csv', rate=0.2)"


@pytest.fixture
def notebook(lab, open_notebook):
    """A notebook with tasks, a run of them, and one that fails."""
    opened = open_notebook(lab.write("run.ipynb", _DEFINE, _RUN, _FAIL))
    opened.run_cell(0)
    return opened


def _await_running(notebook, text):
    notebook.page.locator(".fnb-row[data-state='running']", has_text=text).wait_for()


def _key(notebook):
    return notebook.page.evaluate("document.activeElement.dataset.key")


def test_the_tree_grows_while_it_runs(notebook, open_gate, screenshot):
    """Calls appear under their caller, clocks tick, and at the end everything says so; in both themes."""
    notebook.start_cell(1)
    page, view = notebook.page, notebook.output(1)
    _await_running(notebook, "evaluate")
    assert notebook.row("pipeline").get_attribute("aria-level") == "1"
    assert notebook.row("evaluate").get_attribute("aria-level") == "2"
    assert page.locator(".fnb-row").count() == 7
    clock = page.locator(".fnb-clock")
    before = clock.inner_text()
    page.wait_for_function("(before) => document.querySelector('.fnb-clock').textContent !== before", arg=before)
    assert page.get_by_role("progressbar", name="Calls that have ended").get_attribute("aria-valuenow") == "5"
    assert page.locator(".fnb-counts").inner_text().split("\n") == ["2 running", "5 succeeded"]
    screenshot("run_light", view)
    notebook.theme("JupyterLab Dark")
    screenshot("run_dark", view)
    notebook.theme("JupyterLab Light")
    open_gate("first")
    page.locator(".fnb-row[aria-level='3']", has_text="report.csv").wait_for()
    open_gate("second")
    notebook.await_idle()
    page.wait_for_selector(".fnb-run[data-state='succeeded']")
    assert page.locator(".fnb-row[data-state='succeeded']").count() == 8
    assert not view.locator("table").is_visible()
    screenshot("run_done", view)


_WAITING = """\
@ml.task
async def waits() -> None:
    call = current_call()
    for reason, name in (("its turn: 1 is ahead", "first"), ("1 GPU, which ml-training.<b>train</b> has", "second")):
        call.queue(reason)
        call.journal.append(call)
        await gate(name)
    call.begin()
    call.journal.append(call)
"""


def test_what_a_call_waits_for(lab, open_notebook, open_gate, screenshot):
    """A queued call says for what, in its row and its details, as that changes; when it runs it says so no more."""
    notebook = open_notebook(lab.write("waiting.ipynb", _DEFINE, _WAITING, "%flyte_run waits()"))
    notebook.run_cell(0)
    notebook.run_cell(1)
    notebook.start_cell(2)
    row = notebook.row("waits")
    row.get_by_text("queued · waits for its turn: 1 is ahead").wait_for()
    row.click()
    open_gate("first")
    row.get_by_text("queued · waits for 1 GPU, which ml-training.<b>train</b> has").wait_for()
    facts = notebook.page.locator(".fnb-details dl").inner_text()
    assert "waits for\n1 GPU, which ml-training.<b>train</b> has" in facts.replace("\n\n", "\n")
    screenshot("run_waiting", notebook.output(2))
    open_gate("second")
    notebook.page.wait_for_selector(".fnb-run[data-state='succeeded']")
    assert "waits for" not in notebook.page.locator(".fnb-run").inner_text()


def test_bars_lie_under_each_other(notebook, open_gate):
    """The timeline is one: what began later begins further right, however deep its row is."""
    open_gate("first", "second")
    notebook.start_cell(1)
    notebook.page.wait_for_selector(".fnb-run[data-state='succeeded']")
    tracks = notebook.page.locator(".fnb-track")
    assert len(set(tracks.evaluate_all("tracks => tracks.map(track => track.getBoundingClientRect().left)"))) == 1
    left = "row => row.querySelector('.fnb-bar').getBoundingClientRect().left"
    starts = [notebook.row(name).evaluate(left) for name in (".pipeline", ".train", ".evaluate")]
    assert starts == sorted(set(starts))


def test_a_failure_is_loud_where_it_arose(notebook, screenshot):
    """The call tells its error; the caller that passed it on has failed, and says no more."""
    notebook.run_cell(2)
    page = notebook.page
    page.wait_for_selector(".fnb-run[data-state='failed']")
    errors = page.locator(".fnb-error")
    assert errors.all_inner_texts() == ["ValueError: loss is not finite at rate=0.6: lower the rate"]
    assert page.locator(".fnb-row[data-state='failed']").count() == 2
    assert page.locator(".fnb-row", has=errors).get_attribute("data-loud") == "true"
    assert "attempt 2" in notebook.row("rate=0.6").inner_text()
    screenshot("run_failed", notebook.output(2))
    notebook.theme("JupyterLab Dark")
    screenshot("run_failed_dark", notebook.output(2))
    notebook.theme("JupyterLab Light")


def test_the_keyboard_reaches_everything(notebook, open_gate, screenshot):
    """Arrows move and fold, Enter opens details and closes them, and the notebook does not take the keys."""
    open_gate("first", "second")
    notebook.start_cell(1)
    notebook.await_idle()
    page = notebook.page
    page.wait_for_selector(".fnb-run[data-state='succeeded']")
    assert page.locator(".fnb-row[tabindex='0']").count() == 1
    notebook.row("pipeline").focus()
    root = _key(notebook)
    page.keyboard.press("ArrowDown")
    assert _key(notebook) == notebook.row("load").get_attribute("data-key")
    page.keyboard.press("End")
    assert _key(notebook) == notebook.row("report.csv").get_attribute("data-key")
    page.keyboard.press("ArrowUp")
    assert _key(notebook) == notebook.row("evaluate").get_attribute("data-key")
    page.keyboard.press("Enter")
    page.locator(".fnb-details", has_text="rate=0.1").wait_for()
    assert "returned\n0.1" in page.locator(".fnb-details").inner_text()
    assert notebook.row("evaluate").get_attribute("aria-selected") == "true"
    screenshot("run_details", notebook.output(1))
    page.keyboard.press("Escape")
    page.locator(".fnb-details").wait_for(state="detached")
    page.keyboard.press("ArrowLeft")
    assert notebook.row("evaluate").get_attribute("aria-expanded") == "false"
    page.keyboard.press("ArrowLeft")
    assert _key(notebook) == root
    page.keyboard.press("ArrowLeft")
    assert notebook.row("pipeline").get_attribute("aria-expanded") == "false"
    assert page.locator(".fnb-row:visible").count() == 1
    page.keyboard.press("ArrowRight")
    assert page.locator(".fnb-row:visible").count() == 7  # the one below evaluate is still folded
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.locator(".fnb-details", has_text="samples.csv").wait_for()


def test_the_lines_of_an_open_call_follow(notebook, open_gate, screenshot):
    """What a task prints appears while it runs, spaces and all; of many lines the last are there."""
    notebook.start_cell(1)
    _await_running(notebook, "evaluate")
    page = notebook.page
    assert notebook.row("evaluate").locator(".fnb-last-line").inner_text() == "  first  part"
    notebook.row("evaluate").click()
    page.locator(".fnb-log", has_text="first").wait_for()
    open_gate("first")
    page.locator(".fnb-log", has_text="second part").wait_for()
    page.locator(".fnb-log-note", has_text="last 200 of 301 lines").wait_for()
    assert page.locator(".fnb-line").count() == 200
    at_end = "log => log.scrollHeight - log.scrollTop - log.clientHeight < 2"
    assert page.locator(".fnb-log").evaluate(at_end)
    page.wait_for_function(
        """() => { const details = document.querySelector(".fnb-details"); return details.getBoundingClientRect().bottom
        <= details.closest(".fnb-grid").getBoundingClientRect().bottom + 1; }"""
    )
    screenshot("run_log", notebook.output(1))
    open_gate("second")
    notebook.await_idle()


def test_the_focus_outlives_an_update_of_the_output(notebook, open_gate):
    """What is kept in the notebook is replaced while the run goes on; who reads it is not disturbed."""
    notebook.start_cell(1)
    _await_running(notebook, "evaluate")
    page = notebook.page
    notebook.row("evaluate").focus()
    key = _key(notebook)
    page.keyboard.press("Enter")
    page.locator(".fnb-details").wait_for()
    notebook.await_new_place(lambda: open_gate("first", "second"))
    notebook.await_idle()
    page.wait_for_selector(".fnb-run[data-state='succeeded']")
    assert _key(notebook) == key
    assert page.locator(".fnb-details").count() == 1
    assert page.locator(".fnb-live").count() == 1


def _sweep(samples, seconds, period):
    """Return a cell that runs calls of a task, which sleeps for `seconds` of n, and fails at 17 of each `period`."""
    return f"""\
@ml.task
async def step(n: int) -> int:
    await asyncio.sleep({seconds})
    if n % {period} == 17:
        raise RuntimeError(f"sample {{n}} is corrupt")
    return n
@ml.task
async def sweep(samples: int) -> int:
    done = await asyncio.gather(*[step(n) for n in range(samples)], return_exceptions=True)
    await gate("first")
    return len(done)
result = %flyte_run sweep({samples})
"""


def test_ten_thousand_calls_are_a_group(lab, open_notebook, open_gate, screenshot):
    """They take a few rows: how many are in each state, the failed ones, and the slowest."""
    notebook = open_notebook(lab.write("many.ipynb", _DEFINE, _sweep(10_000, "0.4 + (n % 977) / 2000", 4321)))
    notebook.run_cell(0)
    notebook.start_cell(1)
    page = notebook.page
    page.locator(".fnb-row[data-kind='group']", has_text="× 10,000").wait_for()
    screenshot("run_many_begins", notebook.output(1))
    page.locator(".fnb-row[data-kind='group']", has_text="3 failed · 9,997 succeeded").wait_for()
    assert page.locator(".fnb-row").count() == 8
    assert page.locator(".fnb-error").all_inner_texts() == [
        f"RuntimeError: sample {n} is corrupt" for n in (17, 4338, 8659)
    ]
    assert page.locator(".fnb-row").last.inner_text() == "… and 9,995 more"
    failed = page.locator(".fnb-progress i").first
    assert failed.bounding_box()["width"] >= 4  # three of ten thousand can be seen
    screenshot("run_many", notebook.output(1))
    notebook.row("n=4338").click()
    page.locator(".fnb-details", has_text="sample 4338 is corrupt").wait_for()
    open_gate("first")
    notebook.await_idle()
    page.set_viewport_size({"width": 800, "height": 900})
    page.locator(".fnb-track").first.wait_for(state="hidden")
    fits = "row => row.querySelector('.fnb-call').scrollWidth <= row.querySelector('.fnb-name-cell').clientWidth"
    assert all(page.locator(".fnb-row[data-kind='call']").evaluate_all(f"rows => rows.map({fits})"))
    screenshot("run_narrow", notebook.output(1))


_MAP = """\
@ml.task
async def resize(n: int) -> int:
    await asyncio.sleep(0.05)
    if n >= 300:
        await gate("first")
    return n
@ml.task
async def thumbnails(count: int) -> int:
    return len(await flyte.map(resize, range(count), concurrency=20))
result = %flyte_run thumbnails(1200)
"""


def test_a_map_shows_how_much_of_it_is_done(lab, open_notebook, open_gate, screenshot):
    """Of how many calls it has begun some, how far that is, and what is left; at the end nothing is to come."""
    notebook = open_notebook(lab.write("map.ipynb", _DEFINE, _MAP))
    notebook.run_cell(0)
    notebook.start_cell(1)
    page = notebook.page
    page.locator(".fnb-row[data-kind='group']", has_text="× 320 of 1,200").wait_for()
    page.locator(".fnb-counts", has_text="880 to come").wait_for()
    bar = page.locator(".fnb-run [role='progressbar']")
    assert [bar.get_attribute(f"aria-value{name}") for name in ("now", "max", "text")] == [
        "300",
        "1201",
        "300 of 1,201",
    ]
    assert page.locator(".fnb-left").inner_text().endswith("left")
    screenshot("run_map", notebook.output(1))
    open_gate("first")
    notebook.await_idle()
    page.locator(".fnb-run[data-state='succeeded']").wait_for()
    assert page.locator(".fnb-row[data-kind='group'] .fnb-inputs").first.inner_text().strip() == "× 1,200"
    assert "to come" not in page.locator(".fnb-run").inner_text()


def test_the_row_that_counts_the_others_opens(lab, open_notebook, open_gate, screenshot):
    """By mouse and keys, while the cell runs and after it, fifty at a time; a page that is loaded later shows that."""
    notebook = open_notebook(lab.write("more.ipynb", _DEFINE, _sweep(600, "n / 10_000", 40)))
    notebook.run_cell(0)
    notebook.start_cell(1)
    page = notebook.page
    page.locator(".fnb-row[data-kind='group']", has_text="15 failed · 585 succeeded").wait_for()
    more = page.locator(".fnb-row[data-kind='more']")
    assert more.get_by_role("button").inner_text() == "… and 595 more"
    assert more.evaluate("row => getComputedStyle(row).cursor") == "pointer"
    screenshot("run_more_closed", notebook.output(1))
    last_before = page.locator(".fnb-row[data-kind='call']").last.get_attribute("data-key")
    more.click()
    page.locator(".fnb-row", has_text="… and 545 more").wait_for()
    assert page.locator(".fnb-row").count() == 58
    errors = page.locator(".fnb-error").all_inner_texts()
    assert sorted(errors) == sorted(f"RuntimeError: sample {n} is corrupt" for n in range(17, 600, 40))
    order = page.locator(".fnb-row").evaluate_all("rows => rows.map(row => row.dataset.key)")
    assert _key(notebook) == order[order.index(last_before) + 1]
    assert more.get_attribute("aria-busy") is None
    screenshot("run_more", notebook.output(1))
    for key, left in (("ArrowRight", 495), ("Enter", 445), (" ", 395)):
        page.keyboard.press("End")
        page.keyboard.press(key)
        page.locator(".fnb-row", has_text=f"… and {left} more").wait_for()
        assert _key(notebook) == page.locator(".fnb-row").nth(-51).get_attribute("data-key")
    notebook.theme("JupyterLab Dark")
    page.keyboard.press("End")  # the row itself is seen
    screenshot("run_more_dark", notebook.output(1))
    notebook.theme("JupyterLab Light")
    open_gate("first")
    notebook.await_idle()
    shown = page.locator(".fnb-row").evaluate_all("rows => rows.map(row => row.dataset.key)")
    page.locator(".fnb-row[data-kind='group'] .fnb-twisty").click()
    assert page.locator(".fnb-row:visible").count() == 2
    notebook.save()
    notebook.reload()
    page.locator(".fnb-row", has_text="… and 395 more").wait_for()
    assert page.locator(".fnb-row").evaluate_all("rows => rows.map(row => row.dataset.key)") == shown
    page.locator(".fnb-row[data-kind='more']").click()
    page.locator(".fnb-row", has_text="… and 345 more").wait_for()


def test_a_reloaded_page_is_live_again(notebook, open_gate, lab):
    """The kernel still has the view; what it sent as differences is not lost."""
    open_gate("first", "second")
    notebook.start_cell(1)
    notebook.page.wait_for_selector(".fnb-run[data-state='succeeded']")
    notebook.save()
    notebook.reload()
    notebook.page.wait_for_selector(".fnb-run[data-state='succeeded']")
    assert notebook.page.locator(".fnb-row").count() == 8
    notebook.row("evaluate").click()
    notebook.page.locator(".fnb-log", has_text="second part").wait_for()


def test_without_a_kernel_and_untrusted_the_tree_is_there(notebook, lab, page, screenshot):
    """Whoever receives the notebook sees states, bars, errors and lines, whatever the sanitizer thinks."""
    notebook.run_cell(2)
    saved = notebook.open_as_received()
    assert {kind for output in saved.cells[2].outputs for kind in output.get("data", ())} == {"text/html", "text/plain"}
    still = page.locator(".flyte-nb table")
    still.wait_for()
    text = still.inner_text()
    assert "ValueError: loss is not finite at rate=0.6: lower the rate" in text
    assert "✗ failed" in text
    widths = still.locator("td:last-child > div > div").evaluate_all(
        "bars => bars.map(bar => [bar.getBoundingClientRect().width, getComputedStyle(bar).backgroundColor])"
    )
    assert len(widths) == 6
    assert len({width for width, _ in widths}) > 2
    assert len({colour for _, colour in widths}) == 2
    assert still.locator("details[open]").count() == 1
    last = still.locator("details[open] pre")
    assert last.inner_text().endswith("WARNING  loss is nan")
    seen = """log => { const frame = log.parentElement.getBoundingClientRect(), own = log.getBoundingClientRect();
        return own.height > frame.height && own.bottom <= frame.bottom + 8; }"""
    assert last.evaluate(seen)
    assert page.locator(".fnb-live").count() == 0
    screenshot("run_still", still)
    notebook.theme("JupyterLab Dark")
    screenshot("run_still_dark", still)
    notebook.theme("JupyterLab Light")


_DIRECT = """\
from IPython.display import publish_display_data
from flyte_nb.execution.call import Call
from flyte_nb.execution.journal import Journal
from flyte_nb.view.run_still import run_bundle
from flyte_nb.view.run_tree import RunTree
from flyte_nb.view.widgets.run import RunWidget
pressed = []
bad = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
odd = "\\x1b[31mred\\x1b[0m \\u202egnp.exe \\x00\\x07 \\ud800"
calls = [Call(1, bad + odd, bad + odd, None, Journal())]
calls.append(Call(2, odd + "z" * 1_000_000, odd + "z" * 1_000_000, calls[0], Journal()))
calls[1].write(bad + odd, (bad + odd + "y" * 100_000 + "\\n") * 50)
tree = RunTree()
tree.update(calls)
widget = RunWidget(tree, "fnb-test", lambda: pressed.append(True))
publish_display_data(run_bundle(tree, "fnb-test", under_way=True))
"""
_END = """\
calls[1].end(ValueError(bad + odd + "x" * 1_000_000))
calls[0].end()
tree.update(calls)
widget.update(under_way=False)
pressed
"""


# The last message of a run is lost on the way.
_DEAF = (
    """\
say, widget.comm.send = widget.comm.send, lambda *args, **kwargs: None
"""
    + _END
    + "widget.comm.send = say"
)
_HEARD = "widget.send({})"
_BROKEN = """\
from flyte_nb.view.run_still import run_bundle
class Broken(RunWidget):
    _esm = str(RunWidget._esm).replace("this.clock = ", "throw new Error('it is broken'); this.clock = ")
broken = Broken(tree, "fnb-broken")
publish_display_data(run_bundle(tree, "fnb-broken", under_way=True))
"""


@pytest.fixture
def direct(lab, open_notebook):
    """A view of calls with hostile names, made without running anything."""
    opened = open_notebook(
        lab.write("direct.ipynb", _DIRECT, _END, "widget.close()", "pressed", _DEAF, _HEARD, _BROKEN)
    )
    opened.run_cell(0)
    opened.page.wait_for_selector(".fnb-run .fnb-row")
    return opened


def test_nothing_from_users_acts(direct, screenshot):
    """Markup, terminal codes, bidi overrides and megabytes in names, errors and lines are shown, cut, and inert."""
    page = direct.page
    page.locator(".fnb-row").nth(1).click()
    page.locator(".fnb-log .fnb-line").first.wait_for()
    direct.run_cell(1)
    page.wait_for_selector(".fnb-row[data-state='failed'] .fnb-error")
    assert page.evaluate("window.hacked") is None
    assert page.locator(".flyte-nb img, .flyte-nb script").count() == 0
    text = page.locator(".flyte-nb").inner_text()
    assert not set(text) & set("\x1b\u202e\x00\x07")
    assert len(page.locator(".fnb-live").text_content()) < 50_000
    fits = "view => view.getBoundingClientRect().width <= view.closest('.jp-OutputArea').clientWidth"
    assert page.locator(".fnb-live").evaluate(fits)
    screenshot("run_hostile", direct.output(0))


def test_the_cancel_button_calls_back(direct):
    """It can be pressed once, and is gone when the run is over."""
    page = direct.page
    button = page.get_by_role("button", name="Cancel")
    button.click()
    page.get_by_role("button", name="Cancelling…").wait_for()
    assert page.locator(".fnb-cancel").is_disabled()
    page.get_by_text("interrupt the kernel").wait_for()  # nothing happens, so it says why that may be
    direct.run_cell(3)
    assert direct.output(3).locator("pre").inner_text() == "[True]"
    direct.run_cell(1)
    page.locator(".fnb-cancel").wait_for(state="hidden")


def test_the_cancel_button_ends_the_cell(notebook):
    """The run is cancelled, its view says so, the cell ends with one line, and the button is gone."""
    notebook.start_cell(1)
    page = notebook.page
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_selector(".fnb-run[data-state='cancelled']")
    page.get_by_text("The run was cancelled.").wait_for()
    page.locator(".fnb-cancel").wait_for(state="hidden")
    notebook.run_cell(0)


_COMPUTE = """\
import time
began = []
@ml.task
async def computes(number: int) -> int:
    began.append(number)
    print("computing", number, flush=True)
    end = time.monotonic() + (600 if number else 1)
    while time.monotonic() < end:
        sum(range(1000))
    return number
@ml.task
async def all_of() -> int:
    return sum([await computes(number) for number in range(12)])
"""


def test_the_cancel_button_ends_a_run_that_computes(lab, open_notebook):
    """No further call begins, and the one that computes without ever awaiting is interrupted."""
    cells = _DEFINE, _COMPUTE, "result = %flyte_run all_of()", "print(began)"
    notebook = open_notebook(lab.write("computing.ipynb", *cells))
    notebook.run_cell(0)
    notebook.run_cell(1)
    notebook.start_cell(2)
    page = notebook.page
    page.get_by_text("computing 1").locator("visible=true").first.wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_selector(".fnb-run[data-state='cancelled']")
    page.get_by_text("The run was cancelled.").wait_for()
    notebook.run_cell(3)
    assert notebook.output(3).locator("pre").inner_text().strip() == "[0, 1]"


_MAP_COMPUTING = """\
import time
@ml.task
async def compute(n: int) -> int:
    end = time.monotonic() + 0.2
    while time.monotonic() < end:
        pass
    return n
result = %flyte_run flyte.map(compute, range(200), concurrency=8)
"""


def test_a_map_that_was_cancelled_says_so(lab, open_notebook, screenshot):
    """Also where every call that began has succeeded: what never began is counted, in the view, still and history."""
    notebook = open_notebook(lab.write("computed_map.ipynb", _DEFINE, _MAP_COMPUTING, "%flyte_runs"))
    notebook.run_cell(0)
    notebook.start_cell(1)
    page = notebook.page
    page.locator(".fnb-row[data-kind='group']", has_text=" of 200").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_selector(".fnb-run[data-state='cancelled']")
    notebook.await_idle()
    bar = page.locator(".fnb-run [role='progressbar']")
    begun = int(bar.get_attribute("aria-valuenow"))
    assert bar.get_attribute("aria-valuemax") == "200"
    assert page.locator(".fnb-counts").inner_text().endswith(f"{200 - begun} not begun")
    screenshot("run_map_cancelled", notebook.output(1))
    notebook.run_cell(2)
    assert "⊘ cancelled" in notebook.output(2).inner_text()
    notebook.save()
    still = next(output for output in notebook.lab.read(notebook.name).cells[1].outputs if "data" in output)
    assert f": {begun} calls, " in still.data["text/plain"].splitlines()[-1]
    assert still.data["text/plain"].splitlines()[-1].startswith("cancelled in ")


def test_what_is_pressed_or_has_the_focus_stays_so_when_the_output_is_updated(notebook):
    """A front end draws the view anew each time; the focus is where it was, and a click counts that began before."""
    notebook.start_cell(1)
    _await_running(notebook, "evaluate")
    page, cancel = notebook.page, notebook.page.get_by_role("button", name="Cancel")
    cancel.focus()
    notebook.await_new_place()
    assert page.evaluate("document.activeElement.className") == "fnb-cancel"
    row = notebook.row("evaluate")
    for _ in range(2):  # opens, and closes again: once for each time
        opened = page.locator(".fnb-row-details").count()
        row.hover()
        page.mouse.down()
        notebook.await_new_place()
        page.mouse.up()
        page.wait_for_function("before => document.querySelectorAll('.fnb-row-details').length !== before", arg=opened)
    cancel.hover()
    page.mouse.down()
    notebook.await_new_place()
    page.mouse.up()
    page.wait_for_selector(".fnb-run[data-state='cancelled']")


def test_a_line_can_be_selected_while_the_run_goes_on(notebook):
    """Updates of the output do not take the selection away, also while the button is still down."""
    notebook.start_cell(1)
    _await_running(notebook, "evaluate")
    page = notebook.page
    notebook.row("evaluate").click()
    line = page.locator(".fnb-log .fnb-line").first
    line.wait_for()
    box = line.bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + box["height"] / 2, steps=4)
    notebook.await_new_place()
    page.mouse.move(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    selected = "String(getSelection()).trim()"
    assert page.evaluate(selected) == "first  part"
    notebook.await_new_place()
    assert page.evaluate(selected) == "first  part"
    page.get_by_role("button", name="Cancel").click()
    notebook.await_idle()


def test_a_restarted_kernel_leaves_no_run_going(notebook, screenshot):
    """The view says that the run is lost, its clock stands, and there is nothing to cancel."""
    notebook.start_cell(1)
    page = notebook.page
    page.wait_for_selector(".fnb-run[data-state='running']")
    notebook.restart()
    page.wait_for_selector(".fnb-run[data-state='lost']")
    assert page.locator(".fnb-cancel").is_hidden()
    assert "running" not in page.locator(".fnb-top").inner_text()
    clock = page.locator(".fnb-clock")
    before = clock.inner_text()
    page.wait_for_timeout(500)
    assert clock.inner_text() == before
    screenshot("run_lost", notebook.output(1))


_DEAF_TO_ALL = """\
import signal, time
@ml.task
async def waits() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    await asyncio.sleep(1)
    time.sleep(600)
%flyte_run waits()
"""


def test_a_kernel_that_had_to_be_killed_leaves_no_run_going(lab, open_notebook):
    """As after a restart; but of this no event of the front end tells."""
    notebook = open_notebook(lab.write("killed.ipynb", _DEFINE, _DEAF_TO_ALL))
    notebook.run_cell(0)
    notebook.start_cell(1)
    page = notebook.page
    page.wait_for_selector(".fnb-run[data-state='running']")
    notebook.command("kernelmenu:shutdown")
    page.wait_for_selector(".fnb-run[data-state='lost']")
    assert page.locator(".fnb-cancel").is_hidden()


def test_a_page_that_has_missed_something_asks_for_everything(direct):
    """Servers drop what is too much; the view is right all the same as soon as it hears of anything again."""
    page = direct.page
    direct.run_cell(4)
    assert page.locator(".fnb-run").get_attribute("data-state") == "running"
    direct.run_cell(5)
    page.wait_for_selector(".fnb-run[data-state='succeeded']")
    assert page.locator(".fnb-row[data-state='running']").count() == 0


def test_the_shortcuts_of_the_notebook_work_in_a_view(notebook, lab):
    """Ctrl+S saves, which a view has no use for; letters, which the notebook would take for commands, do nothing."""
    notebook.start_cell(1)
    _await_running(notebook, "evaluate")
    page = notebook.page
    notebook.row("evaluate").focus()
    cells = page.locator(".jp-Cell").count()
    page.keyboard.press("a")
    page.keyboard.press("ArrowUp")
    assert "data.load" in page.evaluate("document.activeElement.innerText")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.classList.contains('jp-Cell')")
    notebook.row("evaluate").focus()
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    saved = lab.read("run.ipynb")
    assert saved.cells[1].outputs
    assert page.locator(".jp-Cell").count() == cells
    page.keyboard.press("Shift+Enter")
    page.wait_for_function("jupyterapp.shell.currentWidget.content.activeCellIndex === 2")
    assert page.locator(".fnb-row-details").count() == 0
    notebook.command("notebook:interrupt-kernel")
    notebook.await_idle()


def test_a_view_that_cannot_be_drawn_leaves_the_still(direct):
    """An error in a live view is told in the console once; what is still can be read, and the page goes on."""
    page, errors = direct.page, []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    direct.run_cell(6)
    still = page.locator(".flyte-nb.fnb-broken")
    still.locator("table").wait_for()
    direct.run_cell(3)
    page.wait_for_timeout(300)
    assert still.locator("table").is_visible()
    assert still.locator(".fnb-live").count() == 0
    assert len([error for error in errors if "flyte_nb" in error]) == 1


def test_closing_the_view_brings_the_still_back(direct):
    """A view that is over leaves the page as it found it."""
    direct.run_cell(2)
    direct.page.locator(".flyte-nb.fnb-test table").wait_for()
    assert direct.page.locator(".fnb-live").count() == 0
