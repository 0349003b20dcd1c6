"""The order within each wave: long edges become chains of bends, then sweeps that uncross the edges.

Sugiyama's method on integers: nodes are 0..real-1, the bends of long edges follow.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Lanes", "lay_lanes"]

# Beyond this many bends nobody could follow the edges; long ones then run straight, and memory stays linear.
_MOST_BENDS = 5_000
_SWEEPS, _SWEEPS_WHEN_LARGE, _LARGE, _PATIENCE = 24, 4, 6_000, 6


@dataclass(slots=True)
class Lanes:
    """Every node and bend in its layer.

    Attributes:
        real: How many nodes there are; higher numbers are bends.
        layers: The numbers in each layer, in the order they are drawn.
        before: For each number, its neighbours one layer up.
        after: For each number, its neighbours one layer down.
        bends: The bends of each edge that spans more than one layer.
    """

    real: int
    layers: list[list[int]]
    before: list[list[int]]
    after: list[list[int]]
    bends: dict[tuple[int, int], list[int]] = field(default_factory=dict)


def lay_lanes(layer_of: Sequence[int], edges: Iterable[tuple[int, int]]) -> Lanes:
    """Return the nodes and bends with few crossings between neighbouring layers. Deterministic.

    Args:
        layer_of: The layer of each node, from 0.
        edges: (from, to) pairs of nodes, each to a later layer.
    """
    lanes, layer = _with_bends(layer_of, edges)
    _first_order(lanes, layer)
    _uncross(lanes)
    return lanes


def _with_bends(layer_of: Sequence[int], edges: Iterable[tuple[int, int]]) -> tuple[Lanes, list[int]]:
    layer, edges = list(layer_of), list(edges)
    lanes = Lanes(len(layer), [], [[] for _ in layer], [[] for _ in layer])
    affordable = sum(layer[b] - layer[a] - 1 for a, b in edges) <= _MOST_BENDS
    for start, end in edges:
        if layer[end] - layer[start] > 1 and not affordable:
            continue
        chain = [start, *range(len(layer), len(layer) + layer[end] - layer[start] - 1), end]
        for between in range(layer[start] + 1, layer[end]):
            layer.append(between)
            lanes.before.append([])
            lanes.after.append([])
        for one, other in pairwise(chain):
            lanes.after[one].append(other)
            lanes.before[other].append(one)
        if chain[1:-1]:
            lanes.bends[start, end] = chain[1:-1]
    return lanes, layer


def _first_order(lanes: Lanes, layer: Sequence[int]) -> None:
    """Fill the layers depth first from the roots: a tree comes out without a crossing."""
    lanes.layers = [[] for _ in range(max(layer, default=-1) + 1)]
    seen = [False] * len(layer)
    stack = [number for number in reversed(range(len(layer))) if not lanes.before[number]]
    while stack:
        number = stack.pop()
        if not seen[number]:
            seen[number] = True
            lanes.layers[layer[number]].append(number)
            stack.extend(reversed(lanes.after[number]))


def _uncross(lanes: Lanes) -> None:
    """Sort each layer by where its neighbours are, down and up in turn, and keep the best order seen."""
    best, fewest, in_vain = [list(layer) for layer in lanes.layers], _crossings(lanes), 0
    place = [0] * len(lanes.before)
    for layer in lanes.layers:
        _note_places(layer, place)
    for sweep in range(_SWEEPS if len(place) < _LARGE else _SWEEPS_WHEN_LARGE):
        if not fewest or in_vain == _PATIENCE:
            break
        _sweep(lanes, place, downwards=sweep % 2 == 0, middle=median if sweep % 4 < 2 else fmean)
        crossings, in_vain = _crossings(lanes), in_vain + 1
        if crossings < fewest:
            best, fewest, in_vain = [list(layer) for layer in lanes.layers], crossings, 0
    lanes.layers = best


def _sweep(lanes: Lanes, place: list[int], *, downwards: bool, middle: Callable[[list[int]], float]) -> None:
    neighbours = lanes.before if downwards else lanes.after
    for layer in lanes.layers if downwards else reversed(lanes.layers):
        wanted = {n: middle([place[m] for m in neighbours[n]]) if neighbours[n] else place[n] for n in layer}
        layer.sort(key=wanted.__getitem__)
        _note_places(layer, place)


def _note_places(layer: Sequence[int], place: list[int]) -> None:
    for position, number in enumerate(layer):
        place[number] = position


def _crossings(lanes: Lanes) -> int:
    """Count the pairs of edges that cross: the inversions among the ends, layer by layer."""
    count = 0
    for layer, following in pairwise(lanes.layers):
        position = {number: index for index, number in enumerate(following)}
        ends: list[int] = []
        for number in layer:
            targets = [position[other] for other in lanes.after[number]]
            count += sum(len(ends) - bisect_right(ends, target) for target in targets)
            for target in targets:
                insort(ends, target)
    return count
