"""Runs as text."""

from __future__ import annotations

import re

import pytest

from flyte_nb.execution.node import RunState
from flyte_nb.view.durations import duration_text
from flyte_nb.view.run_rows import summarise
from flyte_nb.view.run_still import run_bundle
from flyte_nb.view.run_tree import RunTree
from flyte_nb.view.runs import run_text

from .calls import call, end, expecting, many


def test_a_line_for_each_call() -> None:
    """State, inputs, time, attempts, lines and the error where it arose."""
    root = end(call(1, "e.root"), RunState.FAILED, at=2, error="ValueError: bad", arose=3)
    load = end(call(2, "e.load", root, inputs="path='a'"), RunState.CACHED, at=0.25)
    train = end(call(3, "e.train", root, at=0.5), RunState.FAILED, at=2, error="ValueError: bad", arose=3)
    train.attempts = 3
    train.write("stdout", "epoch 1\nepoch 2\n")
    tree = RunTree()
    tree.update([root, load, train])
    assert run_text(summarise(tree)).splitlines() == [
        "✗ e.root()  2.000 s",
        "   ≡ e.load(path='a')  0.250 s",
        "   ✗ e.train()  1.500 s  attempt 3  2 lines  ValueError: bad",
    ]


def test_a_queued_call_says_what_it_waits_for() -> None:
    """In text and in the still, escaped; once it runs it says so no more."""
    made, tree = call(1, "ml.train"), RunTree()
    made.queue("1 GPU, which <b>ml.eval</b> has")
    tree.update([made])
    told = "queued · waits for 1 GPU, which <b>ml.eval</b> has"
    assert run_text(summarise(tree)) == f"◔ ml.train()  {told}"
    html = run_bundle(tree, "fnb-test")["text/html"]
    assert told.replace("<", "&lt;").replace(">", "&gt;") in html
    made.queue()
    assert run_text(summarise(tree)) == "◔ ml.train()"
    made.begin()
    tree.update([made])
    assert "waits" not in run_bundle(tree, "fnb-test")["text/html"]


def test_a_map_says_of_how_many_calls_it_has_begun_some() -> None:
    """The group says it, and the line that sums up; of a run that was stopped they say how many will not begin."""
    root, tree = call(1, "e.root"), RunTree()
    calls = many(10, root)
    tree.update([root, *calls])
    tree.heed(expecting(1_190), is_over=False)
    text = run_text(summarise(tree)).splitlines()
    assert text[1] == "   ► e.work × 10 of 1,200  10 running"
    assert text[-1] == "running: 11 calls, 1,190 to come"
    assert "e.work × 10 of 1,200" in re.sub(r"<[^>]+>", "", run_bundle(tree)["text/html"])
    tree.update([end(made, RunState.CANCELLED, at=1) for made in (root, *calls)])
    tree.heed(expecting(1_190), is_over=True)
    text = run_text(summarise(tree)).splitlines()
    assert text[1] == "   ⊘ e.work × 10 of 1,200  1.000 s  10 cancelled"
    assert text[-1] == "cancelled in 1.000 s: 11 calls, 1,190 not begun"


def test_what_the_whole_has_come_to_is_said_where_its_calls_do_not_tell() -> None:
    """A map that was cancelled while every call that began had succeeded; one that expects failures, and has some."""
    tree = RunTree()
    tree.update([end(call(1, "e.root"), at=1)])
    tree.outcome = RunState.CANCELLED
    assert run_text(summarise(tree)).splitlines()[-1] == "cancelled in 1.000 s: 1 call, 1 succeeded"
    tree.update([end(call(2, "e.root"), RunState.FAILED, at=2)])
    tree.outcome = RunState.SUCCEEDED
    assert run_text(summarise(tree)).splitlines()[-1] == "succeeded in 2.000 s: 2 calls, 1 failed, 1 succeeded"


def test_many_calls_take_a_few_lines() -> None:
    """A group tells its counts, and the last line those of the whole run."""
    root = call(1, "e.root")
    calls = many(10_000, root)
    for made in calls:
        end(made, at=11)
    tree = RunTree()
    tree.update([end(root, at=12), *calls])
    lines = run_text(summarise(tree)).splitlines()
    assert lines[1] == "   ✓ e.work × 10,000  11.000 s  10,000 succeeded"
    assert lines[-2:] == ["      … and 9,995 more", "succeeded in 12.000 s: 10,001 calls"]


@pytest.mark.parametrize("depth", [1, 39, 40, 400])
def test_at_most_forty_lines(depth: int) -> None:
    """However deep the calls are."""
    calls = [call(1)]
    for number in range(2, depth + 1):
        calls.append(call(number, caller=calls[-1]))
    tree = RunTree()
    tree.update(calls)
    lines = run_bundle(tree)["text/plain"].splitlines()
    assert len(lines) == min(depth, 39)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.000 s"), (-1, "0.000 s"), (59.9994, "59.999 s"), (125.2, "2 min 05 s"), (11_520, "3 h 12 min")],
)
def test_durations(seconds: float, text: str) -> None:
    """They are told as people say them."""
    assert duration_text(seconds) == text
