"""The ways of the wires of a summed-up picture: straight where nothing is between, or else around the cards. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flyte_nb.view.layout import Box, Point

__all__ = ["GAP_X", "GAP_Y", "Cell", "detours", "rounded"]

Cell = tuple[int, int]
"""The column and the row of a card."""

GAP_X, GAP_Y = 48.0, 14.0
"""Between columns there is room for four lanes and an arrowhead on either side, between rows for one."""
# Lanes lie beside a column, the first next to it. Those beyond the gap are for wires that have free room there, which
# first take every other one.
_FIRST_LANE, _LANE = 13.0, 7.0
_LANES_IN_GAP, _FREE_LANES = (0, 1, 2, 3), (*range(1, 24, 2), *range(0, 24, 2))
# What leaves a side and what arrives there are apart, and the head of an arrow has a straight end.
_ASIDE, _HEAD = 7.0, 9.0
_CORNER, _ROUND = 10.0, 40.0


@dataclass(frozen=True, slots=True)
class _Detour:
    """An edge that runs down in a gap: which one (that on the right of this column), and from where to where."""

    edge: tuple[str, str]
    gap: int
    reach: tuple[float, float]
    is_free: bool


def detours(
    edges: Iterable[tuple[str, str]], cells: Mapping[str, Cell], positions: Mapping[str, Point], box: Box
) -> dict[tuple[str, str], tuple[Point, ...]]:
    """Return the points of each edge: two of one that runs straight, or those where it turns on its way around cards.

    Args:
        edges: Distinct pairs of names.
        cells: Where in the rows and columns each name is; no two are in one cell.
        positions: The centre of each name, in pixels from the top left corner of it all.
        box: The size of every card.
    """
    columns = _columns(cells.values())
    routes: dict[tuple[str, str], tuple[Point, ...]] = {}
    around = []
    for edge in edges:
        start, end = cells[edge[0]], cells[edge[1]]
        straight = _straight(start, end, positions[edge[0]], positions[edge[1]], box, columns)
        routes[edge] = straight  # keeps the order of the edges
        if not straight:
            around.append(_detour(edge, cells, positions, columns))
    for detour, lane in _lanes(around):
        x = detour.gap * (box.width + GAP_X) + box.width + _FIRST_LANE + lane * _LANE
        start, end = cells[detour.edge[0]], cells[detour.edge[1]]
        leaves = _leave(start[0] - detour.gap, positions[detour.edge[0]], x, box)
        routes[detour.edge] = (*leaves, *_arrive(end[0] - detour.gap, positions[detour.edge[1]], x, box))
    return routes


def rounded(points: Sequence[Point]) -> str:
    """Return the data of an SVG path through `points` that takes its turns, each a right angle, smoothly."""
    lengths = [abs(x1 - x0) + abs(y1 - y0) for (x0, y0), (x1, y1) in pairwise(points)]
    last = len(points) - 2
    room = [length / 2 for length in lengths]
    room[0], room[-1] = lengths[0], max(0.0, lengths[-1] - _HEAD)
    steps = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for turn in range(1, last + 1):
        outer = turn in (1, last)  # beside a card there is nothing that a wide turn could touch
        radius = min(room[turn - 1], room[turn], _ROUND if outer else _CORNER)
        x, y = points[turn]
        x0, y0 = _towards(points[turn], points[turn - 1], radius)
        x1, y1 = _towards(points[turn], points[turn + 1], radius)
        steps.append(f"L{x0:g} {y0:g}Q{x:g} {y:g} {x1:g} {y1:g}")
    steps.append(f"L{points[-1][0]:g} {points[-1][1]:g}")
    return "".join(steps)


def _towards(point: Point, other: Point, distance: float) -> Point:
    (x, y), (u, v) = point, other
    dx, dy = (u > x) - (u < x), (v > y) - (v < y)
    return round(x + dx * distance, 1), round(y + dy * distance, 1)


def _columns(cells: Iterable[Cell]) -> dict[int, list[int]]:
    """Return the rows that are taken in each column, in order."""
    columns: dict[int, list[int]] = {}
    for column, row in cells:
        columns.setdefault(column, []).append(row)
    for rows in columns.values():
        rows.sort()
    return columns


def _is_free(columns: Mapping[int, list[int]], column: int, first: int, last: int) -> bool:
    rows = columns.get(column, [])
    return bisect_left(rows, first) == bisect_right(rows, last)


def _straight(
    start: Cell, end: Cell, source: Point, target: Point, box: Box, columns: Mapping[int, list[int]]
) -> tuple[Point, ...]:
    """Return the ends of a wire that meets no card on its way, or nothing if it would."""
    (column, row), (to_column, to_row) = start, end
    if row == to_row and abs(to_column - column) == 1:
        half = box.width / 2 if to_column > column else -box.width / 2
        return (source[0] + half, source[1]), (target[0] - half, target[1])
    passed = range(min(column, to_column), max(column, to_column) + 1)
    if row < to_row and all(_is_free(columns, one, row + 1, to_row - 1) for one in passed):
        return (source[0], source[1] + box.height / 2), (target[0], target[1] - box.height / 2)
    return ()


def _detour(
    edge: tuple[str, str],
    cells: Mapping[str, Cell],
    positions: Mapping[str, Point],
    columns: Mapping[int, list[int]],
) -> _Detour:
    """Return the gap to go down in: on the side of the target that is nearer, and on the right of one column."""
    (column, row), (to_column, to_row) = cells[edge[0]], cells[edge[1]]
    gap = to_column - 1 if column < to_column else to_column
    first, last = sorted((row, to_row))
    is_free = column == to_column and _is_free(columns, column + 1, first, last)
    y0, y1 = positions[edge[0]][1], positions[edge[1]][1]
    return _Detour(edge, gap, (min(y0, y1), max(y0, y1)), is_free)


def _lanes(around: Sequence[_Detour]) -> Iterable[tuple[_Detour, int]]:
    """Yield each detour with its lane: the further it reaches, the further out, and none upon another if there is room.

    Thousands in one gap share what lanes there are.
    """
    taken: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for number, detour in enumerate(sorted(around, key=lambda one: one.reach[1] - one.reach[0])):
        lanes = _FREE_LANES if detour.is_free else _LANES_IN_GAP
        lane = next((lane for lane in lanes if _fits(taken.get((detour.gap, lane), ()), detour.reach)), None)
        if lane is None:
            lane = lanes[number % len(lanes)]
        else:
            insort(taken.setdefault((detour.gap, lane), []), detour.reach)
        yield detour, lane


def _fits(taken: Sequence[tuple[float, float]], reach: tuple[float, float]) -> bool:
    """Say whether `reach` meets none of `taken`, which are in order and apart from each other."""
    at = bisect_right(taken, reach)
    return (at == 0 or taken[at - 1][1] < reach[0]) and (at == len(taken) or reach[1] < taken[at][0])


def _leave(columns_off: int, source: Point, x: float, box: Box) -> tuple[Point, ...]:
    """Return the way from a card to the lane at `x`: by its side, or under it past the cards in between."""
    if columns_off in (0, 1):
        side = box.width / 2 if columns_off == 0 else -box.width / 2
        return (source[0] + side, source[1] + _ASIDE), (x, source[1] + _ASIDE)
    low = source[1] + box.height / 2
    return (source[0], low), (source[0], low + GAP_Y / 2), (x, low + GAP_Y / 2)


def _arrive(columns_off: int, target: Point, x: float, box: Box) -> tuple[Point, ...]:
    """Return the way from the lane at `x` to the side of a card that is next to it."""
    side = box.width / 2 if columns_off == 0 else -box.width / 2
    return (x, target[1] - _ASIDE), (target[0] + side, target[1] - _ASIDE)
