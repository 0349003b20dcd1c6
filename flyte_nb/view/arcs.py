"""Where calls are drawn: behind the nodes and apart from the edges, with their count in the middle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flyte_nb.view.layout import Layout, Point
    from flyte_nb.view.picture import Calls

__all__ = ["AROUND_ROOM", "LABEL_SIZE", "Arc", "arcs", "calls_text"]

LABEL_SIZE = 11.0
# Beside the edge that there may be between the same two.
_ASIDE = 12.0
_BULGE = 56.0
# Past the waves of a stack, the further the longer the way is; and the room that is needed for that, label included.
_AROUND, _AROUND_SHARE, _MOST_AROUND, AROUND_ROOM = 40.0, 0.12, 112.0, 110.0
_REMARK = " !"


@dataclass(frozen=True, slots=True)
class Arc:
    """Calls from one card to another: an SVG path, and a label in the middle of it.

    Attributes:
        source: The key of the card that calls.
        target: The key of the card that is called.
        path: The data of the path.
        label: How many calls, and "!" if there is something to remark.
        x: The middle of the label.
        y: The baseline of the label.
        expected: Whether what is called is among what the caller depends on.
        right: Where the drawing ends on the right.
    """

    source: str
    target: str
    path: str
    label: str
    x: float
    y: float
    expected: bool
    right: float


def calls_text(calls: Calls) -> str:
    """Return how many calls there were: "3 calls"."""
    return f"{calls.count:,} call{'' if calls.count == 1 else 's'}"


def arcs(
    calls: Sequence[Calls], keys: Mapping[str, str], layout: Layout, origin: Point, *, stacked: bool = False
) -> tuple[Arc, ...]:
    """Return where to draw `calls`; those from or to names that are not in `layout` are left out.

    Args:
        calls: What has called what.
        keys: The key of each name.
        layout: Where the cards are.
        origin: Where the layout begins in the picture.
        stacked: Whether the layout is a stack of waves, on whose left there is `AROUND_ROOM`.
    """
    return tuple(
        _arc(one, keys, layout, origin, stacked=stacked)
        for one in calls
        if one.caller in layout.positions and one.called in layout.positions and one.caller != one.called
    )


def _arc(calls: Calls, keys: Mapping[str, str], layout: Layout, origin: Point, *, stacked: bool) -> Arc:
    start, end = (
        (x + origin[0], y + origin[1]) for x, y in (layout.positions[calls.caller], layout.positions[calls.called])
    )
    label = calls_text(calls) + ("" if calls.expected else _REMARK)
    in_first_column = stacked and start[0] == end[0] == origin[0] + layout.box.width / 2
    path, (x, y) = _around(start, end, layout) if in_first_column else _route(start, end, layout)
    right = x + len(label) * LABEL_SIZE * 0.31 + 8.0
    return Arc(
        keys[calls.caller], keys[calls.called], path, label, round(x, 1), round(y, 1), calls.expected, round(right, 1)
    )


def _around(start: Point, end: Point, layout: Layout) -> tuple[str, Point]:
    """Return the path from one wave of a stack to another, which the waves between would hide: around their left."""
    left, y0, y1 = start[0] - layout.box.width / 2, start[1] + _ASIDE / 2, end[1] - _ASIDE / 2
    bulge = min(_AROUND + _AROUND_SHARE * abs(y1 - y0), _MOST_AROUND)
    path = f"M{left:g} {y0:g}C{left - bulge:g} {y0:g} {left - bulge:g} {y1:g} {left:g} {y1:g}"
    return path, (left - 0.75 * bulge, (y0 + y1) / 2 + 4.0)


def _route(start: Point, end: Point, layout: Layout) -> tuple[str, Point]:
    """Return the path from one card to another, and the middle of its label."""
    (x0, y0), (x1, y1), half, tall = start, end, layout.box.width / 2, layout.box.height / 2
    if layout.flow == "right" and abs(x0 - x1) < half:  # in one column: around their right side
        side = x0 + half + _BULGE
        path = f"M{x0 + half:g} {y0:g}C{side:g} {y0:g} {side:g} {y1:g} {x1 + half:g} {y1:g}"
        return path, (side, (y0 + y1) / 2 + 4.0)
    if layout.flow == "down" and abs(y0 - y1) < tall:  # in one row: around their lower side
        low = y0 + tall + _BULGE / 2
        path = f"M{x0:g} {y0 + tall:g}C{x0:g} {low:g} {x1:g} {low:g} {x1:g} {y1 + tall:g}"
        return path, ((x0 + x1) / 2, low - 2.0)
    if layout.flow == "right":
        ahead = half if x1 > x0 else -half
        x0, x1, y0, y1 = x0 + ahead, x1 - ahead, y0 + _ASIDE, y1 + _ASIDE
        middle = (x0 + x1) / 2
        path = f"M{x0:g} {y0:g}C{middle:g} {y0:g} {middle:g} {y1:g} {x1:g} {y1:g}"
    else:
        ahead = tall if y1 > y0 else -tall
        x0, x1, y0, y1 = x0 + _ASIDE * 3, x1 + _ASIDE * 3, y0 + ahead, y1 - ahead
        middle = (y0 + y1) / 2
        path = f"M{x0:g} {y0:g}C{x0:g} {middle:g} {x1:g} {middle:g} {x1:g} {y1:g}"
    return path, ((x0 + x1) / 2, (y0 + y1) / 2 + 4.0)
