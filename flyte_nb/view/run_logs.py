"""What calls have printed, logged and displayed, as lines to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.view.escape import inert_line

if TYPE_CHECKING:
    from flyte_nb.execution.node import LogLine

__all__ = ["line_text"]

_LONGEST_LINE = 500


def line_text(line: LogLine) -> str:
    """Return one line as inert text; what is not on stdout says where it is."""
    text = inert_line(line.text, _LONGEST_LINE)
    return text if line.stream == "stdout" else f"{inert_line(line.stream, 20)}  {text}"
