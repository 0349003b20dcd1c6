"""Makes text from users inert: nothing that is shown can act, hide, reorder or flood what surrounds it."""

from __future__ import annotations

import html
import re
import unicodedata

__all__ = ["html_text", "inert", "inert_line"]

# Escape sequences of terminals: CSI (colours, cursor), OSC (titles, links), then the two-character rest.
_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[@-Z\\-_]?"
)
_SPACES = re.compile(r"[\s\u2028\u2029]+")
_NOT_A_SPACE = re.compile(r"[^\S ]")
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs"})
# Joiners shape emoji and several scripts, and cannot reorder text.
_JOINERS = frozenset("\u200c\u200d")
_REPLACEMENT = "\ufffd"
# Read at most this many times the limit, so that a megabyte of escape codes costs nothing.
_READ_AHEAD = 8


def _unsafe(character: str) -> bool:
    if character in _JOINERS:
        return False
    return unicodedata.category(character) in _UNSAFE_CATEGORIES or ord(character) & 0xFFFE == 0xFFFE


def inert(text: str, limit: int = 200) -> str:
    """Return `text` as one line that is safe to print and legal in XML, once its markup is escaped.

    Terminal sequences are removed, white space is folded, and control characters, surrogates and whatever
    reorders text (bidi overrides) become U+FFFD, so that a trick stays visible.

    Args:
        text: Anything.
        limit: The most characters to return; a longer text ends in "…".
    """
    read = text[: limit * _READ_AHEAD]
    clean = _clean(_SPACES.sub(" ", _ANSI.sub("", read)).strip())
    return _cut(clean, limit, whole=len(read) == len(text))


def inert_line(text: str, limit: int = 200) -> str:
    """Return `inert(text)` for a line of output, whose spaces are left as they are."""
    read = text[: limit * _READ_AHEAD]
    clean = _clean(_NOT_A_SPACE.sub(" ", _ANSI.sub("", read).expandtabs(4)).rstrip())
    return _cut(clean, limit, whole=len(read) == len(text))


def _clean(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(_REPLACEMENT if _unsafe(character) else character for character in text)


def _cut(text: str, limit: int, *, whole: bool) -> str:
    return text if whole and len(text) <= limit else text[: limit - 1].rstrip() + "…"


def html_text(text: str, limit: int = 200) -> str:
    """Return `inert(text)` with the characters that mean something in HTML and XML escaped, quotes included."""
    return html.escape(inert(text, limit), quote=True)
