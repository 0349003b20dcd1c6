"""Values that are secret because an environment declares them, whatever they look like."""

from __future__ import annotations

import os
import re
import threading
from typing import TYPE_CHECKING

from flyte_nb.masking.credentials import MASK

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LONGEST", "DeclaredSecrets", "declared_secrets"]

# Shorter ones are words and numbers that stand everywhere; to mask them would tell where they are secret.
_SHORTEST = 6
LONGEST = 8_192
"""No line of a secret is longer; what is cut shorter than this may hold a part of one."""


class DeclaredSecrets:
    """Knows what is declared in this process, and masks it in texts. It forgets nothing: output is kept, too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._variables: frozenset[str] = frozenset()
        self._values: frozenset[str] = frozenset()
        self._known: tuple[frozenset[str], list[str], re.Pattern[str] | None] = frozenset(), [], None

    def add_variables(self, names: Iterable[str]) -> None:
        """Take whatever these environment variables of this process hold, now or later, as secret."""
        with self._lock:
            self._variables |= frozenset(names)
            self._values |= self._present()

    def add_values(self, values: Iterable[str]) -> None:
        """Take these values as secret."""
        with self._lock:
            self._values |= frozenset(values)

    def masked(self, text: str) -> str:
        """Return `text` with every secret masked that has at least 6 characters."""
        if not (self._values or self._variables):
            return text
        if not self._present() <= self._values:
            self.add_values(self._present())
        values, _, pattern = self._known
        if values != self._values:
            values = self._values
            lines = _lines(values)
            pattern = re.compile("|".join(map(re.escape, lines))) if lines else None
            self._known = values, lines, pattern
        return pattern.sub(MASK, text) if pattern else text

    def masked_where_cut(self, text: str) -> str:
        """Return `masked` of a text that somebody who knows less has cut: a secret may be cut off at a "…", too."""
        text = self.masked(text)
        for line in self._known[1] if "…" in text else ():
            if line[:_SHORTEST] in text:
                for length in range(min(len(line), len(text)) - 1, _SHORTEST - 1, -1):
                    text = text.replace(f"{line[:length]}…", f"{MASK}…")
        return text

    def _present(self) -> frozenset[str]:
        """Return what the variables hold now."""
        return frozenset(filter(None, map(os.environ.get, self._variables)))


def _lines(values: Iterable[str]) -> list[str]:
    """Return what is masked, the longest first: of a secret of several lines each, as output comes line by line."""
    lines = {line.strip()[:LONGEST] for value in values for line in value.splitlines()}
    return sorted((line for line in lines if len(line) >= _SHORTEST), key=len, reverse=True)


declared_secrets = DeclaredSecrets()
"""Those of this process."""
