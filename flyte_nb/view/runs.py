"""Runs as text: the tree of calls with their states, times and errors, for terminals and for who reads no HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.view.durations import duration_text
from flyte_nb.view.states import STATES, counts_text

if TYPE_CHECKING:
    from flyte_nb.view.run_rows import Row, Summary

__all__ = ["MOST_TEXT_ROWS", "headline", "is_plain", "named", "run_text", "waiting_text"]

MOST_TEXT_ROWS = 39
_INDENT, _DEEPEST = "   ", 20
_LONGEST_ERROR, _LONGEST_INPUTS = 200, 80


def run_text(summary: Summary) -> str:
    """Return one line for each row, and one that sums them up unless the root tells it all."""
    lines = [_INDENT * min(row.depth, _DEEPEST) + _line(row) for row in summary.rows]
    return "\n".join(lines if is_plain(summary) else [*lines, headline(summary)])


def is_plain(summary: Summary) -> bool:
    """Say whether every call is shown below a single root, which then tells how the run went."""
    roots = sum(row.depth == 0 for row in summary.rows)
    return roots == 1 and summary.total == len(summary.calls) and not beyond_text(summary) and _says_all(summary)


def _says_all(summary: Summary) -> bool:
    """Say whether the state of the whole is that of its root."""
    return summary.state in {"running", summary.rows[0].state}


def headline(summary: Summary) -> str:
    """Return the state of the whole run in one line."""
    took = "" if summary.ended is None else f" in {duration_text(summary.ended)}"
    calls = f"{summary.total:,} call{'' if summary.total == 1 else 's'}"
    alike = set(summary.counts) <= {summary.state}
    parts = [calls, "" if alike else counts_text(summary.counts), beyond_text(summary)]
    return f"{summary.state}{took}: " + ", ".join(filter(None, parts))


def beyond_text(summary: Summary) -> str:
    """Return how many calls are known to come, and how many will not begin any more."""
    to_come = f"{summary.to_come:,} to come" if summary.to_come else ""
    not_begun = f"{summary.not_begun:,} not begun" if summary.not_begun else ""
    return ", ".join(filter(None, (to_come, not_begun)))


def waiting_text(row: Row) -> str:
    """Return what a queued call waits for, if that is known."""
    return f"queued · waits for {row.waiting}" if row.waiting else ""


def named(row: Row) -> str:
    """Return a call as Python writes it, and a group by its task and size."""
    if row.kind == "more":
        return f"… and {row.size:,} more"
    if row.kind == "group":
        whole = f" of {row.whole:,}" if row.whole > row.size else ""
        return f"{row.task} × {row.size:,}{whole}"
    inputs = row.inputs if len(row.inputs) <= _LONGEST_INPUTS else f"{row.inputs[: _LONGEST_INPUTS - 1]}…"
    return f"{row.task}({inputs})"


def _line(row: Row) -> str:
    if row.kind == "more":
        return named(row)
    parts = [f"{STATES[row.state].glyph} {named(row)}"]
    if row.ended is not None:
        parts.append(duration_text(row.ended - row.started))
    parts += filter(None, (counts_text(row.counts), *_remarks(row)))
    return "  ".join(parts)


def _remarks(row: Row) -> list[str]:
    error = row.error if len(row.error) <= _LONGEST_ERROR else f"{row.error[: _LONGEST_ERROR - 1]}…"
    return [
        waiting_text(row),
        f"attempt {row.attempts}" if row.attempts > 1 else "",
        f"{row.lines:,} line{'' if row.lines == 1 else 's'}" if row.lines else "",
        "more calls below" if row.hidden else "",
        f"→ {row.returned}" if row.returned else "",
        error if row.loud else "",
    ]
