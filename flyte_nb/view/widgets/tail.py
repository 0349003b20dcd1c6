"""The last lines of the one thing whose details are open: a page gets those that are new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["newer_lines", "no_tail"]

_MOST_LINES = 200


def no_tail(key: str = "") -> dict[str, Any]:
    """Return what a page knows that knows no line of `key`."""
    return {"key": key, "first": 0, "lines": [], "seen": (0, "")}


def newer_lines(
    tail: dict[str, Any],
    key: str,
    count: int,
    read: Callable[[int], Sequence[tuple[str, str]]],
    *,
    last: str = "",
    still_open: int = 0,
) -> dict[str, Any]:
    """Return the message by which a page learns the lines of `key` that it does not know; nothing if there are none.

    Args:
        tail: What the page knows; is brought up to date in place, so that a page loaded later gets it.
        key: Whose lines are wanted.
        count: How many lines there are.
        read: Returns the lines from the one with that number on: stream and inert text.
        last: The last line, where it may have grown.
        still_open: How many lines at the end may have grown.
    """
    seen = (count, last)
    if tail["key"] == key and tail["seen"] == seen:
        return {}
    known = tail if tail["key"] == key else no_tail(key)
    first = max(0, count - _MOST_LINES)
    at = max(first, known["first"] + len(known["lines"]) - still_open)
    new = list(read(at))
    # More may have come since they were counted: only the last are kept, here and in the page.
    skipped = max(0, len(new) - _MOST_LINES)
    at, new = at + skipped, new[skipped:]
    kept = known["lines"][max(0, first - known["first"]) : max(0, at - known["first"])]
    lines = [*kept, *new][-_MOST_LINES:]
    tail.clear()
    tail.update(key=key, first=at + len(new) - len(lines), lines=lines, seen=seen)
    return {"tail": {"key": key, "at": at, "first": tail["first"], "lines": new}}
