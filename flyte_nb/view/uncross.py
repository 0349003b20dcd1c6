"""The order within each layer: sweeps that sort it by its neighbours, then sifting, which moves one at a time."""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import pairwise
from statistics import fmean, median
from typing import TYPE_CHECKING

from flyte_nb.view.sift import sift

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flyte_nb.view.lanes import Lanes

__all__ = ["crossings", "uncross"]

_SWEEPS, _SWEEPS_WHEN_LARGE, _LARGE, _PATIENCE = 24, 4, 6_000, 6
# What a second beginning may cost, in comparisons of two nodes of one layer.
_CHEAP = 60_000
# An order that people know is kept while it has so many times the crossings of the best that was found, and a few.
_LOYALTY, _FEW = 1.4, 12


def uncross(lanes: Lanes, known: Sequence[float | None] = ()) -> None:
    """Order the layers so that few edges cross. The same input gives the same order.

    Args:
        lanes: The layers, in any order; they are sorted in place.
        known: For each node, where it was drawn before, if it was. That order is kept unless it has become a bad one.
    """
    orders = [_from(lanes, lanes.before, lanes.after)]
    if sum(len(layer) ** 2 for layer in lanes.layers) <= _CHEAP:
        orders.append(_from(lanes, lanes.after, lanes.before))
    free, fewest = _best(lanes, [_settled(lanes, order, ()) for order in orders])
    if any(place is not None for place in known):
        kept, crossing = _best(lanes, [_settled(lanes, free, known)])
        if crossing <= fewest * _LOYALTY + _FEW:
            free = kept
    lanes.layers = free


def _from(lanes: Lanes, back: Sequence[list[int]], forth: Sequence[list[int]]) -> list[list[int]]:
    """Return the layers filled depth first from where nothing comes before: a tree comes out without a crossing."""
    layer_of = {number: index for index, layer in enumerate(lanes.layers) for number in layer}
    layers: list[list[int]] = [[] for _ in lanes.layers]
    seen = [False] * len(layer_of)
    stack = [number for number in reversed(range(len(layer_of))) if not back[number]]
    while stack:
        number = stack.pop()
        if not seen[number]:
            seen[number] = True
            layers[layer_of[number]].append(number)
            stack.extend(reversed(forth[number]))
    return layers


def _best(lanes: Lanes, orders: Sequence[list[list[int]]]) -> tuple[list[list[int]], int]:
    return min(((order, crossings(lanes, order)) for order in orders), key=lambda found: found[1])


def _settled(lanes: Lanes, order: Sequence[Sequence[int]], known: Sequence[float | None]) -> list[list[int]]:
    """Return the order that sweeps and sifting make of this one; what is known keeps its order."""
    layers, place = [list(layer) for layer in order], [0] * len(lanes.before)
    kept = {number: at for number, at in enumerate(known) if at is not None}
    for layer in layers:
        _restore(layer, kept)
        _note_places(layer, place)
    layers = _swept(lanes, layers, place, kept)
    for layer in layers:
        _note_places(layer, place)
    sift(lanes, layers, place, kept)
    return layers


def _restore(layer: list[int], kept: dict[int, float]) -> None:
    """Put those of `layer` that have an order to keep into it, in the places that they have together."""
    if kept:
        slots = [slot for slot, number in enumerate(layer) if number in kept]
        for slot, number in zip(slots, sorted((layer[slot] for slot in slots), key=kept.__getitem__), strict=True):
            layer[slot] = number


def _swept(lanes: Lanes, layers: list[list[int]], place: list[int], kept: dict[int, float]) -> list[list[int]]:
    """Sort each layer by where its neighbours are, down and up in turn, and return the best order seen."""
    best, fewest, in_vain = [list(layer) for layer in layers], crossings(lanes, layers), 0
    for sweep in range(_SWEEPS if len(place) < _LARGE else _SWEEPS_WHEN_LARGE):
        if not fewest or in_vain == _PATIENCE:
            break
        neighbours, middle = (lanes.after, lanes.before)[sweep % 2 == 0], (fmean, median)[sweep % 4 < 2]
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            _sort(layer, neighbours, middle, place)
            _restore(layer, kept)
            _note_places(layer, place)
        crossing, in_vain = crossings(lanes, layers), in_vain + 1
        if crossing < fewest:
            best, fewest, in_vain = [list(layer) for layer in layers], crossing, 0
    return best


def _sort(
    layer: list[int], neighbours: Sequence[list[int]], middle: Callable[[list[int]], float], place: Sequence[int]
) -> None:
    wanted = {n: middle([place[m] for m in neighbours[n]]) if neighbours[n] else place[n] for n in layer}
    layer.sort(key=wanted.__getitem__)


def _note_places(layer: Sequence[int], place: list[int]) -> None:
    for position, number in enumerate(layer):
        place[number] = position


def crossings(lanes: Lanes, layers: Sequence[Sequence[int]]) -> int:
    """Count the pairs of edges that cross: the inversions among the ends, layer by layer."""
    count = 0
    for layer, following in pairwise(layers):
        position = {number: index for index, number in enumerate(following)}
        ends: list[int] = []
        for number in layer:
            targets = [position[other] for other in lanes.after[number]]
            count += sum(len(ends) - bisect_right(ends, target) for target in targets)
            for target in targets:
                insort(ends, target)
    return count
