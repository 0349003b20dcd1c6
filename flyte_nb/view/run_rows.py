"""A run in at most some two hundred rows: what needs attention is among them, however many calls there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Literal

from flyte_nb.execution.node import RunState
from flyte_nb.view.escape import inert, inert_line
from flyte_nb.view.run_crowd import FAILED, RUNNING
from flyte_nb.view.run_tree import Group
from flyte_nb.view.states import by_urgency, tally

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flyte_nb.execution.node import LogLine, Node
    from flyte_nb.view.run_tree import RunTree, TrackedCall

__all__ = ["MOST_ROWS", "Row", "Summary", "summarise"]

MOST_ROWS = 200
_LONGEST_TASK, _LONGEST_INPUTS, _LONGEST_ERROR, _LONGEST_LINE = 120, 200, 1_000, 200


@dataclass(frozen=True, slots=True)
class Row:
    """A call, a group of calls, or a count of calls that are not shown. All text is inert.

    Attributes:
        key: What the row is called while the run goes on.
        kind: "call", "group", or "more".
        depth: How far it is indented: 0 for the roots.
        task: The full name of the task; of "more" empty.
        state: The state of the call, or of a group's call that most needs attention.
        bar: The state whose colour its bar has: of a group, that of most of its calls.
        started: Seconds from the beginning of the run to its own.
        ended: Seconds from the beginning of the run to its end; None until then.
        inputs: The arguments, shortened.
        attempts: How many times the call was begun.
        waiting: What the call waits for before it can run.
        error: The type and message of what it raised.
        loud: Whether the error arose here, as far as one can see here, and did not just pass through.
        lines: How many lines it has printed, logged and displayed.
        last_line: The last of them.
        size: How many calls the row stands for.
        hidden: How many calls the call has made that are not shown.
        counts: How many of a group's calls are in each state, the most urgent first.
    """

    key: str
    kind: Literal["call", "group", "more"]
    depth: int
    task: str = ""
    state: str = ""
    bar: str = ""
    started: float = 0.0
    ended: float | None = None
    inputs: str = ""
    attempts: int = 1
    waiting: str = ""
    error: str = ""
    loud: bool = False
    lines: int = 0
    last_line: str = ""
    size: int = 1
    hidden: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run stands.

    Attributes:
        rows: What is shown of it, in the order of the tree.
        state: "running", or the state of the root that most needs attention.
        counts: How many calls are in each state, the most urgent first.
        began: When the run began, in seconds since the epoch.
        ended: Seconds from its beginning to its end; None until then.
        calls: The calls among the rows, by key.
    """

    rows: tuple[Row, ...]
    state: str
    counts: Mapping[str, int]
    began: float
    ended: float | None
    calls: Mapping[str, TrackedCall] = field(default_factory=dict, repr=False, compare=False)

    @property
    def total(self) -> int:
        """How many calls there are so far."""
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """How many calls have ended."""
        return sum(count for state, count in self.counts.items() if RunState(state).is_final)

    def logs(self, key: str, most: int) -> list[LogLine]:
        """Return the last lines, `most` at most, of the call in the row `key`; of other rows none."""
        call = self.calls.get(key)
        return call.logs(max(0, call.node().lines - most)) if call else []


def summarise(tree: RunTree, *, under_way: bool = False, most: int = MOST_ROWS) -> Summary:
    """Return how the run of `tree` stands.

    Callers that failed show what they called first, then those that run, and callers near the root before others.

    Args:
        tree: The calls.
        under_way: Whether another root may begin.
        most: How many rows to use at most.
    """
    roots = tree.below(None)
    began = _first(roots[0]).started if roots else 0.0
    top = _choose(tree, roots, most)
    # From which caller each error was seen to come: that caller only passed it on.
    shown = [branch.call.node() for branch in top.walk() if branch.call]
    passed_on: set[tuple[int | None, int | None]] = {
        (node.parent, node.arose) for node in shown if node.arose is not None
    }
    rows = tuple(_row(branch, began, passed_on) for branch in top.walk() if branch is not top)
    states = set().union(*map(_states, roots))
    over = not under_way and all(state.is_final for state in states)
    ended = max((root.ended or began for root in roots), default=began)
    return Summary(
        rows,
        by_urgency(state.value for state in states) if over and states else "running",
        _by_urgency(tree.counts),
        began,
        _offset(ended, began) if over else None,
        {branch.key: branch.call for branch in top.walk() if branch.call},
    )


class _Branch:
    """A row to be, and those below it."""

    __slots__ = ("below", "call", "depth", "group", "hidden", "key", "more")

    def __init__(self, depth: int, item: TrackedCall | Group | None, more: int = 0, key: str = "") -> None:
        self.depth, self.more, self.hidden = depth, more, 0
        self.below: list[_Branch] = []
        self.group = item if isinstance(item, Group) else None
        self.call = item if item is not None and not isinstance(item, Group) else None
        self.key = key or (f"g{self.group.first.id}" if self.group else f"c{self.call.id}" if self.call else "")

    def walk(self) -> Iterator[_Branch]:
        """Yield this and all below it, in the order of the tree."""
        pending = [self]
        while pending:
            branch = pending.pop()
            yield branch
            pending += reversed(branch.below)


def _choose(tree: RunTree, roots: list[TrackedCall | Group], most: int) -> _Branch:
    """Return a branch that is no row, with all that is to be shown below it."""
    top = _Branch(-1, None, key="top")
    room = most - _open(top, roots, most)
    callers: list[tuple[int, int, int, _Branch]] = []
    _queue(callers, top)
    while callers:
        *_, branch = heappop(callers)
        if branch.call is None:
            continue
        if room < 2:  # one call, and how many more there are
            branch.hidden = tree.called(branch.call.id)
            continue
        room -= _open(branch, tree.below(branch.call.id), room)
        _queue(callers, branch)
    return top


def _open(branch: _Branch, items: list[TrackedCall | Group], room: int) -> int:
    """Put `items` below `branch` as far as there is room, and return how many rows that takes."""
    entries = [_entry(branch.depth + 1, item) for item in items]
    used = sum(1 + len(entry.below) for entry in entries)
    if used <= room:
        branch.below = entries
        return used
    kept, used, left = set(), 1, 0
    for entry in sorted(entries, key=_urgency):
        size = 1 + len(entry.below)
        if used + size <= room:
            kept.add(entry.key)
            used += size
        else:
            left += entry.group.size if entry.group else 1
    branch.below = [entry for entry in entries if entry.key in kept]
    branch.below.append(_Branch(branch.depth + 1, None, left, f"m{branch.key}"))
    return used


def _entry(depth: int, item: TrackedCall | Group) -> _Branch:
    entry = _Branch(depth, item)
    if isinstance(item, Group):
        entry.below = [_Branch(depth + 1, call) for call in item.exemplars]
        entry.below.append(_Branch(depth + 1, None, item.size - len(item.exemplars), f"m{entry.key}"))
    return entry


def _queue(callers: list[tuple[int, int, int, _Branch]], branch: _Branch) -> None:
    """Note the calls that have come to be shown below `branch`: what they have called can be shown next."""
    for below in branch.walk():
        if below is not branch and below.call:
            heappush(callers, (*_urgency(below), below))


def _urgency(branch: _Branch) -> tuple[int, int, int]:
    item = branch.group or branch.call
    if item is None:
        return 2, branch.depth, 0
    states = _states(item)
    return (0 if states & FAILED else 1 if states & RUNNING else 2), branch.depth, _first(item).id


def _states(item: TrackedCall | Group) -> set[RunState]:
    return set(item.counts) if isinstance(item, Group) else {item.state}


def _first(item: TrackedCall | Group) -> TrackedCall:
    return item.first if isinstance(item, Group) else item


def _row(branch: _Branch, began: float, passed_on: set[tuple[int | None, int | None]]) -> Row:
    if branch.group:
        return _group_row(branch, branch.group, began)
    if branch.call:
        return _call_row(branch, branch.call, began, passed_on)
    return Row(branch.key, "more", branch.depth, size=branch.more)


def _group_row(branch: _Branch, group: Group, began: float) -> Row:
    counts = _by_urgency(group.counts)
    return Row(
        branch.key,
        "group",
        branch.depth,
        inert(group.first.task, _LONGEST_TASK),
        next(iter(counts)),
        max(counts, key=counts.__getitem__),
        _offset(group.first.started, began),
        None if group.ended is None else _offset(group.ended, began),
        size=group.size,
        counts=counts,
    )


def _call_row(branch: _Branch, call: TrackedCall, began: float, passed_on: set[tuple[int | None, int | None]]) -> Row:
    node = call.node()
    last = call.logs(node.lines - 1)[-1:] if node.lines else []
    return Row(
        branch.key,
        "call",
        branch.depth,
        inert(node.task, _LONGEST_TASK),
        node.state.value,
        node.state.value,
        _offset(node.started.timestamp(), began),
        None if node.ended is None else _offset(node.ended.timestamp(), began),
        inert(node.inputs, _LONGEST_INPUTS),
        node.attempts,
        inert_line(node.waiting, _LONGEST_LINE),
        inert(node.error, _LONGEST_ERROR),
        _is_loud(node, passed_on),
        node.lines,
        inert_line(last[0].text, _LONGEST_LINE) if last else "",
        hidden=branch.hidden,
    )


def _is_loud(node: Node, passed_on: set[tuple[int | None, int | None]]) -> bool:
    # Where it arose may be a call that is not shown; then the last one on the way tells it.
    return bool(node.error) and (node.arose is None or (node.id, node.arose) not in passed_on)


def _by_urgency(counts: Mapping[RunState, int]) -> dict[str, int]:
    given = {state.value: count for state, count in counts.items()}
    return {state: given[state] for state in tally(given)}


def _offset(seconds: float, began: float) -> float:
    return round(max(0.0, seconds - began), 4)
