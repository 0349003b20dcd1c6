"""A picture of hundreds of environments, summed up by wave, so that it can be drawn and read."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from flyte_nb.view.picture import Calls, Node, Picture
from flyte_nb.view.states import STATES, by_urgency, tally
from flyte_nb.view.waves import waves

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

__all__ = ["SINGLED_OUT", "Collapser", "collapse", "is_large"]

_MOST_NODES, _MOST_EDGES = 500, 2_000
_MOST_GROUPS, _MOST_SINGLED_OUT = 20, 40
# What is opened shows so many environments; more are shown as so many parts, which can be opened in turn.
_MOST_OPENED, _PART, _MOST_PARTS = 250, 100, 20
_MOST_NEIGHBOURS = 12
SINGLED_OUT = frozenset({"undefined", *(name for name, state in STATES.items() if state.loud)})
"""The states whose environments are shown by themselves."""
_ROOM = "1,000 deploying, 1,000 pending, …"


def is_large(picture: Picture) -> bool:
    """Say whether `picture` is too large to be read: it has more than 500 nodes or 2,000 edges."""
    return len(picture.nodes) > _MOST_NODES or len(picture.edges) > _MOST_EDGES


def collapse(picture: Picture) -> Picture:
    """Return `picture`, or what stands for it if it has more than 500 nodes or 2,000 edges.

    The stand-in has one node for each wave (each run of waves, beyond 20) with its counts by state; environments that
    have failed, timed out or got lost, and undefined ones, are shown by themselves, up to 40 of them. Its note says so.
    """
    return Collapser(picture)(picture)


@dataclass(frozen=True, slots=True)
class _Group:
    """A wave, a run of waves, or a part of either: where it begins and ends, and where the wave it is of begins."""

    wave: str
    start: int
    end: int
    first: int
    is_part: bool = False

    @property
    def label(self) -> str:
        """What it is called: "wave 2", or one with its first and last number for a part."""
        if not self.is_part:
            return self.wave
        return f"{self.wave}, {self.start - self.first + 1:,}–{self.end - self.first:,}"

    @property
    def span(self) -> tuple[int, int]:
        return self.start, self.end

    def parts(self) -> Iterator[_Group]:
        """Yield what it is shown as when it is opened and too large."""
        size = self.end - self.start
        count = min(_MOST_PARTS, -(-size // _PART))
        bounds = [self.start + size * part // count for part in range(count + 1)]
        for start, end in pairwise(bounds):
            yield _Group(self.wave, start, end, self.first, is_part=True)


class Collapser:
    """Collapses one picture again and again as its states change; the waves are found once.

    Args:
        picture: The picture whose nodes and edges stay as they are.
        always: Whether it is collapsed in any case.

    Attributes:
        needed: Whether the picture is too large to read.
        order: The names in the order of the waves, if it is.
        before: What each name directly depends on, if it is.
        after: What directly depends on each name, if it is.
    """

    def __init__(self, picture: Picture, *, always: bool = False) -> None:
        self.needed = always or is_large(picture)
        found = waves(picture.names, picture.edges) if self.needed else ()
        self.order = tuple(name for wave in found for name in wave)
        self._groups = tuple(_groups(found))
        self._place = {name: place for place, name in enumerate(self.order)}
        self.before: dict[str, list[str]] = {}
        self.after: dict[str, list[str]] = {}
        for dependency, dependent in dict.fromkeys(picture.edges) if self.needed else ():
            self.before.setdefault(dependent, []).append(dependency)
            self.after.setdefault(dependency, []).append(dependent)

    def __call__(
        self, picture: Picture, opened: Collection[tuple[int, int]] = (), stepped: Collection[str] = ()
    ) -> Picture:
        """Return `picture` with its present states, collapsed if it is too large to read.

        Args:
            picture: The picture.
            opened: The spans of the nodes of an earlier result that are to show what they stand for.
            stepped: Names that are to be shown by themselves, each with what it directly depends on and what needs it.
        """
        if not self.needed:
            return picture
        node_of = {node.name: node for node in picture.nodes}
        needy = [node.name for node in picture.nodes if node.state in SINGLED_OUT]
        alone = set(needy[:_MOST_SINGLED_OUT])
        for name in stepped:
            if name in node_of:
                alone |= {name, *self.before.get(name, ())[:_MOST_NEIGHBOURS]}
                alone |= set(self.after.get(name, ())[:_MOST_NEIGHBOURS])
        stages = [self._stage(group, node_of, alone, set(opened)) for group in self._groups]
        shown = {node.name for stage in stages for node in stage if node.span is None}
        labelled = _Labels(shown)
        nodes = tuple(replace(n, name=labelled(n.name)) if n.span else n for stage in stages for n in stage)
        calls = self._between(picture.calls, nodes, shown)
        return replace(
            picture,
            nodes=nodes,
            edges=(*_chain(nodes), *(edge for edge in picture.edges if shown.issuperset(edge))),
            note="\n".join([self._note(picture, needy), *filter(None, [picture.note]), *_unseen(calls)]),
            numbered=False,
            room=_ROOM,
            calls=calls,
        )

    def opened_like(self, earlier: Collapser, opened: Collection[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
        """Return the spans of what is to be opened here, as `opened` was in an earlier picture.

        A wave, or a part of one, is found again by its environments: it is where most of them are. What has none left
        is dropped.
        """
        waves_before = {group.span for group in earlier._groups}
        found = []
        for start, end in opened:
            names = earlier.order[start:end]
            wave = self._home(names, self._groups)
            parts = tuple(wave.parts()) if wave and wave.end - wave.start > _MOST_OPENED else ()
            found.append(wave if (start, end) in waves_before else self._home(names, parts))
        return tuple(dict.fromkeys(group.span for group in found if group))

    def _home(self, names: Sequence[str], groups: Sequence[_Group]) -> _Group | None:
        """Return the one of `groups`, which are in their order, that has most of `names`, if one has any."""
        starts = [group.start for group in groups]
        places = (self._place.get(name, -1) for name in names)
        at = (bisect_right(starts, place) - 1 for place in places if groups and starts[0] <= place < groups[-1].end)
        most = Counter(at).most_common(1)
        return groups[most[0][0]] if most else None

    def _between(self, calls: Sequence[Calls], nodes: Sequence[Node], shown: Collection[str]) -> tuple[Calls, ...]:
        """Return `calls` between what stands for those who call and are called."""
        spans = [(node.span, node.name) for node in nodes if node.span]
        homes: dict[str, str] = {name: name for name in shown}
        found: dict[tuple[str, str], Calls] = {}
        for one in calls:
            for name in (one.caller, one.called):
                if name not in homes:  # a part comes after the wave it is of
                    place = self._place[name]
                    homes[name] = next(label for (start, end), label in reversed(spans) if start <= place < end)
            ends = (homes[one.caller], homes[one.called])
            known = found.get(ends, Calls(*ends, 0, expected=True))
            found[ends] = Calls(*ends, known.count + one.count, known.expected and one.expected)
        return tuple(found.values())

    @staticmethod
    def _note(picture: Picture, needy: Sequence[str]) -> str:
        note = f"{len(picture.nodes):,} environments, summed up by wave"
        if needy:
            states = {node.name: node.state for node in picture.nodes}
            kinds = " or ".join(STATES[state].label for state in tally(states[name] for name in needy))
            note += f"; {_shown(min(len(needy), _MOST_SINGLED_OUT), len(needy))} {kinds} shown by name"
        return note

    def _stage(
        self,
        group: _Group,
        node_of: Mapping[str, Node],
        alone: Collection[str],
        opened: Collection[tuple[int, int]],
    ) -> list[Node]:
        """Return the node of a group, and what is shown of it beside that."""
        names = self.order[group.start : group.end]
        is_open = group.span in opened
        if not is_open:
            rest = [node_of[name].state for name in names if name not in alone]
            return [_summary(group, rest, len(names)), *(node_of[name] for name in names if name in alone)]
        summary = replace(_summary(group, [node_of[name].state for name in names], len(names)), opened=True)
        if len(names) <= _MOST_OPENED:
            return [summary, *(node_of[name] for name in names)]
        parts = [self._stage(part, node_of, alone, opened) for part in group.parts()]
        return [summary, *(node for part in parts for node in part)]


def _groups(found: Sequence[tuple[str, ...]]) -> Iterator[_Group]:
    """Yield runs of consecutive waves, as even as possible, each with what it is called."""
    count = min(len(found), _MOST_GROUPS)
    if not count:
        return
    run, longer = divmod(len(found), count)
    wave = place = 0
    for index in range(count):
        until = wave + run + (index < longer)
        size = sum(map(len, found[wave:until]))
        label = f"wave {wave + 1:,}" if until == wave + 1 else f"waves {wave + 1:,}–{until:,}"
        yield _Group(label, place, place + size, place)
        wave, place = until, place + size


def _summary(group: _Group, states: Sequence[str], count: int) -> Node:
    counts = tally(states)
    parts = [f"{count:,} {STATES[state].label}" for state, count in list(counts.items())[:2]]
    more = ", …" if len(counts) > 2 else ""
    subtitle = ", ".join(parts) + more or f"all {count:,} shown"
    return Node(group.label, by_urgency(states), subtitle, span=group.span)


class _Labels:
    """Gives each label once: an environment may itself be called "wave 1"."""

    def __init__(self, taken: Collection[str]) -> None:
        self._taken = set(taken)

    def __call__(self, label: str) -> str:
        while label in self._taken:
            label += " (all)"
        self._taken.add(label)
        return label


def _unseen(calls: Sequence[Calls]) -> list[str]:
    """Return a remark on the calls that no arrow shows, if there are any: those inside of what stands for both."""
    count = sum(one.count for one in calls if one.caller == one.called)
    return [f"{count:,} call{'' if count == 1 else 's'} inside of waves"] if count else []


def _shown(some: int, of: int) -> str:
    return f"{some:,}" if some == of else f"{some:,} of {of:,}"


def _chain(nodes: Sequence[Node]) -> Iterator[tuple[str, str]]:
    """Yield edges from each wave to the next: order, not every dependency."""
    last: Node | None = None
    for node in nodes:
        if node.span is None or (last and last.span and node.span[1] <= last.span[1]):
            continue  # an environment, or a part of the last
        if last:
            yield last.name, node.name
        last = node
