"""A run in at most some two hundred rows: what needs attention is among them, however many calls there are.

Somebody who wants to see the others opens the row that counts them, and gets some more each time, up to a bound.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from flyte_nb.execution.node import RunState, state_of_whole
from flyte_nb.view.escape import inert, inert_line
from flyte_nb.view.run_choice import MOST_OPENED, OPENED_AT_ONCE, Branch, Choice, first_of, states_of
from flyte_nb.view.states import by_urgency, tally

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from flyte_nb.execution.node import LogLine, Node
    from flyte_nb.view.run_tree import Group, RunTree, TrackedCall

__all__ = ["MOST_ROWS", "Row", "Summary", "summarise"]

MOST_ROWS = 200
_NOTHING_OPENED: Mapping[str, int] = MappingProxyType({})
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
        opened: How many rows are shown because this one was opened.
        opens: How many would be if it were opened again; 0 where no more can be.
        returned: What the call has returned, shortened.
        whole: How many calls of a group were asked for, as far as that is known, with those that have not begun.
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
    opened: int = 0
    opens: int = 0
    returned: str = ""
    whole: int = 1


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
        to_come: How many more calls are known to come.
        not_begun: How many more were asked for, and will not begin any more.
    """

    rows: tuple[Row, ...]
    state: str
    counts: Mapping[str, int]
    began: float
    ended: float | None
    calls: Mapping[str, TrackedCall] = field(default_factory=dict, repr=False, compare=False)
    to_come: int = 0
    not_begun: int = 0

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


def summarise(
    tree: RunTree,
    *,
    under_way: bool = False,
    most: int = MOST_ROWS,
    kept: Collection[TrackedCall] = (),
    opened: Mapping[str, int] = _NOTHING_OPENED,
) -> Summary:
    """Return how the run of `tree` stands. It goes on as long as one of its calls does, awaited or not.

    Callers that failed show what they called first, then those that run, and callers near the root before others.

    Args:
        tree: The calls.
        under_way: Whether another root may begin.
        most: How many rows to use at most.
        kept: Calls that have rows whatever becomes of them, such as the one that somebody looks at and its callers.
        opened: How many rows to show beside those, by the key of the row that counts what is not shown. Of the rows
            that were opened first some are closed again when it is more than `MOST_OPENED` in all.
    """
    choice = Choice(tree, kept, opened)
    roots = choice.below(None)
    began = first_of(roots[0]).started if roots else 0.0
    top = choice.choose(roots, most)
    # From which caller each error was seen to come: that caller only passed it on.
    shown = [branch.call.node() for branch in top.walk() if branch.call]
    passed_on: set[tuple[int | None, int | None]] = {
        (node.parent, node.arose) for node in shown if node.arose is not None
    }
    rows = tuple(_row(branch, began, passed_on) for branch in top.walk() if branch is not top)
    states = set().union(*map(states_of, roots))
    over = not under_way and tree.is_over
    ended = max([began, tree.ended, *(root.ended or began for root in roots)])
    return Summary(
        rows,
        _state(tree, states) if over and states else "running",
        _by_urgency(tree.counts),
        began,
        _offset(ended, began) if over else None,
        {branch.key: branch.call for branch in top.walk() if branch.call},
        tree.to_come,
        tree.not_begun,
    )


def _state(tree: RunTree, roots: Collection[RunState]) -> str:
    if tree.outcome is None:
        return by_urgency(state.value for state in roots)
    return state_of_whole(tree.outcome, roots).value


def _row(branch: Branch, began: float, passed_on: set[tuple[int | None, int | None]]) -> Row:
    if branch.group:
        return _group_row(branch, branch.group, began)
    if branch.call:
        return _call_row(branch, branch.call, began, passed_on)
    opens = min(branch.opened + min(OPENED_AT_ONCE, branch.more), MOST_OPENED)
    opens = opens if opens > branch.opened else 0
    return Row(branch.key, "more", branch.depth, size=branch.more, opened=branch.opened, opens=opens)


def _group_row(branch: Branch, group: Group, began: float) -> Row:
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
        whole=group.size + group.beyond,
    )


def _call_row(branch: Branch, call: TrackedCall, began: float, passed_on: set[tuple[int | None, int | None]]) -> Row:
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
        returned=inert(node.returned, _LONGEST_INPUTS),
    )


def _is_loud(node: Node, passed_on: set[tuple[int | None, int | None]]) -> bool:
    # Where it arose may be a call that is not shown; then the last one on the way tells it.
    return bool(node.error) and (node.arose is None or (node.id, node.arose) not in passed_on)


def _by_urgency(counts: Mapping[RunState, int]) -> dict[str, int]:
    given = {state.value: count for state, count in counts.items()}
    return {state: given[state] for state in tally(given)}


def _offset(seconds: float, began: float) -> float:
    return round(max(0.0, seconds - began), 4)
