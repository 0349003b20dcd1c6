"""A picture of hundreds of environments, summed up by wave, so that it can be drawn and read."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from flyte_nb.view.picture import Node, Picture
from flyte_nb.view.states import STATES, by_urgency, tally
from flyte_nb.view.waves import waves

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Collapser", "collapse"]

_MOST_NODES, _MOST_EDGES = 500, 2_000
_MOST_GROUPS, _MOST_SINGLED_OUT = 20, 40
_SINGLED_OUT = frozenset({"failed", "timed out", "lost", "undefined"})


def collapse(picture: Picture) -> Picture:
    """Return `picture`, or what stands for it if it has more than 500 nodes or 2,000 edges.

    The stand-in has one node for each wave (each run of waves, beyond 20) with its counts by state; environments that
    have failed, timed out or got lost, and undefined ones, are shown by themselves, up to 40 of them. Its note says so.
    """
    return Collapser(picture)(picture)


@dataclass(frozen=True, slots=True)
class _Group:
    label: str
    members: tuple[str, ...]


class Collapser:
    """Collapses one picture again and again as its states change; the waves are found once.

    Args:
        picture: The picture whose nodes and edges stay as they are.
    """

    def __init__(self, picture: Picture) -> None:
        self.needed = len(picture.nodes) > _MOST_NODES or len(picture.edges) > _MOST_EDGES
        self._groups = _groups(waves(picture.names, picture.edges)) if self.needed else ()

    def __call__(self, picture: Picture) -> Picture:
        """Return `picture` with its present states, collapsed if it is too large to read."""
        if not self.needed:
            return picture
        node_of = {node.name: node for node in picture.nodes}
        needy = [node.name for node in picture.nodes if node.state in _SINGLED_OUT]
        singled_out = set(needy[:_MOST_SINGLED_OUT])
        stages: list[list[Node]] = []
        taken = set(singled_out)
        for group in self._groups:
            rest = [node_of[name].state for name in group.members if name not in singled_out]
            alone = [node_of[name] for name in group.members if name in singled_out]
            summary = [_summary(_unused(group.label, taken), rest)] if rest else []
            stages.append(summary + alone)
        note = f"{len(picture.nodes):,} environments, summed up by wave"
        if needy:
            kinds = " or ".join(STATES[state].label for state in tally(node_of[name].state for name in needy))
            note += f"; {_shown(len(singled_out), len(needy))} {kinds} by name"
        return replace(
            picture,
            nodes=tuple(node for stage in stages for node in stage),
            edges=_between(stages),
            note=note,
            numbered=False,
        )


def _groups(found: Sequence[tuple[str, ...]]) -> tuple[_Group, ...]:
    """Return runs of consecutive waves, as even as possible, each with what it is called."""
    run, longer = divmod(len(found), min(len(found), _MOST_GROUPS))
    by_start: dict[int, list[str]] = defaultdict(list)
    start, ends = 0, []
    for index in range(min(len(found), _MOST_GROUPS)):
        stop = start + run + (index < longer)
        for wave in found[start:stop]:
            by_start[start].extend(wave)
        ends.append((start, stop))
        start = stop
    return tuple(
        _Group(f"wave {a + 1:,}" if b == a + 1 else f"waves {a + 1:,}–{b:,}", tuple(by_start[a])) for a, b in ends
    )


def _summary(name: str, states: Sequence[str]) -> Node:
    counts = tally(states)
    details = tuple((STATES[state].label, f"{count:,}") for state, count in counts.items())
    if len(counts) == 1:
        subtitle = f"{len(states):,} {STATES[states[0]].label}"
    else:
        subtitle = ", ".join(f"{count:,} {STATES[state].label}" for state, count in list(counts.items())[:2])
        subtitle += ", …" if len(counts) > 2 else ""
    return Node(name, by_urgency(states), subtitle, (("environments", f"{len(states):,}"), *details))


def _unused(label: str, taken: set[str]) -> str:
    """Return `label`, or a variant nobody has: an environment may itself be called "wave 1"."""
    while label in taken:
        label += " (all)"
    taken.add(label)
    return label


def _shown(some: int, of: int) -> str:
    return f"{some:,}" if some == of else f"{some:,} of {of:,}"


def _between(stages: Sequence[Sequence[Node]]) -> tuple[tuple[str, str], ...]:
    """Return edges from the first node of each stage to all of the next: order, not every dependency."""
    return tuple((before[0].name, node.name) for before, after in pairwise(stages) for node in after)
