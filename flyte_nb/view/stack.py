"""Where a summed-up picture goes: a row for each wave, and what is shown of it in lines beside it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.view.detours import GAP_X, GAP_Y, detours
from flyte_nb.view.layout import Box, Layout, Point

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flyte_nb.view.detours import Cell
    from flyte_nb.view.picture import Node

__all__ = ["stack"]

_WIDTH = 1_010.0
_GAP_WAVES = 34.0


def stack(nodes: Sequence[Node], edges: Sequence[tuple[str, str]], box: Box) -> Layout:
    """Return where to draw a picture that was collapsed: nodes that stand for waves, each before what is shown of it.

    Args:
        nodes: As `flyte_nb.view.collapse` gives them.
        edges: (dependency, dependent) pairs of their names.
        box: The size of every node.
    """
    stages = _stages(nodes)
    columns = max(1, int((_WIDTH - box.width) // (box.width + GAP_X)))
    cells: dict[str, Cell] = {}
    positions: dict[str, Point] = {}
    y, first = 0.0, 0
    for stage in stages:
        for index, node in enumerate(stage):
            column, row = ((index - 1) % columns + 1, (index - 1) // columns) if index else (0, 0)
            cells[node.name] = (column, first + row)
            x, top = column * (box.width + GAP_X), y + row * (box.height + GAP_Y)
            positions[node.name] = (round(x + box.width / 2, 1), round(top + box.height / 2, 1))
        rows = max(1, -(-(len(stage) - 1) // columns))
        first += rows
        y += rows * (box.height + GAP_Y) - GAP_Y + _GAP_WAVES
    routes = detours(dict.fromkeys(edges), cells, positions, box)
    waves = tuple(tuple(node.name for node in stage) for stage in stages)
    cards = (x + box.width / 2 for x, _ in positions.values())
    right = max([*cards, *(x for route in routes.values() for x, _ in route)], default=box.width)
    return Layout("down", box, waves, positions, routes, round(right, 1), max(0.0, y - _GAP_WAVES))


def _stages(nodes: Sequence[Node]) -> list[list[Node]]:
    stages: list[list[Node]] = []
    end = 0
    for node in nodes:
        if node.span and node.span[1] > end:
            stages.append([])
            end = node.span[1]
        stages[-1].append(node)
    return stages
