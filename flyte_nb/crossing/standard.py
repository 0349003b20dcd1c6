"""Values of the standard library whose pickles differ between versions of Python."""

from __future__ import annotations

import array
import pathlib
import re
import sys
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from flyte_nb.crossing.markers import Chunk
from flyte_nb.libraries import is_of_python

if TYPE_CHECKING:
    import enum

__all__ = ["array_of", "member", "name_in_public", "named", "path", "reduced_array", "reduced_member", "reduced_path",
           "reduced_pattern"]  # fmt: skip


def reduced_path(value: pathlib.PurePath) -> tuple[Any, ...]:
    """Return how a path is made again: its class lies in a private module in 3.13."""
    return path, (type(value).__name__, str(value))


def path(kind: str, text: str) -> pathlib.PurePath:
    """Return a path of the class of pathlib with that name."""
    made: pathlib.PurePath = getattr(pathlib, kind)(text)
    return made


def reduced_pattern(value: re.Pattern[Any]) -> tuple[Any, ...]:
    """Return how a pattern is compiled again: it is pickled with a private function."""
    return re.compile, (value.pattern, value.flags)


def reduced_member(value: enum.Enum) -> tuple[Any, ...]:
    """Return how the member of an enumeration is found again: by name, or by value if it is a combination."""
    name = value.name
    by_name = isinstance(name, str) and type(value).__members__.get(name) is value
    return member, (type(value), name if by_name else None, None if by_name else value.value)


def member(kind: type[enum.Enum], name: str | None, value: Any) -> enum.Enum:
    """Return the member with that name, or with that value if it has no name."""
    return kind(value) if name is None else kind[name]


def reduced_array(value: array.array[Any]) -> tuple[Any, ...]:
    """Return how an array of the standard library is made again."""
    return array_of, (value.typecode, Chunk(memoryview(value).cast("B")))


def array_of(code: str, content: memoryview) -> array.array[Any]:
    """Return an array with a copy of `content`."""
    made = array.array(code)
    made.frombytes(content)
    return made


def name_in_public(kind: type) -> tuple[str, str] | None:
    """Return the public module and the name of a class of Python that calls itself part of a private one, or None."""
    public, private, _ = kind.__module__.partition("._")
    if not private or not is_of_python(public.partition(".")[0]):
        return None
    found: Any = sys.modules.get(public)
    for name in kind.__qualname__.split("."):
        found = getattr(found, name, None)
    return (public, kind.__qualname__) if found is kind else None


def named(module: str, name: str) -> Any:
    """Return what a module of the standard library has by that name."""
    return resolve_name(f"{module}:{name}")
