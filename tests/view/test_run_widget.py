"""What the live view of a run sends: the whole once, then differences."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyte_nb.execution.node import RunState
from flyte_nb.view.run_tree import RunTree
from flyte_nb.view.still import new_host
from flyte_nb.view.widgets import run
from flyte_nb.view.widgets.run import RunWidget
from flyte_nb.view.widgets.tail import newer_lines, no_tail

from .calls import BEGAN, call, end, expecting, many

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flyte_nb.execution.call import Call


class Watched:
    """A widget, the tree it shows, and what it has sent."""

    def __init__(self, *calls: Call, on_cancel: Callable[[], None] | None = None) -> None:
        self.tree = RunTree()
        self.tree.update(calls)
        self.widget = RunWidget(self.tree, new_host(), on_cancel)
        self.sent: list[dict[str, Any]] = []
        self.widget.send = self.sent.append
        self.events: list[str] = []
        self.widget.observe(lambda change: self.events.append(change["name"]), ["_run", "_tail"])

    def update(self, *calls: Call, under_way: bool = True) -> dict[str, Any]:
        """Return what is sent when these calls have changed."""
        self.sent.clear()
        self.tree.update(calls)
        self.widget.update(under_way=under_way)
        return self.sent[0] if self.sent else {}


@pytest.fixture
def watch() -> Iterator[Callable[..., Watched]]:
    """Make a watched widget, which is closed after the test."""
    made: list[Watched] = []

    def make(*calls: Call, **options: Any) -> Watched:
        made.append(Watched(*calls, **options))
        return made[-1]

    yield make
    for each in made:
        each.widget.close()


def test_only_what_has_changed_is_sent(watch: Callable[..., Watched]) -> None:
    """Rows that are as they were are not sent, nor is their order; the state a page loads later is right."""
    root = call(1, "e.root")
    calls = [root, *many(3, root)]
    watched = watch(*calls)
    message = watched.update(end(calls[2], at=1))
    assert (set(message), set(message["rows"])) == ({"rows", "head"}, {"c3"})
    assert message["head"]["counts"] == {"running": 3, "succeeded": 1}
    assert watched.events == []
    assert watched.widget.get_state("_run")["_run"]["rows"]["c3"]["state"] == "succeeded"
    new = call(5, caller=root)
    assert set(watched.update(new)) == {"rows", "order", "head"}
    assert watched.update() == {}


def test_what_a_call_waits_for_is_sent_when_it_changes(watch: Callable[..., Watched]) -> None:
    """Though the state is the same; when the call runs, it waits for nothing."""
    made = call(1, "ml.train")
    made.queue("its turn: 2 are ahead")
    watched = watch(made)
    assert watched.widget.get_state("_run")["_run"]["rows"]["c1"]["waiting"] == "its turn: 2 are ahead"
    made.queue("1 GPU, which ml.eval has")
    assert watched.update(made)["rows"]["c1"]["waiting"] == "1 GPU, which ml.eval has"
    made.begin()
    assert watched.update(made)["rows"]["c1"]["waiting"] == ""


def test_ten_thousand_changes_are_a_short_message(watch: Callable[..., Watched]) -> None:
    """Rows that are no longer shown are forgotten."""
    root = call(1, "e.root")
    calls = many(10_000, root)
    watched = watch(root, *calls[:5])
    assert len(watched.widget._run["rows"]) == 6
    message = watched.update(*(end(each, at=11) for each in calls))
    assert len(json.dumps(message)) < 10_000
    assert set(watched.widget._run["rows"]) == set(message["order"]) == {"c1", "g2", "mg2", *message["order"][2:7]}


def test_more_rows_are_sent_at_once_and_are_known_to_a_page_that_is_loaded_later(
    watch: Callable[..., Watched],
) -> None:
    """Only the new rows are told; when one of them changes only that is; and what is no choice opens nothing."""
    root = call(1, "e.root")
    calls = [end(made, at=11) for made in many(10_000, root)]
    running = calls[7_000]
    running.state, running.ended = RunState.RUNNING, None
    watched = watch(root, *calls)
    watched.widget._hear(watched.widget, {"chosen": {"_more": {"mg2": 50}}}, None)
    (message,) = watched.sent
    assert (set(message), len(message["rows"])) == ({"rows", "order"}, 51)
    assert message["rows"]["mg2"]["opens"] == 100
    assert len(json.dumps(message)) < 25_000
    state = watched.widget.get_state(["_run", "_more"])
    assert (state["_run"]["order"], state["_more"]) == (message["order"], {"mg2": 50})
    assert set(state["_run"]["rows"]) == set(message["order"])
    message = watched.update(end(running, RunState.FAILED, at=12))
    assert set(message["rows"]) == {f"c{running.id}", "g2"}
    assert watched.update() == {}
    watched.widget._hear(watched.widget, {"chosen": {"_more": {"mg2": "many", "mg3": None, "no such": 50}}}, None)
    assert len(watched.widget._run["order"]) == 8


def test_what_is_opened_after_the_end_says_that_it_has_ended(watch: Callable[..., Watched]) -> None:
    """Whoever looks at it then does not make it run again."""
    root = call(1, "e.root")
    calls = many(100, root)
    watched = watch(root, *calls)
    watched.update(*(end(made, at=1) for made in (root, *calls)), under_way=False)
    watched.widget._hear(watched.widget, {"chosen": {"_more": {"mg2": 50}}}, None)
    assert set(watched.sent[-1]) == {"rows", "order"}
    assert watched.widget._run["head"]["state"] == "succeeded"


def test_the_last_lines_of_the_open_row_follow(watch: Callable[..., Watched]) -> None:
    """What the page opens is sent at once, and then what comes, with the last line as far as it is written."""
    talking = call(1)
    talking.write("stdout", "one\ntwo\nthr")
    watched = watch(talking)
    watched.widget.set_state({"_opened": "c1"})
    assert watched.sent[-1] == {
        "tail": {"key": "c1", "at": 0, "first": 0, "lines": [("stdout", "one"), ("stdout", "two"), ("stdout", "thr")]}
    }
    talking.write("stderr", "oh\n")
    talking.write("stdout", "ee\n4\n5\n6\n7\n")
    watched.update()
    assert [text for _, text in watched.widget._tail["lines"]] == ["one", "two", "three", "oh", "4", "5", "6", "7"]
    talking.write("stdout", "8\n")
    tail = watched.update()["tail"]
    assert (tail["at"], [text for _, text in tail["lines"]]) == (4, ["4", "5", "6", "7", "8"])
    assert "tail" not in watched.update()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 300), max_size=8))
def test_the_lines_that_are_kept_are_the_last(writes: list[int]) -> None:
    """However many lines come between two updates, the page and Python end with the last two hundred."""
    numbers, talking = count(), call(1)
    watched = Watched(talking)
    watched.widget.set_state({"_opened": "c1"})
    first, lines = 0, []
    for many_lines in writes:
        talking.write("stdout", "".join(f"{next(numbers)}\n" for _ in range(many_lines)))
        tail = watched.update().get("tail")
        if tail:  # as run.js merges it
            lines = lines[max(0, tail["first"] - first) : max(0, tail["at"] - first)] + tail["lines"]
            first = tail["first"]
    total = sum(writes)
    assert [int(text) for _, text in lines] == list(range(total))[-200:]
    assert watched.widget._tail["lines"] == lines
    watched.widget.close()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 450), st.integers(0, 450)), max_size=6))
def test_lines_that_come_while_the_lines_are_read_are_not_lost(writes: list[tuple[int, int]]) -> None:
    """However many come between counting them and reading them, the page ends with those that Python has."""
    everything: list[tuple[str, str]] = []
    tail, page = no_tail(), {"key": "", "first": 0, "lines": []}

    def say(count: int) -> None:
        everything.extend(("stdout", str(len(everything))) for _ in range(count))

    for before, meanwhile in writes:
        say(before)

        def read(start: int, late: int = meanwhile) -> list[tuple[str, str]]:
            say(late)
            return everything[start:]

        told = newer_lines(tail, "c1", len(everything), read).get("tail")
        if told:  # as log.js merges it
            kept = page["lines"] if page["key"] == told["key"] else []
            known = kept[max(0, told["first"] - page["first"]) : max(0, told["at"] - page["first"])]
            page = {"key": told["key"], "first": told["first"], "lines": [*known, *told["lines"]]}
        assert (page["first"], page["lines"]) == (tail["first"], tail["lines"])
        assert not told or page["lines"] == everything[-200:]


def test_the_open_row_stays_when_its_call_ends(watch: Callable[..., Watched]) -> None:
    """Of a group only a few calls have rows; the one that is open is among them, with the callers that led to it."""
    root = call(1, "e.root")
    calls = many(1_000, root)
    inner = call(2_000, "e.inner", calls[2])
    watched = watch(root, *calls, inner)
    watched.widget.set_state({"_opened": "c2000"})
    for each in (*calls, inner):
        end(each, at=9 if each.id < 900 else 99)
    order = watched.update(*calls, inner)["order"]
    assert len(order) == 9
    assert order[order.index("c4") + 1] == "c2000"
    assert watched.widget._run["rows"]["c2000"]["state"] == "succeeded"
    watched.widget.set_state({"_opened": ""})
    watched.update(end(root, at=100))
    assert not {"c4", "c2000"} & set(watched.widget._run["order"])


def test_a_run_goes_on_as_long_as_one_of_its_calls_does(watch: Callable[..., Watched]) -> None:
    """Its clock stands when the last has ended, though the root has failed; there is nothing more to cancel."""
    root = call(1, "e.root")
    other = call(2, "e.other", root)
    watched = watch(root, other, on_cancel=lambda: None)
    head = watched.update(end(root, RunState.FAILED, at=1, error="E: bad"), under_way=False)["head"]
    assert (head["state"], head["ended"], watched.widget._cancellable) == ("running", None, False)
    head = watched.update(end(other, at=7), under_way=False)["head"]
    assert (head["state"], head["ended"]) == ("failed", 7.0)


def test_what_a_run_will_still_take_is_told_once(watch: Callable[..., Watched], monkeypatch: Any) -> None:
    """The page counts down by itself; one that is loaded later knows what is left then, and the end leaves nothing."""
    now = [BEGAN + 2]
    monkeypatch.setattr(run, "time", lambda: now[0])
    root = call(1, "e.root")
    watched = watch(root)
    assert watched.widget._run["head"]["left"] is None
    watched.widget.expect(10)
    assert watched.update()["head"] == {**watched.widget._run["head"], "elapsed": 2, "left": 8}
    now[0] = BEGAN + 5
    assert watched.update() == {}
    head = watched.widget.get_state("_run")["_run"]["head"]
    assert (head["elapsed"], head["left"]) == (5, 5)
    now[0] = BEGAN + 50
    assert watched.update() == {}
    assert watched.widget._run["head"]["left"] == 0
    assert watched.update(end(root, at=60), under_way=False)["head"]["left"] is None


def test_what_is_left_is_told_again_when_it_is_otherwise(watch: Callable[..., Watched], monkeypatch: Any) -> None:
    """Of a map it is known better and better; a page that is right by itself hears nothing."""
    now = [BEGAN + 10]
    monkeypatch.setattr(run, "time", lambda: now[0])
    root = call(1, "e.root")
    calls = many(2, root)
    for made in calls:
        made.started = BEGAN
    watched = watch(root, *calls, end(call(4, caller=root), at=10), end(call(5, caller=root), at=10))
    watched.tree.heed(expecting(8), is_over=False)
    assert watched.update()["head"]["left"] == 40
    now[0] += 10
    assert watched.update()["head"]["left"] == 80  # calls take twice as long as they did
    now[0] += 1
    assert watched.update() == {}
    assert watched.widget.get_state("_run")["_run"]["head"]["left"] == 84
    message = watched.update(*[end(made, at=20) for made in calls])
    assert (message["head"]["left"], message["head"]["to_come"], message["head"]["total"]) == (120, 8, 13)


def test_cancel(watch: Callable[..., Watched]) -> None:
    """The button is there while the run goes on, if there is something to call."""
    pressed: list[bool] = []
    root = call(1)
    watched = watch(root, on_cancel=lambda: pressed.append(True))
    assert watched.widget._cancellable
    watched.widget._handle_custom_msg({"something": "else"}, [])
    watched.widget._handle_custom_msg({"cancel": True}, [])
    assert pressed == [True]
    watched.update(end(root, RunState.CANCELLED, at=1), under_way=False)
    assert not watched.widget._cancellable
    watched.widget._handle_custom_msg({"cancel": True}, [])
    assert pressed == [True]
    assert not watch(call(1)).widget._cancellable


def test_text_that_cannot_be_sent_is_not_sent(watch: Callable[..., Watched]) -> None:
    """A lone surrogate would break the connection to the page."""
    odd = end(call(1, "\ud800", inputs="\ud800"), RunState.FAILED, at=1, error="\ud800")
    odd.write("\ud800", "\ud800\n")
    watched = watch(odd)
    watched.widget.set_state({"_opened": "c1"})
    json.dumps(watched.widget.get_state(["_run", "_tail"]), ensure_ascii=False).encode()
    json.dumps(watched.sent, ensure_ascii=False).encode()


def test_the_clock_is_right_for_a_page_that_is_loaded_later(watch: Callable[..., Watched]) -> None:
    """The time that has passed is kept current, though it is not sent again and again."""
    began = call(1)
    watched = watch(began)
    before = watched.widget._run["head"]["elapsed"]
    assert watched.update() == {}
    assert watched.widget._run["head"]["elapsed"] >= before > 0
    assert watched.update(end(began, at=2.5), under_way=False)["head"]["ended"] == 2.5
