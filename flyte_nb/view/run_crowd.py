"""Many calls of one task by one caller: how many are in each state, and the few that are worth showing by themselves.

Noting a change costs about a microsecond, however many they are; what is to be shown is found when somebody looks.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from dataclasses import dataclass
from heapq import heapify, heappop, heappush, heapreplace
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol

from flyte_nb.execution.node import RunState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
        opened: Those that are shown beside the exemplars because somebody asked for more, the most urgent first.
        beyond: How many more were asked for, and have not begun.
    """

    first: TrackedCall
    counts: Mapping[RunState, int]
    exemplars: tuple[TrackedCall, ...]
    ended: float | None
    opened: tuple[TrackedCall, ...] = ()
    beyond: int = 0

    @property
    def size(self) -> int:
        """How many calls there are."""
        return sum(self.counts.values())


class Crowd:
    """A group that changes.

    Args:
        states: The state that each call of the run was last seen in, by id; whoever owns the crowd keeps it current.
    """

    __slots__ = (
        "_cancelled",
        "_counts",
        "_ended",
        "_failed",
        "_floor",
        "_members",
        "_most",
        "_running",
        "_slowest",
        "_states",
        "done",
        "first",
        "worked",
    )

    def __init__(self, first: TrackedCall, states: Mapping[int, RunState]) -> None:
        self.first, self._states = first, states
        # How many have ended with something done here, not kept from before, and the seconds that took in all.
        self.done, self.worked = 0, 0.0
        self._counts: defaultdict[RunState, int] = defaultdict(int)
        self._ended = 0.0
        self._members: list[TrackedCall] = []
        # How many calls are remembered of each of the following; more once somebody has asked for more.
        self._most = EXEMPLARS
        # The failed calls that began first, and the cancelled ones. A call that has failed stays so.
        self._failed: list[TrackedCall] = []
        self._cancelled: list[TrackedCall] = []
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
        else:
            self._members.append(call)
            if call.id < self.first.id:
                self.first = call
        if state in _UNDER_WAY:
            if state is not RunState.QUEUED:
                heappush(self._running, (call.started, call.id, call))
            return
        ended = call.ended or call.started
        if ended > self._ended:
            self._ended = ended
        if state is not RunState.CACHED:
            self.done += 1
            self.worked += ended - call.started
        self._note_ended(call, state, ended - call.started)

    def _note_ended(self, call: TrackedCall, state: RunState, took: float) -> None:
        if state in FAILED:
            self._note_first(self._failed, call)
            return
        if state is RunState.CANCELLED:
            self._note_first(self._cancelled, call)
        if took >= self._floor:
            self._note_slow(call, took)

    def _note_first(self, known: list[TrackedCall], call: TrackedCall) -> None:
        if len(known) < self._most or call.id < known[-1].id:
            insort(known, call, key=attrgetter("id"))
            del known[self._most :]

    def _note_slow(self, call: TrackedCall, took: float) -> None:
        entry = (took, -call.id, call)
        if len(self._slowest) < self._most:
            heappush(self._slowest, entry)
        elif entry[:2] > self._slowest[0][:2]:
            heapreplace(self._slowest, entry)
        if len(self._slowest) == self._most:
            self._floor = self._slowest[0][0]

    @property
    def size(self) -> int:
        """How many calls there are."""
        return sum(self._counts.values())

    @property
    def queued(self) -> int:
        """How many calls wait."""
        return self._counts[RunState.QUEUED]

    def running(self) -> list[TrackedCall]:
        """Return the calls that run."""
        running = {entry[1]: entry[2] for entry in self._running if self._states[entry[1]] in RUNNING}
        return list(running.values())

    def group(self, kept: Sequence[TrackedCall] = (), more: int = 0, to_come: int = 0, not_begun: int = 0) -> Group:
        """Return how things stand.

        Args:
            kept: Calls that are shown by themselves whatever becomes of them.
            more: How many calls to show beside the exemplars.
            to_come: How many more are known to come.
            not_begun: How many more were asked for, and will not begin any more.
        """
        counts = {state: count for state, count in self._counts.items() if count}
        chosen, most = self._exemplars(), EXEMPLARS + more
        if more:
            self._remember(most)
            shown = {call.id for call in chosen}
            chosen += islice(self._others(shown, most), most - len(chosen))
        ended = self._ended if not to_come and all(state.is_final for state in counts) else None
        # What is to be kept and is not among them takes the place of the least urgent.
        kept = [call for call in kept if call not in chosen][:most]
        chosen = [*chosen[: most - len(kept)], *kept]
        exemplars, opened = tuple(chosen[:EXEMPLARS]), tuple(chosen[EXEMPLARS:])
        return Group(self.first, counts, exemplars, ended, opened, to_come + not_begun)

    def _exemplars(self) -> list[TrackedCall]:
        found = self._failed[:EXEMPLARS]
        found += self._longest_running(EXEMPLARS - len(found))
        found += [call for _, _, call in sorted(self._slowest, reverse=True)[: EXEMPLARS - len(found)]]
        return found

    def _remember(self, most: int) -> None:
        """Keep so many of each kind from now on: those that were let go are among the members."""
        if most <= self._most:
            return
        self._most, self._floor = most, -1.0
        self._failed, self._cancelled, self._slowest = [], [], []
        for call in self._members:
            state = self._states[call.id]
            if state not in _UNDER_WAY:
                self._note_ended(call, state, (call.ended or call.started) - call.started)

    def _others(self, shown: set[int], most: int) -> Iterator[TrackedCall]:
        """Yield calls that are not yet `shown`, and note that they are, until `most` are or there are no others."""
        for call in self._by_urgency(most):
            if call.id not in shown:
                shown.add(call.id)
                yield call

    def _by_urgency(self, most: int) -> Iterator[TrackedCall]:
        """Yield `most` calls of each kind, if there are so many: some may be of more than one."""
        yield from self._failed
        yield from self._cancelled
        if self._counts[RunState.RETRYING]:
            yield from sorted(self._in(RunState.RETRYING), key=attrgetter("started", "id"))
        yield from self._longest_running(most)
        for _, _, call in sorted(self._slowest, reverse=True):
            yield call
        if self._counts[RunState.QUEUED]:
            yield from self._in(RunState.QUEUED)

    def _in(self, state: RunState) -> Iterator[TrackedCall]:
        return (call for call in self._members if self._states[call.id] is state)

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
