"""The tree of a run that is kept current equals one made from scratch, whatever happened in which order."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyte_nb.execution.journal import Journal
from flyte_nb.execution.node import RunState
from flyte_nb.view.run_crowd import EXEMPLARS, FAILED, RUNNING
from flyte_nb.view.run_rows import summarise
from flyte_nb.view.run_tree import MOST_ALIKE, Group, MapProgress, RunTree, finished_tree

from .calls import BEGAN, call, end, many

if TYPE_CHECKING:
    from flyte_nb.execution.call import Call

FINAL = [state for state in RunState if state.is_final]


class FromScratch:
    """What a tree says of calls as they stand, found by sorting all of them."""

    def __init__(self, calls: list[Call]) -> None:
        self._calls = sorted(calls, key=lambda made: made.id)
        self._known = {made.id for made in calls}
        self.counts = Counter(made.state for made in calls)
        self.is_over = all(state.is_final for state in self.counts)
        self.ended = max([0.0, *(made.ended for made in calls if made.ended)])
        self.to_come, self.not_begun, self.outcome = 0, 0, None

    def below(self, caller: int | None, _kept: Any = (), more: Any = lambda _first: 0) -> list[Any]:
        """Return calls, and groups where they are many."""
        called = [made for made in self._calls if (made.parent if made.parent in self._known else None) == caller]
        found: list[tuple[int, Any]] = []
        for task in {made.task for made in called}:
            alike = [made for made in called if made.task == task]
            found += (
                [(alike[0].id, _group(alike, more(alike[0].id)))]
                if len(alike) > MOST_ALIKE
                else [(a.id, a) for a in alike]
            )
        return [item for _, item in sorted(found, key=lambda entry: entry[0])]

    def called(self, caller: int) -> int:
        return sum(made.parent == caller for made in self._calls)


def _group(alike: list[Call], more: int) -> Group:
    def rank(made: Call) -> tuple[int, float, int]:
        if made.state in FAILED:
            return 0, 0.0, made.id
        if made.state in RUNNING:
            return 3, made.started, made.id
        return 4, made.started - (made.ended or 0.0), made.id

    def rank_of_others(made: Call) -> tuple[int, float, int]:
        special = {RunState.CANCELLED: (1, 0.0), RunState.RETRYING: (2, made.started), RunState.QUEUED: (5, 0.0)}
        return (*special[made.state], made.id) if made.state in special else rank(made)

    shown = sorted((made for made in alike if made.state is not RunState.QUEUED), key=rank)[:EXEMPLARS]
    if more:
        others = sorted((made for made in alike if made not in shown), key=rank_of_others)
        shown += others[: EXEMPLARS + more - len(shown)]
    over = all(made.state.is_final for made in alike)
    ended = max(made.ended or 0.0 for made in alike) if over else None
    counts = Counter(made.state for made in alike)
    return Group(alike[0], counts, tuple(shown[:EXEMPLARS]), ended, tuple(shown[EXEMPLARS:]))


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Call], list[tuple[int, RunState, float]], set[int]]:
    """Return calls, what happens to them in which order, and after which of these steps somebody looks."""
    calls: list[Call] = []
    for number in range(1, draw(st.integers(1, 70)) + 1):
        caller = draw(st.sampled_from([None, *calls[:3]]))
        calls.append(call(number, draw(st.sampled_from("aab")), caller, at=draw(st.integers(0, 5))))
        if draw(st.booleans()):
            calls[-1].queue()
    steps = draw(
        st.lists(st.tuples(st.integers(0, len(calls) - 1), st.sampled_from(list(RunState)), st.integers(5, 9)))
    )
    return calls, steps, draw(st.sets(st.integers(0, 40)))


@settings(max_examples=200, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_kept_current_is_as_good_as_made_from_scratch(
    history: tuple[list[Call], list[tuple[int, RunState, float]], set[int]], random: Any
) -> None:
    """For random trees and random orders of changes, whoever looks when: groups, counts and rows are the same."""
    calls, steps, looks = history
    opened = {f"mg{made.id}": 3 * made.id for made in calls[:9]}
    tree = RunTree()
    tree.update(calls)
    for number, (index, state, at) in enumerate(steps):
        made = calls[index]
        if made.state.is_final:
            continue
        if state is RunState.QUEUED:
            made.queue(f"reason {number}")
        elif state.is_final:
            end(made, state, at=at, error="E" if state in FAILED else "")
        elif made.state is RunState.QUEUED:
            made.state, made.started = state, BEGAN + at
        else:
            made.state = state
        if number in looks:
            seen = list(calls)
            random.shuffle(seen)
            tree.update(seen)
            summarise(tree, opened=opened if number % 2 else {})
    tree.update(calls)
    scratch: Any = FromScratch(calls)
    assert summarise(tree) == summarise(scratch)
    assert summarise(tree, most=12) == summarise(scratch, most=12)
    assert summarise(tree, opened=opened) == summarise(scratch, opened=opened)
    assert dict(tree.counts) == dict(scratch.counts)


def test_who_waited_in_between_is_shown_once() -> None:
    """A call that ran, was queued and runs again since later is one of those that run longest, once, in its place."""
    root = call(1, "e.root")
    alike, tree = many(MOST_ALIKE + 1, root), RunTree()
    tree.update([root, *alike])
    first = alike[0]
    first.queue("1 core: none is free")
    tree.update([first])
    first.begin()
    first.started = alike[2].started + 0.0005
    tree.update([first])
    (group,) = tree.below(1)
    assert isinstance(group, Group)
    assert [made.id for made in group.exemplars] == [alike[at].id for at in (1, 2, 0, 3, 4)]


def test_few_calls_alike_are_shown_one_by_one() -> None:
    """Eight calls of one task are eight calls; nine are a group."""
    root = call(1, "e.root")
    few, tree = many(MOST_ALIKE + 1, root), RunTree()
    tree.update([root, *few[:-1]])
    assert tree.below(1) == few[:-1]
    tree.update([few[-1]])
    (group,) = tree.below(1)
    assert isinstance(group, Group)
    assert group.size == MOST_ALIKE + 1


def test_failed_then_longest_running_then_slowest() -> None:
    """These are shown of a group, in this order."""
    root = call(1, "e.root")
    calls, tree = many(1000, root), RunTree()
    for made in calls[3:]:
        end(made, at=2 + (made.id == 700) + 2 * (made.id == 600))
    end(calls[500], RunState.FAILED, at=3, error="ValueError: bad")
    tree.update([root, *calls])
    (group,) = tree.below(1)
    assert isinstance(group, Group)
    assert [made.id for made in group.exemplars] == [502, 2, 3, 4, 600]
    assert group.counts == {RunState.RUNNING: 3, RunState.FAILED: 1, RunState.SUCCEEDED: 996}


def test_a_call_of_somebody_outside_is_a_root() -> None:
    """A run inside a task shows what it called itself."""
    tree = RunTree()
    tree.update([call(7, caller=call(3))])
    assert [made.id for made in tree.below(None) if not isinstance(made, Group)] == [7]


def sum_of(calls: list[Call]) -> float:
    """Return how many seconds calls have taken in all."""
    return sum((made.ended or 0.0) - made.started for made in calls)


def test_maps_say_how_many_calls_are_to_come() -> None:
    """Those of one task by one caller are one group, of however many maps; a caller that has ended calls none."""
    root = call(1, "e.root")
    calls = [*many(MOST_ALIKE + 1, root), call(100, "e.other", root)]
    tree = RunTree()
    tree.update([root, *calls])
    journal = Journal()
    for task, to_come in (("e.work", 20), ("e.work", 5), ("e.other", 70)):
        journal.expect(1, task, to_come, maps=1)
    tree.heed(journal, is_over=False)
    for made in calls[:-1]:
        end(made, at=1)
    tree.update(calls)
    summary = summarise(tree)
    group = summary.rows[1]
    assert (group.size, group.whole, group.ended, summary.to_come) == (MOST_ALIKE + 1, MOST_ALIKE + 26, None, 95)
    assert list(tree.maps()) == [
        MapProgress(is_root=False, to_come=25, done=MOST_ALIKE + 1, worked=pytest.approx(sum_of(calls[:-1]))),
        MapProgress(is_root=False, to_come=70, running=(BEGAN,)),
    ]
    journal.expect(1, "e.other", 0, maps=-1)
    tree.heed(journal, is_over=False)
    assert (tree.to_come, tree.not_begun) == (25, 70)
    tree.update([end(root, RunState.CANCELLED, at=2)])
    tree.heed(journal, is_over=False)
    summary = summarise(tree)
    assert (tree.to_come, tree.not_begun, list(tree.maps())) == (0, 95, [])
    assert (summary.rows[1].whole, summary.rows[1].ended, summary.not_begun) == (MOST_ALIKE + 26, 1.0, 95)


def test_a_map_of_somebody_outside_is_a_root() -> None:
    """As its calls are. Of one that has begun none yet nothing but their number is known."""
    tree = RunTree()
    journal = Journal()
    journal.expect(77, "e.work", 3, maps=1)
    tree.heed(journal, is_over=False)
    assert list(tree.maps()) == [MapProgress(is_root=True, to_come=3)]
    tree.update([call(78, "e.work"), queued := call(79, "e.work")])
    assert list(tree.maps()) == [MapProgress(is_root=True, to_come=3, running=(BEGAN, BEGAN))]
    queued.queue()
    tree.update([queued])
    assert list(tree.maps()) == [MapProgress(is_root=True, to_come=4, running=(BEGAN,))]
    tree.heed(journal, is_over=True)
    assert (list(tree.maps()), tree.not_begun) == ([], 3)


@given(st.lists(st.sampled_from([*FINAL, RunState.RUNNING, RunState.RETRYING, RunState.QUEUED]), min_size=1))
def test_how_far_a_map_has_come_does_not_depend_on_how_it_is_shown(states: list[RunState]) -> None:
    """Of few calls, which are rows, as of many, which are a group; a result that was kept is not done here."""
    root, tree = call(1, "e.root"), RunTree()
    calls = many(len(states), root)
    tree.update([root, *calls])
    for made, state in zip(calls, states, strict=True):
        if state.is_final:
            end(made, state, at=3)
        made.state = state
    tree.update(calls)
    journal = Journal()
    journal.expect(1, "e.work", 7, maps=1)
    tree.heed(journal, is_over=False)
    (progress,) = tree.maps()
    done = [made for made in calls if made.state.is_final and made.state is not RunState.CACHED]
    assert progress == MapProgress(
        is_root=False,
        to_come=7 + states.count(RunState.QUEUED),
        running=progress.running,
        done=len(done),
        worked=pytest.approx(sum_of(done)),
    )
    assert sorted(progress.running) == [made.started for made in calls if made.state in RUNNING]


def test_the_tree_of_a_finished_run_is_the_same() -> None:
    """What is left of calls tells the same as the calls."""
    root = call(1, "e.root")
    calls = [root, *many(30, root)]
    calls[1].write("stdout", "one\ntwo\n")
    for made in calls:
        end(made, FINAL[made.id % 4], at=5, error="E" * (made.id % 2))
    tree = RunTree()
    tree.update(calls)
    past = finished_tree([made.node() for made in calls], [line for made in calls for line in made.logs()])
    assert summarise(past) == summarise(tree)
    assert [line.text for line in summarise(past).logs("c2", 1)] == ["two"]
