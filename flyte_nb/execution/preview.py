"""Arguments and results of calls in a few words: made at every call, so never by code of others, nor of secrets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from types import BuiltinFunctionType, FunctionType
from typing import TYPE_CHECKING, Any

from flyte_nb.masking import MASK, beginning_without_credentials, declared_secrets, says_secret

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flyte_nb.model.task import Task

__all__ = ["MOST_ENTRIES", "Described", "inputs_preview", "result_preview", "value_preview", "values_preview"]

MOST_ENTRIES = 4
"""How many entries of a container are shown."""

_LONGEST, _LONGEST_VALUE, _DEEPEST = 160, 60, 2
_READ = 400  # more than is shown, so that a credential is seen whole before it is cut
_SHORTEST_CREDENTIAL = 20
_BRACKETS: dict[type, str] = {list: "[]", tuple: "()"}
# Libraries whose values know their shape without computing anything.
_ARRAYS = frozenset({"cupy", "jax", "jaxlib", "numpy", "pandas", "polars", "pyarrow", "scipy", "torch", "xarray"})
# By identity: the class of a value, and the class of that, may answer a comparison with anything.
_PLAIN = frozenset(map(id, (int, float, bool, complex, type(None))))
_CONTAINERS = frozenset(map(id, (list, tuple, set, frozenset, dict)))


@dataclass(frozen=True, slots=True)
class Described:
    """A value that is elsewhere.

    Attributes:
        text: What it is, in a few words: "file".
    """

    text: str


def inputs_preview(task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Return the arguments of a call as `name=value, ...`, at most 160 characters."""
    return values_preview([*zip(task.signature.parameters, args, strict=False), *kwargs.items()])


def values_preview(given: Iterable[tuple[str, Any]]) -> str:
    """Return names and values as `name=value, ...`, at most 160 characters."""
    return _cut(", ".join(f"{name}={_named(name, value, 0)}" for name, value in given), _LONGEST)


def result_preview(task: str, value: Any) -> str:
    """Return what a task, given by its full name, has returned, as `value_preview` does; nothing for None.

    It does not fail: the call has succeeded.
    """
    if value is None:
        return ""
    try:
        return MASK if _gives_secret(task) else value_preview(value)
    except Exception:  # noqa: BLE001 - nobody knows what a value of others may do
        return ""


def value_preview(value: Any, depth: int = 0) -> str:
    """Return a value in at most 60 characters: of a container the first entries, of an array its type and shape."""
    kind = type(value)
    if id(kind) in _PLAIN:
        return _number(value)
    if kind is str:
        # No credential is so short without any other character; to look for one takes longer than all the rest.
        is_plain = len(value) < _SHORTEST_CREDENTIAL and value.isalnum()
        shown = declared_secrets.masked(value) if is_plain else beginning_without_credentials(value, _READ)
        return _cut(repr(shown), _LONGEST_VALUE)
    if kind is bytes or kind is bytearray:
        return f"<{len(value)} bytes>"
    if id(kind) in _CONTAINERS:
        return _cut(_container(value, depth), _LONGEST_VALUE)
    return _cut(_described(value), _LONGEST_VALUE)


def _named(name: object, value: Any, depth: int) -> str:
    said = name.decode("latin-1") if type(name) is bytes else name
    return MASK if type(said) is str and _is_secret(said) else value_preview(value, depth)


_is_secret = lru_cache(maxsize=4096)(says_secret)


@lru_cache(maxsize=4096)
def _gives_secret(task: str) -> bool:
    return says_secret(task.rpartition(".")[2])


def _number(value: Any) -> str:
    try:
        shown = repr(value)
    except ValueError:  # an int with more digits than Python converts
        return f"<{value.bit_length()} bits>"
    return _cut(shown, _LONGEST_VALUE)


def _container(value: Any, depth: int) -> str:
    if depth >= _DEEPEST:
        return f"<{type(value).__name__} of {len(value)}>"
    try:
        first = list(islice(value.items() if isinstance(value, dict) else value, MOST_ENTRIES))
    except RuntimeError:  # another thread changes it
        return f"<{type(value).__name__}>"
    inside = depth + 1
    if isinstance(value, dict):
        shown = [f"{value_preview(key, inside)}: {_named(key, entry, inside)}" for key, entry in first]
    else:
        shown = [value_preview(entry, inside) for entry in first]
    if len(value) > len(first):
        shown.append("…")
    brackets = _BRACKETS.get(type(value), "{}")
    return f"{brackets[0]}{', '.join(shown)}{brackets[1]}"


def _described(value: Any) -> str:
    """Return the type of a value; of what is defined by name its name, of an array its element type and shape."""
    kind = type(value)
    name = _said_of(kind, "__name__")
    if kind is Described:
        return f"<{value.text}>"
    if issubclass(kind, type):
        return f"<{name} {_said_of(value, '__name__')}>"
    if kind is FunctionType or kind is BuiltinFunctionType:
        return f"<{name} {value.__name__}>"
    if _said_of(kind, "__module__").partition(".")[0] not in _ARRAYS:
        return f"<{name}>"
    try:
        shape, element = getattr(value, "shape", None), getattr(value, "dtype", None)
        size = " × ".join(map(str, shape)) if isinstance(shape, tuple) else ""
        return " ".join(filter(None, (f"<{name}", "" if element is None else str(element), size))) + ">"
    except Exception:  # noqa: BLE001 - of what such a library may have
        return f"<{name}>"


def _said_of(kind: type, attribute: str) -> str:
    """Return a text that Python itself keeps of a class, which that may answer with anything, or raise."""
    said = type.__dict__[attribute].__get__(kind)
    return said if isinstance(said, str) else ""


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
