"""Runs as text: the tree of calls with their states and times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.view.escape import inert
from flyte_nb.view.states import STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flyte_nb.execution.node import Node

__all__ = ["tree_text"]

_MOST_LINES = 40
_INDENT = "   "


def tree_text(nodes: Sequence[Node]) -> str:
    """Return one line for each call, under its caller; beyond 40 lines, a count of the rest.

    Args:
        nodes: The calls in the order of their beginning, a caller before what it calls.
    """
    children: dict[int | None, list[Node]] = {}
    known = {node.id for node in nodes}
    for node in nodes:
        children.setdefault(node.parent if node.parent in known else None, []).append(node)
    pending = [(0, node) for node in reversed(children.get(None, ()))]
    lines: list[str] = []
    while pending and len(lines) < _MOST_LINES:
        depth, node = pending.pop()
        lines.append(f"{_INDENT * depth}{_line(node)}")
        pending.extend((depth + 1, child) for child in reversed(children.get(node.id, ())))
    if len(nodes) > len(lines):
        lines.append(f"and {len(nodes) - len(lines):,} more calls")
    return "\n".join(lines)


def _line(node: Node) -> str:
    glyph = STATES[node.state.value].glyph
    tries = f"  attempt {node.attempts}" if node.attempts > 1 else ""
    took = "" if node.duration is None else f"  {node.duration:.3f} s"
    return f"{glyph} {inert(node.task)}{took}{tries}{'  ' + inert(node.error) if node.error else ''}"
