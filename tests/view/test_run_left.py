"""How long a run will probably still take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.execution.node import RunState
from flyte_nb.view.run_left import seconds_left
from flyte_nb.view.run_tree import RunTree

from .calls import BEGAN, call, end, expecting


def mapped(ended: dict[float, int], running: dict[float, int], to_come: int, *, caller: int | None = 1) -> RunTree:
    """Return the tree of a call that maps, or of a map by itself.

    Args:
        ended: How many calls have taken so many seconds.
        running: How many calls have begun at so many seconds.
        to_come: How many have not begun.
        caller: Who maps.
    """
    root = call(1, "e.root")
    calls = [end(call(0, at=0), at=took) for took, count in ended.items() for _ in range(count)]
    calls += [call(0, at=at) for at, count in running.items() for _ in range(count)]
    for number, made in enumerate(calls, 2):
        made.id, made.parent = number, caller
    tree = RunTree()
    tree.update([root, *calls] if caller else calls)
    tree.heed(expecting(to_come, caller=caller), is_over=False)
    return tree


def left(tree: RunTree, *, after: float = 10, usual: float | None = None) -> float | None:
    return seconds_left(tree, BEGAN + after, after, usual)


def test_without_maps_it_is_what_such_runs_have_taken() -> None:
    """Less what has passed, and no less than nothing."""
    tree = RunTree()
    tree.update([call(1, "e.root")])
    assert left(tree) is None
    assert left(tree, usual=15) == 5
    assert left(tree, usual=5) == 0


def test_a_map_goes_on_as_it_has_gone() -> None:
    """Its calls take as long as those before, and as many run at once; of those that run a part is done."""
    assert left(mapped({1: 10}, {10: 1}, 30)) == 31
    assert left(mapped({10: 10}, {10: 10}, 0)) == 10
    assert left(mapped({10: 10}, {10: 10}, 30), after=15) == 35
    assert left(mapped({10: 10}, {10: 10}, 30), after=25) == 45  # it takes fifteen seconds now, if not more


def test_what_was_kept_from_before_says_nothing_of_how_long_it_takes() -> None:
    """A map that is run again after it was stopped finds the results of its first calls at once."""
    tree = mapped({5: 10}, {5: 10}, 380)
    kept = [end(call(100 + n), RunState.CACHED, at=0) for n in range(600)]
    for made in kept:
        made.parent = 1
    tree.update(kept)
    tree.heed(expecting(380), is_over=False)
    assert left(tree, after=5) == 195


def test_a_map_that_has_just_begun_tells_nothing() -> None:
    """Before as many have ended as are running, nobody knows how long one takes; nor is another map the whole."""
    assert left(mapped({1: 3}, {1: 4}, 100)) is None
    assert left(mapped({}, {}, 100)) is None
    tree = mapped({1: 10}, {10: 1}, 30)
    journal = expecting(30)
    journal.expect(1, "e.other", 1, maps=1)
    tree.heed(journal, is_over=False)
    assert left(tree) is None
    assert left(tree, usual=100) == 90


@pytest.mark.parametrize(("usual", "expected"), [(100, 90), (15, 31), (None, 31)])
def test_the_longer_of_both_counts(usual: float | None, expected: float) -> None:
    """Who maps has something to do before or after it, of which earlier runs know."""
    assert left(mapped({1: 10}, {10: 1}, 30), usual=usual) == expected


def test_where_a_map_is_the_run_its_first_call_is_no_measure() -> None:
    """What one call has taken says nothing of forty."""
    assert left(mapped({1: 10}, {10: 1}, 30, caller=None), usual=1000) == 31
    assert left(mapped({1: 3}, {1: 4}, 100, caller=None), usual=1000) is None


@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 5_000))
def test_more_to_come_takes_longer(done: int, running: int, to_come: int) -> None:
    """Of any map that can tell; and nothing that is left takes no time."""
    now = left(mapped({2: done}, {9: running}, to_come))
    later = left(mapped({2: done}, {9: running}, to_come + 1))
    if running > done:
        assert (now, later) == (None, None) if to_come or running else now == 0
    else:
        assert now is not None
        assert later is not None
        assert later > now >= 0
        assert (now == 0) == (not running and not to_come)
