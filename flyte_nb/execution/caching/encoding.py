"""How values are written down to be hashed: each with its type and length, so that no two of them read alike.

A token is one byte for the kind, eight for the length, and the content; or `#` and the SHA-256 of such a token.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LEAVES", "UnhashableError", "digested", "framed", "text", "type_name", "unreadable"]


class UnhashableError(Exception):
    """A value has no content that could be hashed.

    Attributes:
        kind: The type of what cannot be hashed, which may lie deep inside the value.
        reason: Why; in words that hold no value.
        name: The name under which code uses the value, if it does.
    """

    def __init__(self, kind: str, reason: str, name: str = "") -> None:
        self.kind, self.reason, self.name = kind, reason, name
        super().__init__(kind, reason, name)


def framed(kind: bytes, content: bytes | bytearray) -> bytes:
    """Return the token of `content`; `kind` is one byte."""
    return kind + len(content).to_bytes(8, "big") + content


def digested(token: bytes | bytearray) -> bytes:
    """Return the short form of a token: 33 bytes, however long it is."""
    return b"#" + sha256(token).digest()


def text(value: str) -> bytes:
    """Return the token of a string; lone surrogates are as good as any character."""
    return framed(b"s", value.encode("utf-8", "surrogatepass"))


def type_name(kind: type) -> str:
    """Return the full name of a type as users know it."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def unreadable(error: Exception) -> str:
    """Return the reason why something cannot be hashed that raised an error; the words of the error may hold values."""
    return f"{type_name(type(error))} was raised while it was read"


def _int(value: int) -> bytes:
    return framed(b"i", value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def _float(value: float) -> bytes:
    # There are many NaNs, and nobody can tell them apart in Python.
    return framed(b"f", b"nan" if value != value else struct.pack(">d", value))


def _complex(value: complex) -> bytes:
    return framed(b"c", _float(value.real) + _float(value.imag))


# How the values of these very types (not of subclasses) are written.
LEAVES: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: framed(b"n", b""),
    bool: lambda value: framed(b"b", b"1" if value else b"0"),
    int: _int,
    float: _float,
    complex: _complex,
    str: text,
    bytes: lambda value: framed(b"y", value),
}
