"""Tables of text: as HTML that JupyterLab's sanitizer leaves alone, and as aligned plain text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from flyte_nb.view.bars import bar_html
from flyte_nb.view.escape import html_text, inert
from flyte_nb.view.measure import clip_columns, columns, pad
from flyte_nb.view.room import MOST_HTML

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flyte_nb.view.bars import Bar

__all__ = ["MOST_ROWS_HTML", "MOST_ROWS_TEXT", "Table", "table_html", "table_text"]

MOST_ROWS_HTML, MOST_ROWS_TEXT = 300, 60
T = TypeVar("T")

# Pixels: many tables are as wide as their output without bars.
_TRACK = 110
# What stands around the rows: heads, a caption, notes.
_ROOM_AROUND = 12_000
_UNBROKEN, _LONGEST_CELL, _LONGEST_TOOLTIP, _LONGEST_WHOLE = 28, 120, 1_000, 4_000
_WIDEST_CELL, _WIDEST_RULE, _LONGEST_LINE = 48, 100, 100
# Longer tables scroll in a box; one of which the end matters begins there, turned round.
_MOST_ROWS_UNBOXED = 30
_BOX = "max-height:28em;overflow:auto"
_BOX_FROM_END = f"display:flex;flex-direction:column-reverse;{_BOX}"
# The heads stay in sight in a notebook that is trusted; elsewhere JupyterLab's sanitizer drops what it does not know.
_STAYING = ";position:sticky;top:0px;background:var(--jp-layout-color0,var(--vscode-editor-background,Canvas))"
# JupyterLab aligns cells to the right; it lets these inline styles through. A name is not broken at its hyphens.
_LEFT = "text-align:left"
_SHORT_CELL = "text-align:left;vertical-align:top;white-space:nowrap"
# A long text is broken anywhere, which would let it shrink to the width of a letter.
_LONG_CELL = f"{_LEFT};vertical-align:top;white-space:normal;overflow-wrap:anywhere;min-width:8em"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under named columns.

    Attributes:
        columns: The heads.
        rows: Each with one cell for every column.
        caption: A line above.
        note: Lines below, such as a hint.
        bars: Of each row its bar on a timeline, or None; pictures beside the numbers, so text has none. Empty without.
        from_end: Whether the last rows are shown, and not the first, where there are too many.

    Raises:
        ValueError: If a row has more or fewer cells than there are columns.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    note: str = ""
    from_end: bool = False
    bars: tuple[Bar | None, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"Table.rows has {len(row)} cells in a row of {len(self.columns)} columns: {row!r}")


def table_html(table: Table, *, whole: bool = False, room: int = MOST_HTML) -> str:
    """Return `table` as HTML. Everything is escaped; long cells are cut and hold their text in a tooltip.

    Past 30 rows they scroll in a box; past 300, a count stands for the rest. `whole` cuts only cells that would fill
    pages. Where all that has no `room`, which is in characters, first tooltips and then rows are left out.
    """
    shown, is_cut = _rows_html(table, _LONGEST_WHOLE if whole else _LONGEST_CELL, room - _ROOM_AROUND)
    boxed = len(shown) > _MOST_ROWS_UNBOXED
    style = f"{_LEFT}{_STAYING}" if boxed else _LEFT
    columns = (*table.columns, "timeline") if any(table.bars) else table.columns
    heads = "".join(f'<th scope="col" style="{style}">{html_text(head)}</th>' for head in columns)
    wrapping = ";white-space:nowrap" if len(table.caption) <= _LONGEST_LINE else ""  # not at the width of the table
    caption = f'<caption style="{_LEFT}{wrapping}">{html_text(table.caption)}</caption>' if table.caption else ""
    cut = ["Long cells are cut: there is no room for all of them."] if is_cut else []
    notes = "".join(f"<div>{html_text(note, 500)}</div>" for note in [*cut, *_notes(table, len(shown))])
    html = f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{''.join(shown)}</tbody></table>"
    if boxed:
        box = _BOX_FROM_END if table.from_end else _BOX
        html = f'<div style="{box}"><div style="flex-shrink:0">{html}</div></div>'
    return f'<div class="flyte-nb" style="overflow-x:auto">{html}{notes}</div>'


def table_text(table: Table, *, whole: bool = False) -> str:
    """Return `table` as aligned text: cells are cut at 48 columns, and past 60 rows a count stands for the rest.

    `whole` cuts only cells that would fill pages.
    """
    widest = _LONGEST_WHOLE if whole else _WIDEST_CELL
    rows = [_cells_text(cells, widest) for cells in (table.columns, *_shown(table, MOST_ROWS_TEXT))]
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["─" * min(width, _WIDEST_RULE) for width in widths])
    lines = ["  ".join(pad(cell, w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    caption = [inert(table.caption)] if table.caption else []
    return "\n".join([*caption, *lines, *(inert(note, 500) for note in _notes(table, MOST_ROWS_TEXT))])


def _rows_html(table: Table, longest: int, room: int) -> tuple[list[str], bool]:
    """Return the rows that are shown, and whether some of them are without what they would say if there was room."""
    rows, bars = _shown(table, MOST_ROWS_HTML), _bars_html(table)
    ends = [f"{bar}</tr>" for bar in bars or [""] * len(rows)]
    short = [f"<tr>{''.join(_cell_html(cell, _LONGEST_CELL, 0) for cell in row)}" for row in rows]
    order = range(len(rows))[::-1] if table.from_end else range(len(rows))
    kept: list[int] = []
    for at in order:
        room -= len(short[at]) + len(ends[at])
        if room < 0 and kept:
            break
        kept.append(at)
    room, is_cut = max(0, room), False
    for at in kept:
        full = f"<tr>{''.join(_cell_html(cell, longest, _LONGEST_TOOLTIP) for cell in rows[at])}"
        more = len(full) - len(short[at])
        if more <= room:
            room, short[at] = room - more, full
        else:
            is_cut = True
    return [short[at] + ends[at] for at in sorted(kept)], is_cut


def _cell_html(cell: str, longest: int, longest_tooltip: int) -> str:
    shown, whole = html_text(cell, longest), html_text(cell, max(longest, longest_tooltip))
    tooltip = f' title="{whole}"' if shown != whole else ""
    style = _SHORT_CELL if len(cell) <= _UNBROKEN else _LONG_CELL
    return f'<td style="{style}"{tooltip}>{shown}</td>'


def _bars_html(table: Table) -> list[str]:
    """Return a cell for each row that is shown, if there are bars."""
    span = max((bar.started if bar.ended is None else bar.ended for bar in table.bars if bar), default=0.0)
    shown = _cut(table.bars, MOST_ROWS_HTML, from_end=table.from_end)
    return [f'<td style="{_SHORT_CELL}">{bar_html(bar, span, _TRACK) if bar else ""}</td>' for bar in shown]


def _cells_text(cells: Sequence[str], widest: int) -> list[str]:
    return [clip_columns(inert(cell, max(widest, 200)), widest) for cell in cells]


def _shown(table: Table, most: int) -> Sequence[tuple[str, ...]]:
    return _cut(table.rows, most, from_end=table.from_end)


def _cut(rows: Sequence[T], most: int, *, from_end: bool) -> Sequence[T]:
    return rows[-most:] if from_end else rows[:most]


def _notes(table: Table, most: int) -> list[str]:
    rest = len(table.rows) - most
    more = [f"and {rest:,} {'earlier' if table.from_end else 'more'}"] if rest > 0 else []
    return [*more, *table.note.split("\n")] if table.note else more
