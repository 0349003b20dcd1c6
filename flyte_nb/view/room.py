"""How much one saved output may hold: whatever is shown, and however much of it is markup that has to be escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MOST_BELOW", "MOST_HTML", "MOST_PICTURE", "last_that_fit"]

MOST_HTML = 450_000
"""Characters of HTML. Front ends save the whole notebook every other minute, and code hosts show no large ones: with
twenty views of this size it has 9 MB, which still opens and is saved at once. Every usual output is far smaller."""

MOST_PICTURE = 350_000
"""Characters of that for a picture: some 350 environments; more could not be read, and are summed up."""

MOST_BELOW = 60_000
"""Characters of that for what was said, or has changed; a table has the rest."""


def last_that_fit(texts: Sequence[str], room: int) -> Sequence[str]:
    """Return as many of the last of `texts` as have `room` characters, a line break each included."""
    start = len(texts)
    while start and len(texts[start - 1]) < room:
        start -= 1
        room -= len(texts[start]) + 1
    return texts[start:]
