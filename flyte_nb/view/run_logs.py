"""What calls have printed, logged and displayed, as lines to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.view.escape import inert_line

if TYPE_CHECKING:
    from flyte_nb.execution.node import LogLine

__all__ = ["line_parts", "line_text"]

_LONGEST_LINE = 500


def line_parts(line: LogLine) -> tuple[str, str]:
    """Return the stream of one line, and its inert text."""
    return inert_line(line.stream, 20), inert_line(line.text, _LONGEST_LINE)


def line_text(line: LogLine) -> str:
    """Return one line as inert text; what is not on stdout says where it is."""
    stream, text = line_parts(line)
    return text if stream == "stdout" else f"{stream}  {text}"
