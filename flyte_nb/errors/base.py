"""What every error has in common, and how an error stays one readable line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "LISTED",
    "FlyteNbError",
    "brief",
    "did_you_mean",
    "listed",
    "option_for",
    "shown",
]

_SHOWN, _BRIEF = 200, 300
LISTED = 5
"""How many of several names an error tells."""


def shown(value: object) -> str:
    """Return `repr(value)`, shortened so that an error stays one readable line."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - an object's own repr may do anything, and an error message must not fail
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the closest of `known`, or an empty string."""
    from difflib import get_close_matches

    spelled_alike = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(name.lower(), spelled_alike, n=1, cutoff=0.6)
    return f" Did you mean {spelled_alike[close[0]]!r}?" if close else ""


def brief(reason: str) -> str:
    """Return what somebody else gives as a reason, shortened so that an error stays one readable line."""
    text = " ".join(reason[: 2 * _BRIEF].split())
    return text if len(text) <= _BRIEF else f"{text[:_BRIEF]}…"


def listed(names: Sequence[str]) -> str:
    """Return the first of `names`, so that an error stays one readable line."""
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(map(repr, names[:LISTED])) + more


def option_for(target: str) -> str:
    """Return what a magic needs to mean the target: " --target flyte", or nothing for the one it means by itself."""
    kind = target.partition(":")[0]
    return "" if kind == "local" else f" --target {kind}"


class FlyteNbError(Exception):
    """The base of every error that flyte_nb raises on purpose.

    They can be pickled with all they carry: whoever cannot unpickle an error of another process waits for ever.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args), self.__dict__


def _restored(kind: type[FlyteNbError], args: tuple[Any, ...]) -> FlyteNbError:
    """Return an error without asking its constructor, which takes what the error is about and not its text."""
    error = kind.__new__(kind, *args)
    error.args = args  # which the timeouts of Python set in their constructor
    return error
