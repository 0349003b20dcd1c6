"""Which calls of a run are shown, and what is said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from flyte_nb.execution.node import RunState
from flyte_nb.view.run_choice import MOST_OPENED, OPENED_AT_ONCE
from flyte_nb.view.run_rows import MOST_ROWS, Summary, summarise
from flyte_nb.view.run_tree import RunTree

from .calls import call, end, many

if TYPE_CHECKING:
    from flyte_nb.execution.call import Call

FAILED_STATES = [RunState.FAILED, RunState.TIMED_OUT, RunState.LOST]


def summary_of(*calls: Call, under_way: bool = False, most: int = MOST_ROWS) -> Summary:
    tree = RunTree()
    tree.update(calls)
    return summarise(tree, under_way=under_way, most=most)


def broad(levels: int, wide: int) -> list[Call]:
    """Return a tree in which every call but the last calls `wide` others."""
    level = [call(1, "e.root")]
    calls = list(level)
    for _ in range(levels):
        level = [call(0, f"e.t{n}", caller) for caller in level for n in range(wide)]
        for number, made in enumerate(level, start=len(calls) + 1):
            made.id = number
        calls += level
    return calls


def test_rows_come_in_the_order_of_the_tree() -> None:
    """A caller comes before what it called, indented, in the order in which that began."""
    root = call(1, "e.root")
    load, train = call(2, "e.load", root), call(3, "e.train", root)
    step, save = call(4, "e.step", load), call(5, "e.load", root)
    rows = summary_of(root, load, train, step, save).rows
    assert [(row.key, row.depth) for row in rows] == [("c1", 0), ("c2", 1), ("c4", 2), ("c3", 1), ("c5", 1)]


def test_ten_thousand_calls_take_a_few_rows() -> None:
    """They are a group with its counts, five by themselves, and how many more there are."""
    root = call(1, "e.root")
    calls = many(10_000, root)
    for made in calls:
        end(made, at=11)
    end(calls[77], RunState.TIMED_OUT, at=11, error="TaskTimeoutError: late")
    rows = summary_of(root, *calls).rows
    assert [row.kind for row in rows] == ["call", "group", *["call"] * 5, "more"]
    assert (rows[1].size, rows[1].counts, rows[1].state) == (10_000, {"timed out": 1, "succeeded": 9_999}, "timed out")
    assert (rows[2].key, rows[2].error, rows[2].loud) == ("c79", "TaskTimeoutError: late", True)
    assert (rows[-1].size, rows[-1].depth) == (9_995, 2)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 5), st.integers(1, 9), st.integers(3, 60))
def test_no_more_rows_than_asked_for(levels: int, wide: int, most: int) -> None:
    """However deep and broad a run is, its rows are few, and every call of it is shown or counted."""
    calls = broad(levels, wide if levels < 5 else 3)
    rows = summary_of(*calls, most=most).rows
    assert len(rows) <= most
    shown = {row.key for row in rows if row.kind == "call"}
    told = {made.parent for made in calls[1:] if f"c{made.id}" not in shown and f"c{made.parent}" in shown}
    hidden = sum(row.hidden or (row.size if row.kind == "more" else 0) for row in rows)
    assert hidden == sum(made.parent in told and f"c{made.id}" not in shown for made in calls)


def test_the_way_to_a_failure_is_shown_first() -> None:
    """Among thousands of calls the failed one and its callers have their rows."""
    calls = broad(4, 8)
    bad = calls[-3]
    failed: Call | None = bad
    while failed:
        end(failed, RunState.FAILED, at=1, error="ValueError: bad", arose=bad.id)
        failed = calls[failed.parent - 1] if failed.parent else None
    rows = summary_of(*calls, most=40).rows
    assert [(row.key, row.loud) for row in rows if row.error][-1] == (f"c{bad.id}", True)
    assert [row.loud for row in rows if row.error] == [False] * 4 + [True]


def test_an_error_from_a_call_that_is_not_shown_is_told_by_its_caller() -> None:
    """It must be told somewhere."""
    root = end(call(1, "e.root"), RunState.FAILED, at=1, error="ValueError: bad", arose=999)
    assert summary_of(root).rows[0].loud


def test_offsets_are_from_the_beginning_of_the_run() -> None:
    """Bars need nothing else."""
    root = call(1, "e.root")
    part = end(call(2, caller=root, at=1.5), at=2.25)
    summary = summary_of(end(root, at=3), part)
    assert [(row.started, row.ended) for row in summary.rows] == [(0, 3), (1.5, 2.25)]
    assert (summary.ended, summary.state, summary.done, summary.total) == (3, "succeeded", 2, 2)


def test_a_run_goes_on_while_another_root_may_begin() -> None:
    """Between two roots it is running, whatever became of the first."""
    summary = summary_of(end(call(1), at=1), under_way=True)
    assert (summary.state, summary.ended) == ("running", None)


def test_the_run_is_what_its_most_urgent_root_is() -> None:
    """One failed root makes a failed run; a failure that a root survived does not."""
    survived = call(2)
    assert summary_of(end(call(1), at=1), end(survived, RunState.FAILED, at=1)).state == "failed"
    root = end(call(1), at=2)
    assert summary_of(root, end(call(2, caller=root), RunState.FAILED, at=1)).state == "succeeded"


def test_roots_that_are_not_shown_count() -> None:
    """When there is no room for all, the run still lasts from its first root to the end of its last."""
    roots = [end(call(1 + n, f"e.t{n}", at=n), at=n + 1) for n in range(300)]
    end(roots[250], RunState.FAILED, at=251, error="ValueError: bad")
    summary = summary_of(*roots)
    assert (len(summary.rows), summary.rows[-1].size, summary.ended) == (MOST_ROWS, 101, 300)
    assert summary.state == "failed"
    assert [row.task for row in summary.rows if row.loud] == ["e.t250"]


def test_a_cancelled_call_says_no_more_than_that() -> None:
    """Its state tells it. A message is told."""
    quiet = end(call(1), RunState.CANCELLED, at=1, arose=1)
    loud = end(call(2), RunState.CANCELLED, at=1, error="SystemExit: 1", arose=2)
    assert [row.loud for row in summary_of(quiet, loud).rows] == [False, True]


def test_a_failure_too_deep_to_be_shown_is_told_once() -> None:
    """Of the callers that passed it on, the last one that is shown tells it."""
    chain = [call(1)]
    for number in range(2, 60):
        chain.append(call(number, caller=chain[-1]))
    for made in chain:
        end(made, RunState.FAILED, at=1, error="ValueError: bottom", arose=59)
    rows = summary_of(*chain, most=40).rows
    assert [row.key for row in rows if row.loud] == [rows[-1].key]


def test_a_run_that_called_nothing() -> None:
    """There are no rows, and nothing breaks."""
    assert summary_of() == Summary((), "running", {}, 0.0, 0.0)


def test_the_last_line_is_told() -> None:
    """What a call said last stands in its row, and more can be had."""
    talking = call(1)
    talking.write("stdout", "first\n\x1b[31msecond\x1b[0m\nthird")
    summary = summary_of(talking)
    assert (summary.rows[0].lines, summary.rows[0].last_line) == (3, "third")
    assert [line.text for line in summary.logs("c1", 2)][-1] == "third"
    assert summary.logs("no such row", 2) == []


def opened_all_the_way(tree: RunTree, key: str) -> Summary:
    """Return the run as it is when the row `key` has been opened as often as that can be done."""
    opened: dict[str, int] = {}
    while True:
        summary = summarise(tree, opened=opened)
        more = next((row for row in summary.rows if row.key == key), None)
        if more is None or not more.opens:
            return summary
        assert more.opens > more.opened == opened.get(key, 0)
        opened[key] = more.opens


def test_every_failed_one_of_ten_thousand_can_be_reached() -> None:
    """Opened again and again, the row that counts the others gives all that failed, and then what was cancelled."""
    root = call(1, "e.root")
    calls = many(10_000, root)
    for made in calls:
        end(made, FAILED_STATES[made.id % 3] if made.id % 29 == 0 else RunState.SUCCEEDED, at=20)
    end(calls[9_000], RunState.CANCELLED, at=9.1)
    tree = RunTree()
    tree.update([root, *calls])
    failed = [f"c{made.id}" for made in calls if made.state in FAILED_STATES]
    once = [row.key for row in summarise(tree, opened={"mg2": OPENED_AT_ONCE}).rows]
    assert once == ["c1", "g2", *failed[: 5 + OPENED_AT_ONCE], "mg2"]
    last = opened_all_the_way(tree, "mg2").rows
    keys = [row.key for row in last if row.kind == "call" and row.depth == 2]
    assert (keys[: len(failed) + 1], len(keys)) == ([*failed, f"c{calls[9_000].id}"], 5 + MOST_OPENED)
    assert (last[-1].size, last[-1].opened, last[-1].opens) == (10_000 - 5 - MOST_OPENED, MOST_OPENED, 0)


def test_what_is_opened_comes_by_urgency() -> None:
    """What failed, was cancelled, is tried again, runs, took longest, waits: each once, and then no more."""
    root = call(1, "e.root")
    calls = many(60, root)
    tree = RunTree()
    for made in calls[40:]:
        made.queue()
    tree.update([root, *calls])
    for made in calls[:30]:
        end(made, at=30 - made.id / 10)
    for made in calls[10:20]:
        end(made, RunState.CANCELLED, at=1)
    for made in calls[20:27]:
        end(made, RunState.FAILED, at=1)
    calls[38].state = RunState.RETRYING
    tree.update(calls)
    before = [row.key for row in summarise(tree).rows]
    rows = summarise(tree, opened={"mg2": OPENED_AT_ONCE}).rows
    assert [row.key for row in rows][:7] == before[:7]
    order = [row.state for row in rows[2:-1]]
    expected = [("failed", 7), ("cancelled", 10), ("retrying", 1), ("running", 9), ("succeeded", 13), ("queued", 15)]
    assert order == [state for state, count in expected for _ in range(count)]
    everything = opened_all_the_way(tree, "mg2").rows
    assert {row.key for row in everything} == {"c1", "g2", *(f"c{made.id}" for made in calls)}


def test_what_is_opened_takes_no_room_from_the_rest() -> None:
    """What is shown before is shown after, and what was opened last is not what is closed when it becomes too much."""
    root = call(1, "e.root")
    several = [call(2 + n, f"e.t{n}", root) for n in range(900)]
    crowd = many(900, several[-1], "e.work")
    tree = RunTree()
    tree.update([root, *several, *crowd])
    before = summarise(tree)
    assert (len(before.rows), before.rows[-1].opens) == (MOST_ROWS, OPENED_AT_ONCE)
    opened = {"mc1": OPENED_AT_ONCE}
    rows = summarise(tree, opened=opened).rows
    assert [row.key for row in rows if row.key in {each.key for each in before.rows}] == [
        row.key for row in before.rows
    ]
    assert (len(rows), rows[-1].size) == (MOST_ROWS + OPENED_AT_ONCE, before.rows[-1].size - OPENED_AT_ONCE)
    rows = summarise(tree, opened={"mc1": MOST_OPENED, "mg901": 100}).rows
    assert rows[-1].opened == MOST_OPENED - 100
    for hostile in ({"mc1": 10**9}, {"mc1": -1}, {f"m{n}": 1 for n in range(10_000)}):
        assert len(summarise(tree, opened=hostile).rows) <= MOST_ROWS + MOST_OPENED


def test_the_open_row_keeps_its_place_among_the_opened() -> None:
    """Looking at a call that was opened moves no row."""
    root = call(1, "e.root")
    calls = [end(made, at=9) for made in many(600, root)]
    tree = RunTree()
    tree.update([root, *calls])
    rows = summarise(tree, opened={"mg2": 100}).rows
    looked_at = [made for made in calls if f"c{made.id}" == rows[60].key]
    kept = summarise(tree, opened={"mg2": 100}, kept=looked_at).rows
    assert [row.key for row in kept] == [row.key for row in rows]
