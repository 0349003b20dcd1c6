"""Python values as source text, laid out as black and ruff lay it out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Atom", "Chain", "Code", "Group", "NotWritableError", "call", "duration", "layout", "literal", "several"]

_LINE = 88
"""The longest line that black, and ruff where nothing is configured, leave alone."""
_STEP = 4
# From this many calls on, a chain that is too long for a line has a line for each.
_CALLS_OF_A_FLUENT_CHAIN = 3


class NotWritableError(Exception):
    """A value has no literal in Python; its message is the type."""


@dataclass(frozen=True, slots=True)
class Atom:
    """Source that is never broken over lines."""

    text: str

    def flat(self) -> str:
        """Return the source on one line."""
        return self.text


@dataclass(frozen=True, slots=True)
class Group:
    """What stands in brackets; an item is a label, such as `name=` or nothing, and a value."""

    opening: str
    items: tuple[tuple[str, Code], ...]
    closing: str

    def flat(self) -> str:
        """Return the source on one line."""
        inside = ", ".join(label + item.flat() for label, item in self.items)
        lone = "," if self.opening == "(" and len(self.items) == 1 else ""
        return f"{self.opening}{inside}{lone}{self.closing}"


@dataclass(frozen=True, slots=True)
class Chain:
    """Calls on what the call before returns."""

    calls: tuple[Group, ...]

    def flat(self) -> str:
        """Return the source on one line."""
        return "".join(link.flat() for link in self.calls)


Code = Atom | Group | Chain


def call(function: str, *args: Code, **keywords: Code) -> Group:
    """Return a call of what `function` names."""
    items = (*(("", arg) for arg in args), *((f"{name}=", value) for name, value in keywords.items()))
    return Group(f"{function}(", items, ")")


def layout(code: Code, column: int = 0, indent: int = 0, after: int = 0) -> str:
    """Return the source of `code`, which begins at `column` of a line indented by `indent`.

    Args:
        code: What to write.
        column: Where it begins, in characters.
        indent: How far the line is indented, in characters.
        after: How many characters follow it on its last line.
    """
    flat = code.flat()
    if isinstance(code, Atom) or column + len(flat) + after <= _LINE:
        return flat
    if isinstance(code, Chain):
        return _chain_over_lines(code, column, indent, after)
    if not code.items:
        return flat
    return _group_over_lines(code, indent)


def _group_over_lines(group: Group, indent: int) -> str:
    inner = indent + _STEP
    lines = [f"{' ' * inner}{label}{layout(item, inner + len(label), inner, 1)}," for label, item in group.items]
    return "\n".join([group.opening, *lines, f"{' ' * indent}{group.closing}"])


def _chain_over_lines(chain: Chain, column: int, indent: int, after: int) -> str:
    first, *rest = chain.calls
    if len(chain.calls) >= _CALLS_OF_A_FLUENT_CHAIN:
        begin = layout(first, column, indent)
        links = [layout(link, indent, indent, after) for link in rest]
        return f"\n{' ' * indent}".join([begin, *links])
    before = "".join(link.flat() for link in chain.calls[:-1])
    return before + layout(chain.calls[-1], column + len(before), indent, after)


def literal(value: object) -> Code:
    """Return the literal of `value`: made of None, numbers, text, bytes, lists, tuples, sets and dictionaries.

    Raises:
        NotWritableError: There is something else in it.
    """
    if isinstance(value, str):
        return Atom(_text(value))
    if isinstance(value, float) and not math.isfinite(value):
        return Atom(f'float("{value}")')
    if value is None or type(value) in (bool, int, float, bytes):
        return Atom(repr(value))
    if isinstance(value, timedelta):
        return duration(value)
    if type(value) is dict:
        return Group("{", tuple((f"{literal(key).flat()}: ", literal(each)) for key, each in value.items()), "}")
    if (written := several(value, lambda position, each: literal(each))) is not None:
        return written
    raise NotWritableError(type(value).__name__)


_BRACKETS: Mapping[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
}


def several(values: Any, write: Callable[[int, Any], Code]) -> Code | None:
    """Return the source of a list, a tuple or a set, or None for anything else.

    Args:
        values: What to write.
        write: Returns the source of one of them; it is given the position, from 1.
    """
    if type(values) not in _BRACKETS:
        return None
    opening, closing = _BRACKETS[type(values)]
    is_set = isinstance(values, set | frozenset)  # which has no order of its own
    in_order = sorted(values, key=repr) if is_set else values
    items = tuple(("", write(position, value)) for position, value in enumerate(in_order, 1))
    if not items and is_set:
        return Atom("set()" if opening == "{" else "frozenset()")
    return Group(opening, items, closing)


def duration(value: timedelta) -> Code:
    """Return a call of `timedelta`."""
    parts = {name: getattr(value, name) for name in ("days", "seconds", "microseconds") if getattr(value, name)}
    return call("timedelta", **{name: Atom(str(amount)) for name, amount in (parts or {"seconds": 0}).items()})


def _text(value: str) -> str:
    """Return a literal in the quotes that need fewer backslashes, double ones if both need as many."""
    quote = "'" if value.count('"') > value.count("'") else '"'
    return quote + "".join(_escaped(character, quote) for character in value) + quote


def _escaped(character: str, quote: str) -> str:
    if character in "'\"":
        return f"\\{character}" if character == quote else character
    return repr(character)[1:-1]


def names(values: Sequence[str]) -> Code:
    """Return a list of names, or of other expressions."""
    return Group("[", tuple(("", Atom(value)) for value in values), "]")
