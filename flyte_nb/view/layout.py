"""Where everything goes: waves as columns (or rows), few crossings, no edge behind a node. Pure and iterative."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from flyte_nb.view.lanes import with_bends
from flyte_nb.view.spread import spread
from flyte_nb.view.uncross import uncross
from flyte_nb.view.waves import waves

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flyte_nb.view.lanes import Lanes

__all__ = ["Box", "Flow", "Layout", "Point", "arrange"]

Flow = Literal["right", "down"]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """The size of every node, in pixels."""

    width: float = 180.0
    height: float = 48.0


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions for a picture, in pixels from its top left corner.

    Attributes:
        flow: Whether later waves are to the right or further down.
        box: The size of every node.
        waves: The names in each wave, in the order they are drawn.
        positions: The centre of each node.
        routes: For each edge its points: out of one node, past the waves between, into the other. Between the
            points of a pair an edge bends (0 to 1, 2 to 3, ...); from pair to pair it runs straight past a wave. In a
            stack an edge of more than two points turns at each of them.
        width: The extent of it all.
        height: The extent of it all.
    """

    flow: Flow
    box: Box
    waves: tuple[tuple[str, ...], ...]
    positions: Mapping[str, Point]
    routes: Mapping[tuple[str, str], tuple[Point, ...]]
    width: float
    height: float

    @property
    def across(self) -> tuple[str, ...]:
        """The names as they lie across the flow: by this a later layout can be like this one."""
        axis = 1 if self.flow == "right" else 0
        return tuple(sorted(self.positions, key=lambda name: self.positions[name][axis]))


# Environments have long names and short depths: a few waves of many. Flowing to the right, a wave is a column that
# reads like a list and grows the way a notebook scrolls, while 10 nodes in a row would be 2,000 pixels wide. Only a
# chain too long for a cell's width turns downwards, where it is as narrow as one node.
_CELL_WIDTH = 1_000.0
_GAP_ALONG: Mapping[Flow, float] = {"right": 64.0, "down": 44.0}
_GAP_ACROSS: Mapping[Flow, float] = {"right": 16.0, "down": 28.0}
_BEND_ROOM = 16.0


def arrange(
    names: Sequence[str], edges: Iterable[tuple[str, str]], box: Box | None = None, like: Sequence[str] = ()
) -> Layout:
    """Return where to draw `names` and the routes of `edges`. The same input gives the same layout.

    Args:
        names: Distinct names; their order breaks ties.
        edges: (dependency, dependent) pairs of those names. Repeated ones are drawn once.
        box: The size of every node.
        like: The names as they lay across the flow in an earlier layout, which this one is to resemble: those that
            share a wave keep their order, unless that would cost many crossings.

    Raises:
        ValueError: If the edges contain a cycle.
    """
    return _arranged(tuple(names), tuple(dict.fromkeys(edges)), box or Box(), tuple(like))


# The picture that stays in the notebook and the live one have one layout, and it takes the longest.
@lru_cache(maxsize=8)
def _arranged(names: tuple[str, ...], edges: tuple[tuple[str, str], ...], box: Box, like: tuple[str, ...]) -> Layout:
    found = waves(names, edges)
    if not edges:
        return _grid(names, box)
    number = {name: index for index, name in enumerate(names)}
    layer_of = [0] * len(names)
    for layer, members in enumerate(found):
        for name in members:
            layer_of[number[name]] = layer
    lanes = with_bends(layer_of, [(number[a], number[b]) for a, b in edges])
    rank = {name: float(position) for position, name in enumerate(like)}
    uncross(lanes, [rank.get(name) for name in names])
    return _placed(names, edges, layer_of, lanes, box)


def _placed(
    names: tuple[str, ...], edges: Sequence[tuple[str, str]], layer_of: Sequence[int], lanes: Lanes, box: Box
) -> Layout:
    """Turn layers and their order into pixels, first along the flow and across it, then in x and y."""
    ordered = tuple(tuple(names[n] for n in layer if n < lanes.real) for layer in lanes.layers)
    flow = _flow(box, len(ordered), max(map(len, ordered)))
    long, broad = (box.width, box.height) if flow == "right" else (box.height, box.width)
    pitch, gap = long + _GAP_ALONG[flow], _GAP_ACROSS[flow]
    at = spread(lanes, broad + gap, _BEND_ROOM)
    reach = [broad / 2 if number < lanes.real else 0.0 for number in range(len(at))]
    outside = min(place - half for place, half in zip(at, reach, strict=True))  # spread() leaves room there as well

    def point(along: float, across: float) -> Point:
        one, other = round(along, 1), round(across - outside, 1)
        return (one, other) if flow == "right" else (other, one)

    number = {name: index for index, name in enumerate(names)}
    routes = {}
    for before, after in edges:
        start, end = number[before], number[after]
        route = [point(layer_of[start] * pitch + long, at[start])]
        for layer, bend in enumerate(lanes.bends.get((start, end), ()), start=layer_of[start] + 1):
            route += [point(layer * pitch, at[bend]), point(layer * pitch + long, at[bend])]
        routes[before, after] = (*route, point(layer_of[end] * pitch, at[end]))
    edge = max(place + half for place, half in zip(at, reach, strict=True))
    width, height = point(len(ordered) * pitch - _GAP_ALONG[flow], edge)
    positions = {name: point(layer_of[n] * pitch + long / 2, at[n]) for name, n in number.items()}
    return Layout(flow, box, ordered, positions, routes, width, height)


def _flow(box: Box, waves: int, widest: int) -> Flow:
    to_the_right = waves * (box.width + _GAP_ALONG["right"])
    downwards = widest * (box.width + _GAP_ACROSS["down"])
    return "down" if to_the_right > _CELL_WIDTH and downwards < to_the_right else "right"


def _grid(names: tuple[str, ...], box: Box) -> Layout:
    """Return one wave as rows that fit into a cell: without edges a column would only be long."""
    if not names:
        return Layout("right", box, (), {}, {}, 0.0, 0.0)
    step, drop = box.width + _GAP_ACROSS["down"], box.height + _GAP_ACROSS["right"]
    per_row = max(1, min(len(names), int((_CELL_WIDTH + _GAP_ACROSS["down"]) // step)))
    positions = {
        name: (round(i % per_row * step + box.width / 2, 1), round(i // per_row * drop + box.height / 2, 1))
        for i, name in enumerate(names)
    }
    rows = -(-len(names) // per_row)
    width, height = per_row * step - _GAP_ACROSS["down"], rows * drop - _GAP_ACROSS["right"]
    return Layout("right", box, (names,), positions, {}, width, height)
