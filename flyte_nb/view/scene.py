"""A picture with everything decided: what is written where. The still image and the live view both draw this."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from flyte_nb.view.arcs import AROUND_ROOM, LABEL_SIZE, Arc, arcs
from flyte_nb.view.detours import rounded
from flyte_nb.view.escape import inert
from flyte_nb.view.layout import Box, Layout, Point, arrange
from flyte_nb.view.measure import fit_end, fit_middle, fit_words, mono_width, sans_width
from flyte_nb.view.stack import stack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flyte_nb.view.picture import Node, Picture

__all__ = [
    "NAME_SIZE",
    "SUBTITLE_SIZE",
    "TEXT_LEFT",
    "Band",
    "Card",
    "Line",
    "Scene",
    "Wire",
    "across",
    "compose",
    "headline",
]

NAME_SIZE, SUBTITLE_SIZE, TEXT_LEFT = 13.5, 11.0, 38.0
_NOTE_SIZE = 12.0
_NARROWEST, _WIDEST_TEXT, _RIGHT_PADDING = 120.0, 260.0, 16.0
_TALL, _SHORT = 50.0, 38.0
_MARGIN, _BAND_PADDING, _BAND_HEADER, _BAND_ASIDE = 16.0, 14.0, 22.0, 62.0
_WIDEST_NOTE = 640.0
_MOST_DETAILS = 40


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text with its left end on the baseline."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Band:
    """The background of one wave, and its number."""

    x: float
    y: float
    width: float
    height: float
    label: Line


@dataclass(frozen=True, slots=True)
class Card:
    """One node: its top left corner, the text that fits into it, and all that is known about it (inert)."""

    key: str
    x: float
    y: float
    label: str
    sublabel: str
    name: str
    subtitle: str
    state: str
    details: tuple[tuple[str, str], ...]
    span: tuple[int, int] | None = None
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Wire:
    """One edge between the cards with these keys, as the data of an SVG path."""

    source: str
    target: str
    path: str


@dataclass(frozen=True, slots=True)
class Scene:
    """All there is to draw, in pixels; `cards` are in the order of waves, for reading and for the keyboard.

    Attributes:
        summed: Whether cards stand for waves; edges between others are then too many to be seen all at once.
        calls: What has called what, in paths of their own.
        sides: What to call the lists of what comes before a card, and of what comes after it.
    """

    width: float
    height: float
    box: Box
    headline: str
    lines: tuple[Line, ...]
    bands: tuple[Band, ...]
    cards: tuple[Card, ...]
    wires: tuple[Wire, ...]
    summed: bool = False
    calls: tuple[Arc, ...] = ()
    sides: tuple[str, str] = ("", "")


def headline(picture: Picture, waves: int) -> str:
    """Return the count of what a picture shows; one that is summed up says so itself."""
    if not picture.nodes:
        return "No environments"
    if not picture.numbered:
        return inert(picture.note.partition("\n")[0])
    return f"{_count(len(picture.nodes), 'environment')} in {_count(waves, 'wave')}"


def compose(picture: Picture, keys: Mapping[str, str] | None = None) -> Scene:
    """Return the scene of `picture`. Everything in it is inert text, not yet escaped for any markup.

    Args:
        picture: What is shown.
        keys: The key of each name; by default numbers in their order.

    Raises:
        ValueError: If the edges contain a cycle.
    """
    keys = keys or {name: f"n{index}" for index, name in enumerate(picture.names)}
    box, summed = _box(picture.nodes, picture.room), any(node.span for node in picture.nodes)
    layout = stack(picture.nodes, picture.edges, box) if summed else _layout(picture)
    lines = _lines(picture)
    top = _MARGIN + sum(22.0 for _ in lines) + (4.0 if lines else 0.0)
    numbered = picture.numbered and bool(picture.nodes)
    aside = _BAND_ASIDE if numbered and layout.flow == "down" else AROUND_ROOM if summed and picture.calls else 0.0
    header = _BAND_HEADER if numbered and layout.flow == "right" else 0.0
    padding = _BAND_PADDING if numbered else 0.0
    origin = (_MARGIN + padding + aside, top + padding + header)
    note_width = max((sans_width(line.text, _NOTE_SIZE) for line in lines), default=0.0)
    width = max(origin[0] + layout.width + padding + _MARGIN, note_width + 2 * _MARGIN)
    height = origin[1] + layout.height + padding + _MARGIN
    drawn = arcs(picture.calls, keys, layout, origin, stacked=summed)
    node_of = {node.name: node for node in picture.nodes}
    return Scene(
        width=round(max([width, *(arc.right for arc in drawn)]), 1),
        height=round(max([height, *(arc.y + LABEL_SIZE for arc in drawn)]), 1),
        box=layout.box,
        headline=headline(picture, len(layout.waves)),
        lines=lines,
        bands=_bands(layout, origin, aside, header) if numbered else (),
        cards=tuple(_card(node_of[n], keys[n], layout, origin) for wave in layout.waves for n in wave),
        wires=tuple(
            Wire(keys[a], keys[b], _path([(x + origin[0], y + origin[1]) for x, y in points], layout, stacked=summed))
            for (a, b), points in layout.routes.items()
        ),
        summed=summed,
        calls=drawn,
        sides=picture.sides,
    )


def across(picture: Picture) -> tuple[str, ...]:
    """Return the names of `picture` as they lie across the flow: by this a later picture can be like this one."""
    return _layout(picture).across


def _layout(picture: Picture) -> Layout:
    return arrange(picture.names, picture.edges, _box(picture.nodes, picture.room), picture.like)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _box(nodes: Sequence[Node], subtitle: str) -> Box:
    """Return one size for all cards, as wide as the longest text but no wider than what is still calm."""
    texts = [sans_width(inert(node.name), NAME_SIZE) for node in nodes]
    texts += [mono_width(inert(text), SUBTITLE_SIZE) for text in (subtitle, *(node.subtitle for node in nodes))]
    room = min(max(texts, default=0.0), _WIDEST_TEXT)
    tall = bool(subtitle) or any(node.subtitle for node in nodes)
    return Box(max(_NARROWEST, round(TEXT_LEFT + room + _RIGHT_PADDING)), _TALL if tall else _SHORT)


def _lines(picture: Picture) -> tuple[Line, ...]:
    empty = "" if picture.nodes else "No environments yet"
    wanted = [text for text in (*picture.note.split("\n"), empty) if text]
    return tuple(
        Line(_MARGIN, _MARGIN + 12.0 + 22.0 * index, fit_end(inert(text), _NOTE_SIZE, _WIDEST_NOTE))
        for index, text in enumerate(wanted)
    )


def _bands(layout: Layout, origin: Point, aside: float, header: float) -> tuple[Band, ...]:
    bands = []
    for number, wave in enumerate(layout.waves, start=1):
        corners = [layout.positions[name] for name in wave]
        label = f"wave {number:,}"
        if layout.flow == "right":
            left = origin[0] + min(x for x, _ in corners) - layout.box.width / 2 - _BAND_PADDING
            right = origin[0] + max(x for x, _ in corners) + layout.box.width / 2 + _BAND_PADDING
            top, height = origin[1] - header - _BAND_PADDING, layout.height + header + 2 * _BAND_PADDING
            bands.append(Band(left, top, right - left, height, Line(left + _BAND_PADDING, top + 22.0, label)))
        else:
            left, width = origin[0] - aside - _BAND_PADDING, layout.width + aside + 2 * _BAND_PADDING
            middle = origin[1] + corners[0][1]
            top, height = middle - layout.box.height / 2 - _BAND_PADDING, layout.box.height + 2 * _BAND_PADDING
            bands.append(Band(left, top, width, height, Line(left + _BAND_PADDING, middle + 4.0, label)))
    return tuple(bands)


def _card(node: Node, key: str, layout: Layout, origin: Point) -> Card:
    x, y = layout.positions[node.name]
    name, subtitle = inert(node.name), inert(node.subtitle)
    room = layout.box.width - TEXT_LEFT - _RIGHT_PADDING + 1.0  # the box was rounded
    return Card(
        key=key,
        x=round(origin[0] + x - layout.box.width / 2, 1),
        y=round(origin[1] + y - layout.box.height / 2, 1),
        label=fit_middle(name, room, lambda text: sans_width(text, NAME_SIZE)),
        sublabel=_fit(subtitle, room),
        name=name,
        subtitle=subtitle,
        state=node.state,
        details=tuple((inert(label, 60), inert(value, 2_000)) for label, value in node.details[:_MOST_DETAILS]),
        span=node.span,
        opened=node.opened,
    )


def _fit(subtitle: str, room: float) -> str:
    """Return what has room of the second line of a card: of a sentence its beginning, of a name both ends."""
    fit = fit_words if " " in subtitle else fit_middle
    return fit(subtitle, room, lambda text: mono_width(text, SUBTITLE_SIZE))


def _path(points: Sequence[Point], layout: Layout, *, stacked: bool) -> str:
    """Return an SVG path that bends between waves and runs straight past them, or around the cards of a stack."""
    if stacked and len(points) > 2:
        return rounded(points)
    steps = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for index, ((x0, y0), (x1, y1)) in enumerate(pairwise(points)):
        if index % 2:
            steps.append(f"L{x1:g} {y1:g}")
        elif layout.flow == "right":
            middle = (x0 + x1) / 2
            steps.append(f"C{middle:g} {y0:g} {middle:g} {y1:g} {x1:g} {y1:g}")
        else:
            middle = (y0 + y1) / 2
            steps.append(f"C{x0:g} {middle:g} {x1:g} {middle:g} {x1:g} {y1:g}")
    return "".join(steps)
