"""%%flyte_env cells: an ordinary cell whose first line defines the environment.

The first line is replaced by a call and the body stays as it is, on its own lines. So top-level await, tracebacks,
`inspect.getsource`, magics in the body and the value of the last expression are the ordinary cell's.
"""

from __future__ import annotations

import re

from flyte_nb.jupyter.secrets import without_secrets

__all__ = ["EnvironmentCells"]

_FIRST_LINE = re.compile(r"%%flyte_env(?:[ \t]+(?P<arguments>.*))?")


class EnvironmentCells:
    """An input transformer; what it writes shows in tracebacks, so secrets are masked there and kept here."""

    # Not to be asked whether a cell is complete: a terminal then waits for the body, as for any cell magic.
    has_side_effects = True

    def __init__(self) -> None:
        self._typed: dict[str, str] = {}

    def __call__(self, lines: list[str]) -> list[str]:
        """Transform a %%flyte_env cell, given as lines with their ends; leave any other cell alone."""
        found = _FIRST_LINE.fullmatch(lines[0].rstrip()) if lines else None
        if not found:
            return lines
        typed = found["arguments"] or ""
        shown = without_secrets(typed)
        self._typed[shown] = typed
        return [f"get_ipython().flyte_nb.begin_environment({shown!r})\n", *lines[1:]]

    def typed(self, shown: str) -> str:
        """Return what the user typed where a transformed cell says `shown`."""
        return self._typed.get(shown, shown)
