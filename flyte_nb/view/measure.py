"""How wide text is, without a font at hand: in columns of a terminal, and in pixels of a picture."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["clip_columns", "columns", "fit_end", "fit_middle", "fit_words", "mono_width", "pad", "sans_width"]

# Em widths of a bold sans-serif, rounded up over Helvetica, Segoe UI and Roboto: a wrong guess leaves room.
_NARROW, _SLIM, _WIDE = frozenset("iIjl.,:;'|!` "), frozenset('frt()[]{}/\\-"*'), frozenset("mwMW@%&")
_MONO_EM = 0.61


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def columns(text: str) -> int:
    """Return how many columns of a terminal `text` takes: ideographs take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(2 if _is_wide(c) else 1 for c in text if not unicodedata.combining(c))


def pad(text: str, width: int) -> str:
    """Return `text` followed by the spaces that make it `width` columns."""
    return text + " " * (width - columns(text))


def clip_columns(text: str, width: int) -> str:
    """Return `text`, cut to `width` columns with "…" at the end if it is wider."""
    if columns(text) <= width:
        return text
    kept, used = [], 1
    for character in text:
        used += columns(character)
        if used > width:
            break
        kept.append(character)
    return "".join(kept) + "…"


def _em(character: str) -> float:
    if character in _NARROW:
        return 0.32
    if character in _SLIM:
        return 0.42
    if character in _WIDE:
        return 0.96
    if character.isascii():
        return 0.74 if character.isupper() else 0.61
    return 1.05 if _is_wide(character) else 0.0 if unicodedata.combining(character) else 0.78


def sans_width(text: str, size: float) -> float:
    """Return about how many pixels `text` takes in a semi-bold sans-serif of `size` pixels."""
    return sum(map(_em, text)) * size


def mono_width(text: str, size: float) -> float:
    """Return about how many pixels `text` takes in a monospaced font of `size` pixels."""
    return sum(1.05 if _is_wide(c) else _MONO_EM for c in text) * size


def fit_end(text: str, size: float, room: float) -> str:
    """Return `text`, or as much of its beginning as fits into `room` pixels of sans-serif, and "…"."""
    if sans_width(text, size) <= room:
        return text
    kept, left = [], room - sans_width("…", size)
    for character in text:
        left -= _em(character) * size
        if left < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…"


def fit_middle(text: str, room: float, width: Callable[[str], float]) -> str:
    """Return `text`, or as much of its two ends as fits into `room` by `width`, around "…".

    What tells names and images apart is as often at their end (a number, a tag) as at their start.
    """
    if width(text) <= room:
        return text
    head, tail = "", ""
    for start, end in zip(text, reversed(text), strict=True):
        if width(f"{head}{start}…{tail}") > room:
            break
        head += start
        if width(f"{head}…{end}{tail}") > room:
            break
        tail = end + tail
    return f"{head.rstrip()}…{tail.lstrip()}"


def fit_words(text: str, room: float, width: Callable[[str], float]) -> str:
    """Return `text`, or as many of its first words as fit into `room` by `width`, and "…".

    Where that would leave less than half of the room, the word that is too long is cut.
    """
    if width(text) <= room:
        return text
    end = bisect_right(range(len(text)), room, key=lambda count: width(f"{text[:count]}…")) - 1
    kept = text[: max(0, end)]
    words = kept if text[len(kept)].isspace() else kept.rpartition(" ")[0]
    return (words if width(words) >= room / 2 else kept).rstrip(" ,;:") + "…"
