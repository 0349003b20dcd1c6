"""A run as HTML that stays in the notebook: a tree with a timeline, errors and logs, without script or style sheet.

JupyterLab's sanitizer keeps tables, details and most inline styles, colours only as numbers. As they cannot follow the
theme, text is the notebook's own or white on a dark tone, and bars have a tone between the two of their state.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from flyte_nb.view.bars import Bar, bar_html
from flyte_nb.view.durations import duration_text
from flyte_nb.view.escape import html_text
from flyte_nb.view.room import MOST_BELOW, MOST_HTML, last_that_fit
from flyte_nb.view.run_logs import line_text
from flyte_nb.view.run_rows import summarise
from flyte_nb.view.runs import MOST_TEXT_ROWS, headline, is_plain, named, run_text, waiting_text
from flyte_nb.view.states import STATES, between, counts_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyte_nb.view.run_rows import Row, Summary
    from flyte_nb.view.run_tree import RunTree

__all__ = ["run_bundle", "run_html"]

_MOST_LINES, _MOST_LINES_IN_ALL = 50, 300
_DEEPEST = 16
_LONGEST_NAME = 400
# Of errors: the first of these with which all rows have room. Of a head and notes: so much.
_LONGEST_TEXTS, _ROOM_AROUND = (1_000, 300, 100, 30, 10), 5_000

_CHIP = (
    "display:inline-block;color:#ffffff;background-color:{};border-radius:9px;line-height:18px;height:18px;"
    "font-size:11px;text-align:center;white-space:nowrap;"
)
_DISC, _WORD = _CHIP + "width:18px;margin-right:8px", _CHIP + "padding:0px 8px;margin-right:8px;font-weight:600"
_CELL = "text-align:left;vertical-align:top;padding:3px 12px 3px 0px;border:none;"
_MONO = "font-family:monospace;font-size:12px;"
_QUIET = "opacity:0.8;margin-left:8px"
_ERROR = _MONO + "margin:2px 0px 4px 26px;padding-left:8px;border-left:3px solid {};overflow-wrap:anywhere"
# Turned round, it begins at its last line.
_SCROLLED = "display:flex;flex-direction:column-reverse;max-height:240px;overflow:auto"
_LOG = (
    _MONO
    + "flex-shrink:0;margin:2px 0px 4px 0px;padding:4px 8px;line-height:1.4;white-space:pre-wrap;overflow-wrap:anywhere"
)


def run_bundle(tree: RunTree, host: str = "", *, under_way: bool = False, note: str = "") -> dict[str, str]:
    """Return the mimebundle of a run as it stands, as HTML and as text of at most 40 lines.

    Args:
        tree: Its calls.
        host: The class by which a live view finds this place, if there is one.
        under_way: Whether another root may begin.
        note: A line below.
    """
    text = run_text(summarise(tree, under_way=under_way, most=MOST_TEXT_ROWS))
    return {
        "text/html": run_html(summarise(tree, under_way=under_way), host, note),
        "text/plain": f"{text}\n{note}" if note else text,
    }


def run_html(summary: Summary, host: str = "", note: str = "") -> str:
    """Return the rows as a table, in a div of the classes "flyte-nb" and `host`. Everything is escaped."""
    logs = _logs(summary)
    room, cut = MOST_HTML - _ROOM_AROUND - sum(map(len, logs.values())), ""
    for longest in _LONGEST_TEXTS:
        rows = _rows(summary, logs, longest)
        if len(rows) <= room:
            break
        cut = "<div>Long texts are cut: there is no room for all of them.</div>"
    head = "" if is_plain(summary) else _head(summary)
    return (
        f'<div class="{f"flyte-nb {host}".strip()}"><div style="overflow-x:auto">{head}'
        f'<table style="margin:0px;border:none;table-layout:auto"><tbody>{rows}</tbody></table></div>{cut}'
        + (f"<div>{html_text(note)}</div></div>" if note else "</div>")
    )


def _rows(summary: Summary, logs: Mapping[str, str], longest: int) -> str:
    span = max([row.ended or row.started for row in summary.rows], default=0.0)
    several = len(summary.rows) > 1
    return "".join(_row(row, span, logs.get(row.key, ""), longest, with_track=several) for row in summary.rows)


def _head(summary: Summary) -> str:
    return f'<div style="padding:3px 0px;font-weight:600">{_disc(summary.state)}{html_text(headline(summary))}</div>'


def _row(row: Row, span: float, log: str, longest: int, *, with_track: bool) -> str:
    indent = f"padding-left:{4 + 20 * min(row.depth, _DEEPEST)}px"
    if row.kind == "more":
        return f'<tr><td colspan="3" style="{_CELL}{indent}"><span style="{_QUIET}">{named(row)}</span></td></tr>'
    took = "" if row.ended is None else duration_text(row.ended - row.started)
    bar = bar_html(Bar(row.bar, row.started, row.ended), span)
    track = f'<td style="{_CELL}">{bar}</td>' if with_track else ""
    return (
        f'<tr><td style="{_CELL}{indent}">{_call(row, longest)}{_error(row, longest)}{log}</td>'
        f'<td style="{_CELL}text-align:right;white-space:nowrap">{took}</td>{track}</tr>'
    )


def _call(row: Row, longest: int) -> str:
    remarks = [
        counts_text(row.counts) if row.kind == "group" else "",
        html_text(waiting_text(row), min(longest, _LONGEST_NAME)),
        f"attempt {row.attempts}" if row.attempts > 1 else "",
        "more calls below" if row.hidden else "",
        f"→ {html_text(row.returned, min(longest, _LONGEST_NAME))}" if row.returned else "",
    ]
    quiet = "".join(f'<span style="{_QUIET}">{remark}</span>' for remark in remarks if remark)
    return f"{_depth(row)}{_mark(row)} {_name(row, longest)}{quiet}"


def _depth(row: Row) -> str:
    """Return spaces that are seen only where styles are stripped, and the indentation with them."""
    spaces = "&nbsp;" * 4 * min(row.depth, _DEEPEST)
    return f'<span style="display:none">{spaces}</span>' if spaces else ""


def _name(row: Row, longest: int) -> str:
    task = f'<b style="font-weight:600">{html_text(row.task, min(longest, _LONGEST_NAME))}</b>'
    rest = html_text(named(row)[len(row.task) :], min(longest, _LONGEST_NAME))
    return f"{task} {rest}" if row.kind == "group" else f'{task}<span style="{_MONO}">{rest}</span>'


def _disc(state: str) -> str:
    return f'<span title="{state}" style="{_DISC.format(STATES[state].light)}">{STATES[state].glyph}</span>'


def _mark(row: Row) -> str:
    state = STATES[row.state]
    if row.kind == "group" or not state.worded:
        return _disc(row.state)
    return f'<span style="{_WORD.format(state.light)}">{state.glyph} {row.state}</span>'


def _error(row: Row, longest: int) -> str:
    if not row.loud:
        return ""
    return f'<div style="{_ERROR.format(between(row.state))}">{html_text(row.error, longest)}</div>'


def _logs(summary: Summary) -> dict[str, str]:
    """Return the last lines of rows as HTML; when they are too many, those of rows that failed come first."""
    room, space, logs = _MOST_LINES_IN_ALL, MOST_BELOW, {}
    for row in sorted(summary.rows, key=lambda row: not row.error):
        if not row.lines or not room:
            continue
        lines = [escape(line_text(line)) for line in summary.logs(row.key, min(_MOST_LINES, room))]
        lines = list(last_that_fit(lines, space // 2))
        if not lines:
            continue
        room -= len(lines)
        logs[row.key] = _log(row, lines)
        space -= len(logs[row.key])
    return logs


def _log(row: Row, lines: list[str]) -> str:
    count = f"{row.lines:,} line{'' if row.lines == 1 else 's'}"
    which = count if row.lines <= len(lines) else f"last {len(lines)} of {count}"
    opened = " open" if row.loud else ""
    return (
        f'<details{opened} style="margin-left:26px"><summary style="cursor:pointer;opacity:0.8">{which}</summary>'
        f'<div style="{_SCROLLED}"><pre style="{_LOG}">{chr(10).join(lines)}</pre></div></details>'
    )
