"""A picture with everything decided: what is written where. The still image and the live view both draw this."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from flyte_nb.view.escape import inert
from flyte_nb.view.layout import Box, Layout, Point, arrange
from flyte_nb.view.measure import fit_end, fit_middle, mono_width, sans_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flyte_nb.view.picture import Node, Picture

__all__ = ["NAME_SIZE", "SUBTITLE_SIZE", "TEXT_LEFT", "Band", "Card", "Line", "Scene", "Wire", "compose", "headline"]

NAME_SIZE, SUBTITLE_SIZE, TEXT_LEFT = 13.5, 11.0, 38.0
_TITLE_SIZE, _NOTE_SIZE = 14.0, 12.0
_NARROWEST, _WIDEST_TEXT, _RIGHT_PADDING = 120.0, 196.0, 16.0
_TALL, _SHORT = 50.0, 38.0
_MARGIN, _BAND_PADDING, _BAND_HEADER, _BAND_ASIDE = 16.0, 14.0, 22.0, 62.0
_WIDEST_TITLE = 640.0
_MOST_DETAILS = 40


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text with its left end on the baseline."""

    x: float
    y: float
    text: str
    heading: bool = False


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


@dataclass(frozen=True, slots=True)
class Wire:
    """One edge between the cards with these keys, as the data of an SVG path."""

    source: str
    target: str
    path: str


@dataclass(frozen=True, slots=True)
class Scene:
    """All there is to draw, in pixels; `cards` are in the order of waves, for reading and for the keyboard."""

    width: float
    height: float
    box: Box
    flow: str
    headline: str
    lines: tuple[Line, ...]
    bands: tuple[Band, ...]
    cards: tuple[Card, ...]
    wires: tuple[Wire, ...]


def headline(picture: Picture, waves: int) -> str:
    """Return the title of a picture, or the count of what it shows."""
    if picture.title:
        return inert(picture.title)
    if not picture.nodes:
        return "No environments"
    if not picture.numbered:
        return inert(picture.note)
    return f"{_count(len(picture.nodes), 'environment')} in {_count(waves, 'wave')}"


def compose(picture: Picture) -> Scene:
    """Return the scene of `picture`. Everything in it is inert text, not yet escaped for any markup.

    Raises:
        ValueError: If the edges contain a cycle.
    """
    layout = arrange(picture.names, picture.edges, _box(picture.nodes, picture.room))
    lines = _lines(picture)
    top = _MARGIN + sum(22.0 for _ in lines) + (4.0 if lines else 0.0)
    numbered = picture.numbered and bool(picture.nodes)
    aside = _BAND_ASIDE if numbered and layout.flow == "down" else 0.0
    header = _BAND_HEADER if numbered and layout.flow == "right" else 0.0
    padding = _BAND_PADDING if numbered else 0.0
    origin = (_MARGIN + padding + aside, top + padding + header)
    title_width = max((sans_width(line.text, _TITLE_SIZE) for line in lines), default=0.0)
    width = max(origin[0] + layout.width + padding + _MARGIN, title_width + 2 * _MARGIN)
    height = origin[1] + layout.height + padding + _MARGIN
    keys = {name: f"n{index}" for index, name in enumerate(picture.names)}
    node_of = {node.name: node for node in picture.nodes}
    return Scene(
        width=round(width, 1),
        height=round(height, 1),
        box=layout.box,
        flow=layout.flow,
        headline=headline(picture, len(layout.waves)),
        lines=lines,
        bands=_bands(layout, origin, aside, header) if numbered else (),
        cards=tuple(_card(node_of[n], keys[n], layout, origin) for wave in layout.waves for n in wave),
        wires=tuple(
            Wire(keys[a], keys[b], _path([(x + origin[0], y + origin[1]) for x, y in points], layout.flow))
            for (a, b), points in layout.routes.items()
        ),
    )


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
    wanted = [(text, text == picture.title) for text in (picture.title, picture.note, empty) if text]
    return tuple(
        Line(
            _MARGIN,
            _MARGIN + 12.0 + 22.0 * index,
            fit_end(inert(text), _TITLE_SIZE if heading else _NOTE_SIZE, _WIDEST_TITLE),
            heading,
        )
        for index, (text, heading) in enumerate(wanted)
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
        sublabel=fit_middle(subtitle, room, lambda text: mono_width(text, SUBTITLE_SIZE)),
        name=name,
        subtitle=subtitle,
        state=node.state,
        details=tuple((inert(label, 60), inert(value, 2_000)) for label, value in node.details[:_MOST_DETAILS]),
    )


def _path(points: Sequence[Point], flow: str) -> str:
    """Return an SVG path that bends between waves and runs straight past them."""
    steps = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for index, ((x0, y0), (x1, y1)) in enumerate(pairwise(points)):
        if index % 2:
            steps.append(f"L{x1:g} {y1:g}")
        elif flow == "right":
            middle = (x0 + x1) / 2
            steps.append(f"C{middle:g} {y0:g} {middle:g} {y1:g} {x1:g} {y1:g}")
        else:
            middle = (y0 + y1) / 2
            steps.append(f"C{x0:g} {middle:g} {x1:g} {middle:g} {x1:g} {y1:g}")
    return "".join(steps)
