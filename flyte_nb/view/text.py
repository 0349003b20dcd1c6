"""A picture in plain text: the waves in order, for terminals, logs and readers of the raw notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.view.calls import calls_lines
from flyte_nb.view.collapse import SINGLED_OUT
from flyte_nb.view.escape import inert
from flyte_nb.view.measure import clip_columns, columns, pad
from flyte_nb.view.scene import headline
from flyte_nb.view.states import STATES, tally, tally_text
from flyte_nb.view.waves import waves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flyte_nb.view.picture import Node, Picture

__all__ = ["graph_text"]

_MOST_LINES = 60
_WIDEST = 40
_MOST_NAMED = 4


def graph_text(picture: Picture) -> str:
    """Return the environments of `picture` a line each, by wave; beyond 60 lines, a count of the rest.

    Where lines are cut, those come first that large pictures show by themselves: what failed, or is not defined.

    Raises:
        ValueError: If the edges contain a cycle.
    """
    found = waves(picture.names, picture.edges)
    node_of = {node.name: node for node in picture.nodes}
    before: dict[str, list[str]] = {}
    for dependency, dependent in dict.fromkeys(picture.edges):
        before.setdefault(dependent, []).append(dependency)
    in_order = [(number, node_of[name]) for number, wave in enumerate(found, start=1) for name in wave]
    if len(in_order) > _MOST_LINES:
        in_order.sort(key=lambda entry: entry[1].state not in SINGLED_OUT)
    with_states = any(node.state != "defined" for node in picture.nodes)
    rows = [
        _row(number, node, before.get(node.name, ()), with_states=with_states)
        for number, node in in_order[:_MOST_LINES]
    ]
    lines = [headline(picture, len(found)), *_aligned(rows)]
    if picture.note:
        lines[1:1] = map(inert, picture.note.split("\n"))
    if rest := [node for _, node in in_order[_MOST_LINES:]]:
        lines.append(f"and {len(rest):,} more: {tally_text(tally(node.state for node in rest))}")
    lines += map(inert, calls_lines(picture.calls))
    return "\n".join(lines)


def _row(number: int, node: Node, before: Sequence[str], *, with_states: bool) -> list[str]:
    state = STATES[node.state]
    named = ", ".join(clip_columns(inert(name), _WIDEST) for name in before[:_MOST_NAMED])
    if len(before) > _MOST_NAMED:
        named += f" and {len(before) - _MOST_NAMED:,} more"
    name, subtitle = clip_columns(inert(node.name), _WIDEST), clip_columns(inert(node.subtitle), _WIDEST)
    status = [f"{state.glyph} {state.label}"] if with_states else []
    return [f"{number:,}", name, *status, subtitle, f"after {named}" if named else ""]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    padded = ("  ".join(pad(cell, w) for cell, w in zip(row, widths, strict=True) if w) for row in rows)
    return [line.rstrip() for line in padded]
