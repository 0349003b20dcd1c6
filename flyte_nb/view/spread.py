"""Coordinates across a layer: as close to their neighbours as the distance to the next one in line allows."""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flyte_nb.view.lanes import Lanes

__all__ = ["spread"]

# Odd, so that the last round follows the arrows: what waits for one environment ends up level with it.
_ROUNDS, _ROUNDS_WHEN_LARGE, _LARGE = 13, 3, 6_000
# How much a bend insists on its place, next to a node's 1: where both want one place, the chain of nodes is straight.
_BEND_WEIGHT = 0.001


def spread(lanes: Lanes, node: float, bend: float) -> list[float]:
    """Return a coordinate for every node and bend, the smallest edge at 0.

    Args:
        lanes: The layers in order.
        node: The room a node takes, its margin included.
        bend: The room a bend takes.
    """
    room = [node] * lanes.real + [bend] * (len(lanes.before) - lanes.real)
    at = [0.0] * len(room)
    for layer in lanes.layers:
        _settle(lanes, layer, at, room, [0.0] * len(layer))
    rounds = _ROUNDS if len(room) < _LARGE else _ROUNDS_WHEN_LARGE
    before, after = _followed(lanes, lanes.before), _followed(lanes, lanes.after)
    for turn in range(rounds):
        downwards = turn % 2 == 0
        near, far = (before, after) if downwards else (after, before)
        for layer in lanes.layers if downwards else reversed(lanes.layers):
            _settle(lanes, layer, at, room, [_wanted(number, near, far, at) for number in layer])
    lowest = min((at[n] - room[n] / 2 for n in range(len(room))), default=0.0)
    return [coordinate - lowest for coordinate in at]


def _followed(lanes: Lanes, neighbours: Sequence[list[int]]) -> list[list[int]]:
    """Return the neighbours each number lines up with: a node with nodes if it can, so that chains stay straight."""
    followed = [[m for m in near if m < lanes.real] or near for near in neighbours[: lanes.real]]
    return followed + list(neighbours[lanes.real :])


def _wanted(number: int, near: Sequence[list[int]], far: Sequence[list[int]], at: Sequence[float]) -> float:
    neighbours = near[number] or far[number]
    return median([at[other] for other in neighbours]) if neighbours else at[number]


def _settle(
    lanes: Lanes, layer: Sequence[int], at: list[float], room: Sequence[float], wanted: Sequence[float]
) -> None:
    """Place one layer: the closest coordinates to the wanted ones that keep order and distance.

    That is an isotonic regression (pool adjacent violators) once the distances are taken off.
    """
    offsets = [0.0]
    for one, other in pairwise(layer):
        offsets.append(offsets[-1] + (room[one] + room[other]) / 2)
    pools: list[tuple[float, float, int]] = []  # weighted sum, weight, members
    for number, want, offset in zip(layer, wanted, offsets, strict=True):
        weight = 1.0 if number < lanes.real else _BEND_WEIGHT
        total, members = (want - offset) * weight, 1
        while pools and pools[-1][0] / pools[-1][1] > total / weight:
            more, heavier, others = pools.pop()
            total, weight, members = total + more, weight + heavier, members + others
        pools.append((total, weight, members))
    shifts = [total / weight for total, weight, members in pools for _ in range(members)]
    for number, shift, offset in zip(layer, shifts, offsets, strict=True):
        at[number] = shift + offset
