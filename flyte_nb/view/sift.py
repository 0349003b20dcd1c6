"""Sifting: each node goes to the place within its layer where its edges cross fewest others, again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from flyte_nb.view.lanes import Lanes

__all__ = ["sift"]

_PASSES = 10
# How many comparisons of two nodes of one layer all passes together may take: about a third of a second.
_MOST_COMPARISONS = 250_000


def sift(lanes: Lanes, layers: Sequence[list[int]], place: list[int], fixed: Collection[int] = ()) -> None:
    """Move the nodes and bends of `layers` in place until no move removes a crossing, or the time is up.

    Args:
        lanes: Who has which neighbours.
        layers: The numbers in each layer.
        place: The place of each number within its layer; kept up to date.
        fixed: The numbers that stay where they are among each other.
    """
    cost = sum(len(layer) ** 2 for layer in layers)
    for turn in range(min(_PASSES, _MOST_COMPARISONS // max(1, cost))):
        order = range(len(layers)) if turn % 2 == 0 else reversed(range(len(layers)))
        if not sum([_sift_layer(lanes, layers, index, place, fixed) for index in order]):
            return


def _sift_layer(lanes: Lanes, layers: Sequence[list[int]], index: int, place: list[int], fixed: Collection[int]) -> int:
    """Move what gains by it in one layer, and return how many crossings that removes."""
    layer, gained = layers[index], 0
    above = len(layers[index - 1]) if index else 0
    below = len(layers[index + 1]) if index + 1 < len(layers) else 0
    ups = {number: [place[other] for other in lanes.before[number]] for number in layer}
    downs = {number: [place[other] for other in lanes.after[number]] for number in layer}
    for number in tuple(layer):
        if number in fixed:
            continue
        up, down = _pull(ups[number], above), _pull(downs[number], below)
        # What it costs this number to stand before another rather than behind it.
        costs = [sum([up[at] for at in ups[other]]) + sum([down[at] for at in downs[other]]) for other in layer]
        at = layer.index(number)
        gain, to = _best_move(costs, at)
        if gain:
            layer.insert(to, layer.pop(at))
            gained += gain
    for position, number in enumerate(layer):
        place[number] = position
    return gained


def _pull(ends: Sequence[int], size: int) -> list[int]:
    """Return, for each place in the layer next door, how many more of `ends` lie behind it than before it."""
    pull: list[int] = []
    ends, before = sorted(ends), 0
    for position, end in enumerate(ends):
        if position and end == ends[position - 1]:
            continue
        pull += [len(ends) - 2 * before] * (end - len(pull))
        same = ends.count(end)
        pull.append(len(ends) - 2 * before - same)
        before += same
    return pull + [-len(ends)] * (size - len(pull))


def _best_move(costs: Sequence[int], at: int) -> tuple[int, int]:
    """Return how many crossings the best move from `at` removes, and where to it goes."""
    best, to, cost = 0, at, 0
    for position in range(at + 1, len(costs)):
        cost -= costs[position]
        if cost < best:
            best, to = cost, position
    cost = 0
    for position in range(at - 1, -1, -1):
        cost += costs[position]
        if cost < best:
            best, to = cost, position
    return -best, to
