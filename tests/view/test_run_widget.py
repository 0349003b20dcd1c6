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
from flyte_nb.view.widgets.run import RunWidget

from .calls import call, end, many

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
