"""Draws a picture as one SVG file that stands by itself: no script, no outside font, light and dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.view.arcs import LABEL_SIZE
from flyte_nb.view.calls import calls_lines
from flyte_nb.view.collapse import collapse
from flyte_nb.view.escape import html_text
from flyte_nb.view.measure import sans_width
from flyte_nb.view.scene import NAME_SIZE, SUBTITLE_SIZE, TEXT_LEFT, compose
from flyte_nb.view.states import STATES, tally

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flyte_nb.view.arcs import Arc
    from flyte_nb.view.layout import Box
    from flyte_nb.view.picture import Picture
    from flyte_nb.view.scene import Band, Card, Line

__all__ = ["DARK", "LIGHT", "describe", "draw"]

# The picture brings its own opaque background: inside <img> it follows the system's colour scheme, which may not
# be the notebook's theme, and on a background of its own it is legible in either.
LIGHT = {"page": "#ffffff", "band": "#f4f6f8", "card": "#ffffff", "line": "#d1d9e0", "edge": "#818b98"}
LIGHT |= {"text": "#1f2328", "muted": "#59636e", "call": "#7a3fa8"}
DARK = {"page": "#15181e", "band": "#1c2027", "card": "#262b34", "line": "#3d4450", "edge": "#7d8794"}
DARK |= {"text": "#edf0f4", "muted": "#a7b0ba", "call": "#cf9ff5"}

_SANS = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace"
_SHAPES = f"""\
text{{font-family:{_SANS}}}
.fnb-name{{font-size:{NAME_SIZE:g}px;font-weight:600}}
.fnb-sub{{font-family:{_MONO};font-size:{SUBTITLE_SIZE:g}px}}
.fnb-note,.fnb-wave,.fnb-key{{font-size:12px}}
.fnb-edge{{fill:none;stroke-width:1.5}}
.fnb-card{{stroke-width:1.2}}
.fnb-undefined .fnb-card{{stroke-dasharray:5 3}}
.fnb-mark{{fill:none;stroke-width:1.7;stroke-linecap:round;stroke-linejoin:round}}
.fnb-disc{{stroke-width:1.5}}
.fnb-behind{{stroke-width:1}}
.fnb-arc{{fill:none;stroke-width:1.8;stroke-dasharray:2 4;stroke-linecap:round}}
.fnb-remarked{{stroke-dasharray:8 4;stroke-width:2.2}}
.fnb-arc-label{{font-size:{LABEL_SIZE:g}px;font-weight:600;text-anchor:middle;paint-order:stroke;stroke-width:4px}}"""
_LEGEND_ROW, _LEGEND_GAP, _LEGEND_TEXT = 24.0, 22.0, 22.0


def draw(picture: Picture, shown: Picture | None = None) -> str:
    """Return `picture` as a standalone SVG document; a picture too large to read is collapsed first.

    Args:
        picture: What is shown; the legend counts all of it.
        shown: What stands for it, if that is known already.

    Raises:
        ValueError: If the edges contain a cycle.
    """
    shown = shown or collapse(picture)
    scene = compose(shown)
    states = [card.state for card in scene.cards]
    keys, width, height = _legend(
        [node.state for node in picture.nodes], scene.width, scene.height + (0.0 if scene.bands else 8.0)
    )
    name, description = html_text(scene.headline), html_text(describe(shown), 2_000)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}"><title>{name}</title><desc>{description}</desc>',
        f"<style>{_css(tally([*states, *(node.state for node in picture.nodes)]))}</style>",
        '<defs><marker id="fnb-tip" markerUnits="userSpaceOnUse" markerWidth="9" markerHeight="9" refX="8.5" '
        'refY="4.5" orient="auto"><path class="fnb-tip" d="M0 0.5L9 4.5L0 8.5Z"/></marker>'
        '<marker id="fnb-tip-call" markerUnits="userSpaceOnUse" markerWidth="9" markerHeight="9" refX="8.5" '
        'refY="4.5" orient="auto"><path class="fnb-tip-call" d="M0 0.5L9 4.5L0 8.5Z"/></marker></defs>',
        f'<rect class="fnb-page" x=".5" y=".5" width="{width - 1:g}" height="{height - 1:g}" rx="12"/>',
        *map(_band, scene.bands),
        *_texts(scene.lines),
        *(f'<path class="fnb-edge" d="{wire.path}" marker-end="url(#fnb-tip)"/>' for wire in scene.wires),
        *(_arc(arc) for arc in scene.calls),
        *(_card(card, scene.box) for card in scene.cards),
        *(_text("fnb-arc-label", arc.x, arc.y, arc.label) for arc in scene.calls),
        *keys,
        "</svg>",
    ]
    return "\n".join(parts)


def describe(picture: Picture) -> str:
    """Return what the picture shows as a sentence, for those who cannot see it."""
    before: dict[str, list[str]] = {node.name: [] for node in picture.nodes}
    for dependency, dependent in picture.edges:
        before[dependent].append(dependency)
    told = []
    for node in picture.nodes[:60]:
        after = f" after {', '.join(before[node.name][:10])}" if before[node.name] else ""
        told.append(f"{node.name} ({STATES[node.state].label}){after}")
    rest = len(picture.nodes) - len(told)
    more = [f"and {rest:,} more"] if rest > 0 else []
    return "; ".join([*told, *more, *calls_lines(picture.calls)])


def _css(states: Sequence[str] | dict[str, int]) -> str:
    light, dark = "\n".join(_colours(states, "light")), "\n".join(_colours(states, "dark"))
    return f"\n{_SHAPES}\n{light}\n@media (prefers-color-scheme:dark){{\n{dark}\n}}\n"


def _colours(states: Sequence[str] | dict[str, int], scheme: str) -> Iterator[str]:
    colour = LIGHT if scheme == "light" else DARK
    yield f".fnb-page{{fill:{colour['page']};stroke:{colour['line']}}}.fnb-band{{fill:{colour['band']}}}"
    yield f".fnb-name{{fill:{colour['text']}}}"
    yield f".fnb-sub,.fnb-wave,.fnb-note,.fnb-key{{fill:{colour['muted']}}}"
    yield f".fnb-edge{{stroke:{colour['edge']}}}.fnb-tip{{fill:{colour['edge']}}}"
    yield f".fnb-card{{fill:{colour['card']};stroke:{colour['line']}}}"
    yield f".fnb-arc{{stroke:{colour['call']}}}.fnb-tip-call{{fill:{colour['call']}}}"
    yield f".fnb-arc-label{{fill:{colour['call']};stroke:{colour['page']}}}"
    for name in states:
        state, tone = STATES[name], getattr(STATES[name], scheme)
        disc, mark = (tone, colour["card"]) if state.filled else ("none", tone)
        style = _style(name)
        yield f".{style} .fnb-disc{{fill:{disc};stroke:{tone}}}.{style} .fnb-mark{{stroke:{mark}}}"
        if state.filled or name in ("undefined", "cancelled"):
            yield f".{style} .fnb-card{{stroke:{tone}}}"


def _style(state: str) -> str:
    """Return the class of what is in a state: of one that is two words, one class and not two."""
    return f"fnb-{state.replace(' ', '-')}"


def _band(band: Band) -> str:
    return (
        f'<rect class="fnb-band" x="{band.x:g}" y="{band.y:g}" width="{band.width:g}" height="{band.height:g}" '
        f'rx="10"/>{_text("fnb-wave", band.label.x, band.label.y, band.label.text)}'
    )


def _texts(lines: Sequence[Line]) -> Iterator[str]:
    for line in lines:
        yield _text("fnb-note", line.x, line.y, line.text)


def _text(style: str, x: float, y: float, text: str) -> str:
    return f'<text class="{style}" x="{x:g}" y="{y:g}">{html_text(text)}</text>'


def _arc(arc: Arc) -> str:
    kind = "fnb-arc" if arc.expected else "fnb-arc fnb-remarked"
    return f'<path class="{kind}" d="{arc.path}" marker-end="url(#fnb-tip-call)"/>'


def _badge(state: str, x: float, y: float) -> str:
    return (
        f'<g transform="translate({x:g} {y:g})"><circle class="fnb-disc" r="8.5"/>'
        f'<path class="fnb-mark" d="{STATES[state].mark}"/></g>'
    )


def _card(card: Card, box: Box) -> str:
    known = ", ".join(filter(None, [card.name, STATES[card.state].label, card.subtitle]))
    middle = box.height / 2
    name_at, sub_at = (middle - 3, middle + 14) if card.sublabel else (middle + 4.8, 0.0)
    return (
        f'<g class="{_style(card.state)}" transform="translate({card.x:g} {card.y:g})"><title>{html_text(known, 500)}'
        f"</title>{_behind(box) if card.span else ''}"
        f'<rect class="fnb-card" width="{box.width:g}" height="{box.height:g}" rx="9"/>'
        + _badge(card.state, 20, middle)
        + _text("fnb-name", TEXT_LEFT, name_at, card.label)
        + (_text("fnb-sub", TEXT_LEFT, sub_at, card.sublabel) if card.sublabel else "")
        + "</g>"
    )


def _behind(box: Box) -> str:
    """Return the card behind another one, which stands for several."""
    return f'<rect class="fnb-card fnb-behind" x="4" y="4" width="{box.width:g}" height="{box.height:g}" rx="9"/>'


def _legend(states: Sequence[str], width: float, height: float) -> tuple[list[str], float, float]:
    """Return the counts by state in rows under the picture, and how large that makes it.

    A picture whose environments are merely defined has nothing to explain.
    """
    counts = tally(states)
    if not set(counts) - {"defined"}:
        return [], width, height
    labels = {name: f"{count:,} {STATES[name].label}" for name, count in counts.items()}
    parts, x, y = [], 25.0, height + 2.0
    width = max(width, 200.0)
    for name, label in labels.items():
        extent = _LEGEND_TEXT + sans_width(label, 12.0)
        if x > 25.0 and x + extent > width:
            x, y = 25.0, y + _LEGEND_ROW
        parts.append(f'<g class="{_style(name)}">{_badge(name, x, y)}{_text("fnb-key", x + 14.0, y + 4.2, label)}</g>')
        x += extent + _LEGEND_GAP - 8.0
    return parts, width, y + 22.0
