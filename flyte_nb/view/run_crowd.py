"""Many calls of one task by one caller: how many are in each state, and the few that are worth showing by themselves.

Noting a change costs about a microsecond, however many they are; what is to be shown is found when somebody looks.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from heapq import heapify, heappop, heappush, heapreplace
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol

from flyte_nb.execution.node import RunState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyte_nb.execution.node import LogLine, Node

__all__ = ["EXEMPLARS", "FAILED", "RUNNING", "Crowd", "Group", "TrackedCall"]

# How many calls of a group are shown by themselves.
EXEMPLARS = 5

FAILED = frozenset({RunState.FAILED, RunState.TIMED_OUT, RunState.LOST})
RUNNING = frozenset({RunState.RUNNING, RunState.RETRYING})
_UNDER_WAY = RUNNING | {RunState.QUEUED}


class TrackedCall(Protocol):
    """What is read of a call to keep the tree of a run; `flyte_nb.execution.call.Call` is one."""

    id: int
    parent: int | None
    task: str
    state: RunState
    started: float  # seconds since the epoch
    ended: float | None

    def node(self) -> Node:
        """Return the call as it stands now."""
        ...

    def logs(self, after: int = 0) -> list[LogLine]:
        """Return its lines from number `after` on."""
        ...


@dataclass(frozen=True, slots=True)
class Group:
    """The calls of one task by one caller, when there are many.

    Attributes:
        first: The call that began first, whose place in the tree the group takes.
        counts: How many calls are in each state.
        exemplars: Failed ones first, then those that run longest, then the slowest; at most `EXEMPLARS`.
        ended: When the last call ended, in seconds since the epoch, or None while one is under way.
    """

    first: TrackedCall
    counts: Mapping[RunState, int]
    exemplars: tuple[TrackedCall, ...]
    ended: float | None

    @property
    def size(self) -> int:
        """How many calls there are."""
        return sum(self.counts.values())


class Crowd:
    """A group that changes.

    Args:
        states: The state that each call of the run was last seen in, by id; whoever owns the crowd keeps it current.
    """

    __slots__ = ("_counts", "_ended", "_failed", "_floor", "_running", "_slowest", "_states", "first")

    def __init__(self, first: TrackedCall, states: Mapping[int, RunState]) -> None:
        self.first, self._states = first, states
        self._counts: defaultdict[RunState, int] = defaultdict(int)
        self._ended = 0.0
        # The failed calls that began first. A call that has failed stays so.
        self._failed: list[TrackedCall] = []
        # A heap of calls by when they began; those that have ended meanwhile are dropped when they come to its top.
        self._running: list[tuple[float, int, TrackedCall]] = []
        # A heap of the slowest calls with the quickest of them on top, and how long that one took.
        self._slowest: list[tuple[float, int, TrackedCall]] = []
        self._floor = -1.0

    def note(self, call: TrackedCall, before: RunState | None, state: RunState) -> None:
        """Take into account that `call` went from the state `before`, or from nowhere, to `state`."""
        counts = self._counts
        counts[state] += 1
        if before is not None:
            counts[before] -= 1
        elif call.id < self.first.id:
            self.first = call
        if state in _UNDER_WAY:
            if state is not RunState.QUEUED:
                heappush(self._running, (call.started, call.id, call))
            return
        ended = call.ended or call.started
        if ended > self._ended:
            self._ended = ended
        if state in FAILED:
            self._note_failed(call)
        elif ended - call.started >= self._floor:
            self._note_slow(call, ended - call.started)

    def _note_failed(self, call: TrackedCall) -> None:
        if len(self._failed) < EXEMPLARS or call.id < self._failed[-1].id:
            self._failed = sorted([*self._failed, call], key=attrgetter("id"))[:EXEMPLARS]

    def _note_slow(self, call: TrackedCall, took: float) -> None:
        entry = (took, -call.id, call)
        if len(self._slowest) < EXEMPLARS:
            heappush(self._slowest, entry)
        elif entry[:2] > self._slowest[0][:2]:
            heapreplace(self._slowest, entry)
        if len(self._slowest) == EXEMPLARS:
            self._floor = self._slowest[0][0]

    @property
    def size(self) -> int:
        """How many calls there are."""
        return sum(self._counts.values())

    def group(self) -> Group:
        """Return how things stand."""
        counts = {state: count for state, count in self._counts.items() if count}
        exemplars = list(self._failed)
        exemplars += self._longest_running(EXEMPLARS - len(exemplars))
        exemplars += [call for _, _, call in sorted(self._slowest, reverse=True)[: EXEMPLARS - len(exemplars)]]
        ended = self._ended if all(state.is_final for state in counts) else None
        return Group(self.first, counts, tuple(exemplars), ended)

    def _longest_running(self, most: int) -> list[TrackedCall]:
        alive = sum(self._counts[state] for state in RUNNING)
        if len(self._running) > 2 * alive + EXEMPLARS:  # better all at once than one by one
            self._running = [entry for entry in self._running if self._states[entry[1]] in RUNNING]
            heapify(self._running)
        heap = self._running
        found: list[tuple[float, int, TrackedCall]] = []
        while heap and len(found) < most:
            entry = heappop(heap)
            started, number, call = entry
            # One that was tried again is in the heap more than once, and so is one that had to wait meanwhile.
            current = self._states[number] in RUNNING and started == call.started
            if current and not (found and found[-1][1] == number):
                found.append(entry)
        for entry in found:
            heappush(heap, entry)
        return [call for _, _, call in found]
