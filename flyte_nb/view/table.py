"""Tables of text: as HTML that JupyterLab's sanitizer leaves alone, and as aligned plain text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flyte_nb.view.escape import html_text, inert
from flyte_nb.view.measure import clip_columns, columns, pad

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MOST_ROWS_HTML", "MOST_ROWS_TEXT", "Table", "table_html", "table_text"]

MOST_ROWS_HTML, MOST_ROWS_TEXT = 300, 60
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
_LONG_CELL = "text-align:left;vertical-align:top;white-space:normal;overflow-wrap:anywhere"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under named columns.

    Attributes:
        columns: The heads.
        rows: Each with one cell for every column.
        caption: A line above.
        note: Lines below, such as a hint.
        from_end: Whether the last rows are shown, and not the first, where there are too many.

    Raises:
        ValueError: If a row has more or fewer cells than there are columns.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    note: str = ""
    from_end: bool = False

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"Table.rows has {len(row)} cells in a row of {len(self.columns)} columns: {row!r}")


def table_html(table: Table, *, whole: bool = False) -> str:
    """Return `table` as HTML. Everything is escaped; long cells are cut and hold their text in a tooltip.

    Past 30 rows they scroll in a box; past 300, a count stands for the rest. `whole` cuts only cells that would fill
    pages.
    """
    longest = _LONGEST_WHOLE if whole else _LONGEST_CELL
    shown = _shown(table, MOST_ROWS_HTML)
    boxed = len(shown) > _MOST_ROWS_UNBOXED
    style = f"{_LEFT}{_STAYING}" if boxed else _LEFT
    heads = "".join(f'<th scope="col" style="{style}">{html_text(head)}</th>' for head in table.columns)
    rows = "".join(f"<tr>{''.join(_cell_html(cell, longest) for cell in row)}</tr>" for row in shown)
    wrapping = ";white-space:nowrap" if len(table.caption) <= _LONGEST_LINE else ""  # not at the width of the table
    caption = f'<caption style="{_LEFT}{wrapping}">{html_text(table.caption)}</caption>' if table.caption else ""
    notes = "".join(f"<div>{html_text(note, 500)}</div>" for note in _notes(table, MOST_ROWS_HTML))
    html = f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
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


def _cell_html(cell: str, longest: int) -> str:
    shown, whole = html_text(cell, longest), html_text(cell, max(longest, _LONGEST_TOOLTIP))
    tooltip = f' title="{whole}"' if shown != whole else ""
    style = _SHORT_CELL if len(cell) <= _UNBROKEN else _LONG_CELL
    return f'<td style="{style}"{tooltip}>{shown}</td>'


def _cells_text(cells: Sequence[str], widest: int) -> list[str]:
    return [clip_columns(inert(cell, max(widest, 200)), widest) for cell in cells]


def _shown(table: Table, most: int) -> Sequence[tuple[str, ...]]:
    return table.rows[-most:] if table.from_end else table.rows[:most]


def _notes(table: Table, most: int) -> list[str]:
    rest = len(table.rows) - most
    more = [f"and {rest:,} {'earlier' if table.from_end else 'more'}"] if rest > 0 else []
    return [*more, *table.note.split("\n")] if table.note else more
