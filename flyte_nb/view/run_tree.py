"""The calls of a run as a tree that is kept current, with little work for each change however many calls there are."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from flyte_nb.view.run_crowd import Crowd, Group, TrackedCall

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from flyte_nb.execution.journal import Journal
    from flyte_nb.execution.node import LogLine, Node, RunState

__all__ = ["MOST_ALIKE", "Group", "MapProgress", "RunTree", "TrackedCall", "finished_tree"]

# More calls of one task by one caller than this are shown as a group.
MOST_ALIKE = 8


@dataclass(frozen=True, slots=True)
class MapProgress:
    """How far the maps of one task by one caller have come.

    Attributes:
        is_root: Whether nobody here has called them.
        to_come: How many calls have not begun, or wait.
        running: When those that run have begun, in seconds since the epoch.
        done: How many have ended, without those whose result was kept from before.
        worked: How many seconds these have taken in all.
    """

    is_root: bool
    to_come: int
    running: tuple[float, ...] = ()
    done: int = 0
    worked: float = 0.0


class RunTree:
    """Every call of a run under its caller, and the calls of one task by one caller together when they are many.

    Attributes:
        outcome: What has become of the whole, if that is not for the states of its roots to say.
    """

    def __init__(self) -> None:
        self._states: dict[int, RunState] = {}
        self._ended = 0.0
        self._counts: defaultdict[RunState, int] = defaultdict(int)
        # By caller and task: the calls themselves, or the crowd that they have become.
        self._below: dict[int | None, dict[str, list[TrackedCall] | Crowd]] = {}
        # How many calls maps will still begin, and would have begun, by caller and task.
        self._to_come: Mapping[tuple[int | None, str], int] = {}
        self._not_begun: Mapping[tuple[int | None, str], int] = {}
        self.outcome: RunState | None = None

    def __len__(self) -> int:
        return len(self._states)

    @property
    def counts(self) -> Mapping[RunState, int]:
        """How many calls are in each state."""
        return {state: count for state, count in self._counts.items() if count}

    @property
    def is_over(self) -> bool:
        """Whether every call has ended: one that was not awaited may outlive its caller."""
        return all(state.is_final for state in self.counts)

    @property
    def ended(self) -> float:
        """When the last of the calls that have ended did, in seconds since the epoch."""
        return self._ended

    @property
    def to_come(self) -> int:
        """How many calls are known to come: those that maps will still begin."""
        return sum(self._to_come.values())

    @property
    def not_begun(self) -> int:
        """How many calls maps that are over would have begun."""
        return sum(self._not_begun.values())

    def maps(self) -> Iterator[MapProgress]:
        """Yield how far maps have come that go on and know how many inputs they have."""
        for (caller, task), to_come in self._to_come.items():
            alike = self._below.get(caller, {}).get(task)
            if not alike:
                yield MapProgress(caller is None, to_come)
                continue
            crowd = alike if isinstance(alike, Crowd) else self._crowd(alike)
            running = tuple(call.started for call in crowd.running())
            yield MapProgress(caller is None, to_come + crowd.queued, running, crowd.done, crowd.worked)

    def heed(self, journal: Journal, *, is_over: bool) -> None:
        """Take into account what the journal says of the whole: how many calls maps will begin, and how it has ended.

        Args:
            journal: That of the run.
            is_over: Whether nothing more will begin.
        """
        to_come: Counter[tuple[int | None, str]] = Counter()
        not_begun: Counter[tuple[int | None, str]] = Counter()
        for (number, task), expected in journal.expectations().items():
            state = None if number is None else self._states.get(number)
            goes_on = expected.maps and not is_over and not (state and state.is_final)
            (to_come if goes_on else not_begun)[number if state else None, task] += expected.left
        self._to_come, self._not_begun, self.outcome = to_come, not_begun, journal.outcome

    def update(self, changed: Iterable[TrackedCall]) -> None:
        """Take calls into account that have begun or changed their state; a caller comes before what it calls."""
        states, counts, below = self._states, self._counts, self._below
        for call in changed:
            # Another thread may change it at any moment: what is read is read once.
            number, state, parent = call.id, call.state, call.parent
            before = states.get(number)
            if before is state:
                continue
            ended = call.ended
            if ended is not None and ended > self._ended:
                self._ended = ended
            if parent not in states:
                parent = None  # its caller is no part of this run
            states[number] = state
            counts[state] += 1
            if before is None:
                self._enter(call, parent, state)
                continue
            counts[before] -= 1
            alike = below[parent][call.task]
            if isinstance(alike, Crowd):
                alike.note(call, before, state)

    def _enter(self, call: TrackedCall, parent: int | None, state: RunState) -> None:
        siblings = self._below.get(parent)
        if siblings is None:
            siblings = self._below[parent] = {}
        alike = siblings.get(call.task)
        if alike is None:
            siblings[call.task] = [call]
        elif isinstance(alike, Crowd):
            alike.note(call, None, state)
        elif len(alike) < MOST_ALIKE:
            alike.append(call)
        else:
            siblings[call.task] = self._crowd([*alike, call])

    def _crowd(self, calls: list[TrackedCall]) -> Crowd:
        crowd = Crowd(calls[0], self._states)
        for call in calls:
            crowd.note(call, None, self._states[call.id])
        return crowd

    def below(
        self,
        caller: int | None,
        kept: Collection[TrackedCall] = (),
        more: Callable[[int], int] = lambda _first: 0,
    ) -> list[TrackedCall | Group]:
        """Return what the call `caller` has called, or what nobody here has, in the order of beginning.

        Args:
            caller: The id of the caller, or None.
            kept: Calls that are shown by themselves also where they are part of a group.
            more: How many calls to show beside the exemplars of the group whose first call has the id given to it.
        """
        found: list[tuple[int, TrackedCall | Group]] = []
        mine = [call for call in kept if (call.parent if call.parent in self._states else None) == caller]
        for task, alike in self._below.get(caller, {}).items():
            if isinstance(alike, Crowd):
                beyond = self._to_come.get((caller, task), 0), self._not_begun.get((caller, task), 0)
                group = alike.group([call for call in mine if call.task == task], more(alike.first.id), *beyond)
                found.append((group.first.id, group))
            else:
                found += [(call.id, call) for call in alike]
        found.sort(key=itemgetter(0))
        return [item for _, item in found]

    def called(self, caller: int) -> int:
        """Return how many calls the call `caller` has made."""
        several = self._below.get(caller, {}).values()
        return sum(alike.size if isinstance(alike, Crowd) else len(alike) for alike in several)


def finished_tree(nodes: Sequence[Node], lines: Iterable[LogLine] = (), outcome: RunState | None = None) -> RunTree:
    """Return the tree of a run that is over.

    Args:
        nodes: The calls in the order of their beginning, a caller before what it calls.
        lines: What they have printed, logged and displayed, in order.
        outcome: What has become of the whole, if that is not for the states of its roots to say.
    """
    logs: defaultdict[int, list[LogLine]] = defaultdict(list)
    for line in lines:
        logs[line.node].append(line)
    tree = RunTree()
    tree.update([_PastCall(node, logs.get(node.id, [])) for node in nodes])
    tree.outcome = outcome
    return tree


class _PastCall:
    """A call of which only its node is left."""

    __slots__ = ("_lines", "_node", "ended", "id", "parent", "started", "state", "task")

    def __init__(self, node: Node, lines: list[LogLine]) -> None:
        self._node, self._lines = node, lines
        self.id, self.parent, self.task, self.state = node.id, node.parent, node.task, node.state
        self.started = node.started.timestamp()
        self.ended = node.ended.timestamp() if node.ended else None

    def node(self) -> Node:
        return self._node

    def logs(self, after: int = 0) -> list[LogLine]:
        """Return its lines from number `after` on, of those that were kept, which are the last."""
        lost = self._node.lines - len(self._lines)
        return self._lines[max(0, after - lost) :]
