"""Which calls of a run get rows: those that need attention, their callers, and those that somebody asked to see."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from flyte_nb.view.run_crowd import FAILED, RUNNING
from flyte_nb.view.run_tree import Group

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from flyte_nb.execution.node import RunState
    from flyte_nb.view.run_tree import RunTree, TrackedCall

__all__ = ["MOST_OPENED", "OPENED_AT_ONCE", "Branch", "Choice", "first_of", "states_of"]

# How many rows can be opened in all beside those that are shown anyway, and how many more each time.
MOST_OPENED = 500
OPENED_AT_ONCE = 50


class Branch:
    """A row to be, and those below it."""

    __slots__ = ("below", "call", "depth", "group", "hidden", "is_kept", "is_opened", "key", "more", "opened", "size")

    def __init__(self, depth: int, item: TrackedCall | Group | None, key: str = "") -> None:
        self.depth, self.hidden, self.is_kept, self.is_opened = depth, 0, False, False
        # How many calls are not shown, and how many rows are because somebody asked for them.
        self.more, self.opened = 0, 0
        # How many rows it takes with those below it, without those that somebody opened.
        self.size = 1
        self.below: list[Branch] = []
        self.group = item if isinstance(item, Group) else None
        self.call = item if item is not None and not isinstance(item, Group) else None
        self.key = key or (f"g{self.group.first.id}" if self.group else f"c{self.call.id}" if self.call else "")

    def walk(self) -> Iterator[Branch]:
        """Yield this and all below it, in the order of the tree."""
        pending = [self]
        while pending:
            branch = pending.pop()
            yield branch
            pending += reversed(branch.below)


class Choice:
    """Which calls are to be shown of a tree.

    Args:
        tree: The calls.
        kept: Calls that are shown whatever becomes of them.
        opened: How many rows to show beside those that are shown anyway, by the key of the row that counts the others.
            Of those that were opened first some are closed again when it is more than `MOST_OPENED` in all.
    """

    def __init__(self, tree: RunTree, kept: Collection[TrackedCall], opened: Mapping[str, int]) -> None:
        self._tree, self._kept, self._opened = tree, kept, _within_bounds(opened)

    def below(self, caller: int | None) -> list[TrackedCall | Group]:
        """Return what `caller` has called; of groups so many calls as are to be shown."""
        return self._tree.below(caller, self._kept, lambda first: self._opened.get(f"mg{first}", 0))

    def choose(self, roots: list[TrackedCall | Group], most: int) -> Branch:
        """Return a branch that is no row, with all that is to be shown below it."""
        top = Branch(-1, None, key="top")
        room = most - self._open(top, roots, most)
        callers: list[tuple[int, int, int, Branch]] = []
        _queue(callers, top)
        while callers:
            *_, branch = heappop(callers)
            if branch.call is None:
                continue
            if room < 2:  # one call, and how many more there are
                branch.hidden = self._tree.called(branch.call.id)
                continue
            room -= self._open(branch, self.below(branch.call.id), room)
            _queue(callers, branch)
        return top

    def _open(self, branch: Branch, items: list[TrackedCall | Group], room: int) -> int:
        """Put `items` below `branch` as far as there is room, and return how many rows that takes.

        Rows that somebody has opened take no room from the others.
        """
        entries = [self._entry(branch.depth + 1, item) for item in items]
        used = sum(entry.size for entry in entries)
        if used <= room:
            branch.below = entries
            return used
        by_urgency = sorted(entries, key=_urgency)
        fitting = _fitting(by_urgency, room - 1)
        branch.below = [entry for entry in entries if entry.key in fitting]
        used = 1 + sum(entry.size for entry in branch.below)
        left = [entry for entry in by_urgency if entry.key not in fitting]
        more = self._more(branch)
        opened = _fitting(left, more.opened)
        for entry in left:
            if entry.key in opened:
                _open_later(entry)
                branch.below.append(entry)
            else:
                more.more += entry.group.size if entry.group else 1
        if more.more:
            branch.below.append(more)
        return used

    def _entry(self, depth: int, item: TrackedCall | Group) -> Branch:
        entry = Branch(depth, item)
        entry.is_kept = item in self._kept
        if isinstance(item, Group):
            entry.below = [self._entry(depth + 1, call) for call in item.exemplars]
            opened = [self._entry(depth + 1, call) for call in item.opened]
            entry.size = 2 + len(entry.below)  # with the row that counts the others
            for below in opened:
                _open_later(below)
            entry.below += opened
            entry.is_kept = any(below.is_kept for below in entry.below)
            more = self._more(entry)
            more.more = item.size - len(entry.below)
            if more.more:
                entry.below.append(more)
        return entry

    def _more(self, branch: Branch) -> Branch:
        """Return the row below `branch` that counts what is not shown there."""
        more = Branch(branch.depth + 1, None, key=f"m{branch.key}")
        more.opened = self._opened.get(more.key, 0)
        return more


def _within_bounds(opened: Mapping[str, int]) -> dict[str, int]:
    """Return what can be opened of that; what was opened last comes first, so that there is always something to see."""
    room, kept = MOST_OPENED, {}
    for key, wanted in reversed(list(opened.items())):
        if room and wanted > 0:
            kept[key] = min(wanted, room)
            room -= kept[key]
    return kept


def _fitting(entries: list[Branch], room: int) -> set[str]:
    """Return the keys of those for which there is room, if the first come first."""
    found = set()
    for entry in entries:
        if entry.size <= room:
            found.add(entry.key)
            room -= entry.size
    return found


def _open_later(branch: Branch) -> None:
    """See to it that what this has called takes no room from what is shown anyway."""
    for each in branch.walk():
        each.is_opened = True


def _queue(callers: list[tuple[int, int, int, Branch]], branch: Branch) -> None:
    """Note the calls that have come to be shown below `branch`: what they have called can be shown next."""
    for below in branch.walk():
        if below is not branch and below.call:
            heappush(callers, (*_urgency(below), below))


def _urgency(branch: Branch) -> tuple[int, int, int]:
    item = branch.group or branch.call
    if item is None:
        return 2, branch.depth, 0
    if branch.is_kept:
        return -1, branch.depth, first_of(item).id
    states = states_of(item)
    rank = 0 if states & FAILED else 1 if states & RUNNING else 2
    return (3 + rank if branch.is_opened else rank), branch.depth, first_of(item).id


def states_of(item: TrackedCall | Group) -> set[RunState]:
    """Return the states in which a call, or the calls of a group, are."""
    return set(item.counts) if isinstance(item, Group) else {item.state}


def first_of(item: TrackedCall | Group) -> TrackedCall:
    """Return the call itself, or that of a group that began first."""
    return item.first if isinstance(item, Group) else item
