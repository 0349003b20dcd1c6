"""The nodes and edges as layers: long edges become chains of bends, and everything has a neighbour next door.

Sugiyama's method on integers: nodes are 0..real-1, the bends of long edges follow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Lanes", "with_bends"]

# Beyond this many bends nobody could follow the edges; long ones then run straight, and memory stays linear.
_MOST_BENDS = 5_000


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


def with_bends(layer_of: Sequence[int], edges: Iterable[tuple[int, int]]) -> Lanes:
    """Return the nodes and bends in their layers, not yet in an order anybody would want.

    Args:
        layer_of: The layer of each node, from 0.
        edges: (from, to) pairs of nodes, each to a later layer.
    """
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
    lanes.layers = [[] for _ in range(max(layer, default=-1) + 1)]
    for number, its_layer in enumerate(layer):
        lanes.layers[its_layer].append(number)
    return lanes
