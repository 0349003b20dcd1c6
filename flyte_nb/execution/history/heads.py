"""What the history tells of a whole run, from the calls that nobody in it made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flyte_nb.execution.clock import utc
from flyte_nb.execution.node import RunState, state_of_whole

if TYPE_CHECKING:
    from collections.abc import Collection

    from flyte_nb.execution.call import Call
    from flyte_nb.execution.journal import Journal

__all__ = ["RunHead", "head_of"]

# Of several roots, the first of these that one of them has is the state of the run.
_BY_URGENCY = (
    RunState.FAILED,
    RunState.TIMED_OUT,
    RunState.CANCELLED,
    RunState.SUCCEEDED,
    RunState.CACHED,
)


@dataclass(frozen=True, slots=True)
class RunHead:
    """One run at one moment.

    Attributes:
        name: What it is called.
        first: The id of its first call.
        task: The full name of its first task.
        state: Where it stands: of several roots, the state that most needs attention.
        started: When it began, in seconds since the epoch.
        ended: When it ended; None until then.
        calls: How many calls it has.
        error: What the first of its roots that failed raised.
        target: The name of the target of whose deployed version its first call is; empty if it ran in its kernel.
    """

    name: str
    first: int
    task: str
    state: RunState
    started: float
    ended: float | None
    calls: int
    error: str
    target: str = ""


def head_of(name: str, roots: Collection[Call], calls: int, journal: Journal, *, closed: bool) -> RunHead:
    """Return the head of a run.

    Args:
        name: What it is called.
        roots: The calls that nobody in it made, in the order of their beginning.
        calls: How many calls there are.
        journal: Says what has become of the whole.
        closed: Whether no other root will begin.
    """
    first = next(iter(roots))
    # Read once: other threads change them. The end comes last, so a call that has one has its final state.
    ends = [root.ended for root in roots]
    states = [root.state for root in roots]
    errors = [root.error for root in roots]
    over, outcome = closed and None not in ends, journal.outcome
    state, error = _under_way(states), next(filter(None, errors), "")
    if over and outcome:
        state, error = state_of_whole(outcome, states), journal.error
    elif over:
        state = next(one for one in _BY_URGENCY if one in states)
    ended = _told(max(end for end in ends if end is not None)) if over else None
    return RunHead(name, first.id, first.task, state, _told(first.started), ended, calls, error, first.target)


def _told(seconds: float) -> float:
    """Return `seconds` as a datetime tells them, to the microsecond: a run is found by the moment that it tells."""
    return utc(seconds).timestamp()


def _under_way(states: Collection[RunState]) -> RunState:
    if len(states) == 1:
        (only,) = states
        if not only.is_final:
            return only
    return RunState.RUNNING
