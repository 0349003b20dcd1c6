"""What differs from what is deployed, as people read it: a field as old → new, and source as lines."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import unified_diff
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flyte_nb.deployment.planning.plan import Change
from flyte_nb.masking import without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SourceDiff", "difference_text", "source_diff"]

_NONE = "–"
_LONGEST_VALUE = 60
_CONTEXT_LINES = 2
# A diff of longer texts takes too long to make, and to read.
_MOST_LINES_COMPARED = 2_000


@dataclass(frozen=True, slots=True)
class SourceDiff:
    """How a source has changed.

    Attributes:
        added: How many lines are new; both counts are 0 where lines could not be compared.
        removed: How many lines are gone.
        lines: The lines that differ, and those around them, each with the sign of a unified diff in front.
    """

    added: int
    removed: int
    lines: tuple[str, ...]

    def __str__(self) -> str:
        if not self.added + self.removed:
            return "source changed"
        counts = [f"+{self.added:,}" if self.added else "", f"−{self.removed:,}" if self.removed else ""]
        lines = "line" if self.added + self.removed == 1 else "lines"
        return f"{' '.join(filter(None, counts))} {lines}"


def source_diff(change: Change) -> SourceDiff | None:
    """Return how the source of `change` has changed, or None if it is no source: that has several lines."""
    before, after = change.old, change.new
    if before == after or not (_is_text(before) and _is_text(after) and "\n" in (before or "") + (after or "")):
        return None
    return _diff(before, after)


# A plan tells of one difference in its table, under that, and when it is asked.
@lru_cache(maxsize=512)
def _diff(before: str | None, after: str | None) -> SourceDiff:
    old, new = _lines(before), _lines(after)
    if len(old) + len(new) > _MOST_LINES_COMPARED:
        return SourceDiff(0, 0, ())
    # The first two lines of a diff name files.
    lines = tuple(unified_diff(old, new, lineterm="", n=_CONTEXT_LINES))[2:]
    signs = [line[0] for line in lines]
    return SourceDiff(signs.count("+"), signs.count("-"), lines)


def difference_text(change: Change) -> str:
    """Return `change` in one line: "resources.memory: 2Gi → 4Gi", "ml.train: +3 lines"."""
    if change.old == change.new:
        return f"{change.what}: a value that is not shown changed"
    diff = source_diff(change)
    if diff:
        return f"{change.what}: {diff}"
    return "; ".join(f"{part.what}: {_short(part.old)} → {_short(part.new)}" for part in _parts(change))


def _is_text(value: object) -> bool:
    return value is None or isinstance(value, str)


def _lines(source: str | None) -> list[str]:
    return str(without_credentials(source or "")).splitlines()


def _parts(change: Change) -> Iterator[Change]:
    """Yield the innermost parts that differ, if both values have parts."""
    if not (isinstance(change.old, dict) and isinstance(change.new, dict)):
        yield change
        return
    old, new = change.old, change.new
    for key in {**old, **new}:
        if old.get(key) != new.get(key):
            yield from _parts(Change(f"{change.what}.{key}", old.get(key), new.get(key)))


def _short(value: Any) -> str:
    if value is None or value in ([], {}, ""):
        return _NONE
    text = str(without_credentials(_text(value))).partition("\n")[0]
    # Two long values differ more often at their ends.
    return text if len(text) <= _LONGEST_VALUE else f"…{text[-_LONGEST_VALUE:]}"


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(part)}" for name, part in value.items() if part not in (None, [], {}, ""))
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return str(value)
