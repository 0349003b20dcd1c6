"""The arguments of a call in a few words: made at every call, so never by code of others, and never of secrets."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from types import BuiltinFunctionType, FunctionType
from typing import TYPE_CHECKING, Any

from flyte_nb.masking import MASK, beginning_without_credentials, declared_secrets, says_secret

if TYPE_CHECKING:
    from flyte_nb.model.task import Task

__all__ = ["inputs_preview", "value_preview"]

_LONGEST, _LONGEST_VALUE, _MOST_ENTRIES, _DEEPEST = 160, 60, 4, 2
_READ = 400  # more than is shown, so that a credential is seen whole before it is cut
_SHORTEST_CREDENTIAL = 20
_BRACKETS: dict[type, str] = {list: "[]", tuple: "()"}
_DEFINED = (type, FunctionType, BuiltinFunctionType)
# Libraries whose values know their shape without computing anything.
_ARRAYS = frozenset({"cupy", "jax", "jaxlib", "numpy", "pandas", "polars", "pyarrow", "scipy", "torch", "xarray"})
_PLAIN = (int, float, bool, complex, type(None))


def inputs_preview(task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Return the arguments of a call as `name=value, ...`, at most 160 characters."""
    given = [*zip(task.signature.parameters, args, strict=False), *kwargs.items()]
    return _cut(", ".join(f"{name}={_named(name, value, 0)}" for name, value in given), _LONGEST)


def value_preview(value: Any, depth: int = 0) -> str:
    """Return a value in at most 60 characters: of a container the first entries, of an array its type and shape."""
    kind = type(value)
    if kind in _PLAIN:
        return _cut(_number(value), _LONGEST_VALUE)
    if kind is str:
        # No credential is so short without any other character; to look for one takes longer than all the rest.
        is_plain = len(value) < _SHORTEST_CREDENTIAL and value.isalnum()
        shown = declared_secrets.masked(value) if is_plain else beginning_without_credentials(value, _READ)
        return _cut(repr(shown), _LONGEST_VALUE)
    if kind in (bytes, bytearray):
        return f"<{len(value)} bytes>"
    if kind in (list, tuple, set, frozenset, dict):
        return _cut(_container(value, depth), _LONGEST_VALUE)
    return _cut(_described(value), _LONGEST_VALUE)


def _named(name: object, value: Any, depth: int) -> str:
    said = name.decode("latin-1") if type(name) is bytes else name
    return MASK if type(said) is str and _is_secret(said) else value_preview(value, depth)


_is_secret = lru_cache(maxsize=4096)(says_secret)


def _number(value: Any) -> str:
    try:
        return repr(value)
    except ValueError:  # an int with more digits than Python converts
        return f"<{value.bit_length()} bits>"


def _container(value: Any, depth: int) -> str:
    if depth >= _DEEPEST:
        return f"<{type(value).__name__} of {len(value)}>"
    try:
        first = list(islice(value.items() if isinstance(value, dict) else value, _MOST_ENTRIES))
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
    if issubclass(kind, _DEFINED):
        return f"<{kind.__name__} {value.__name__}>"
    if kind.__module__.partition(".")[0] not in _ARRAYS:
        return f"<{kind.__name__}>"
    try:
        shape, element = getattr(value, "shape", None), getattr(value, "dtype", None)
        size = " × ".join(map(str, shape)) if isinstance(shape, tuple) else ""
        return " ".join(filter(None, (f"<{kind.__name__}", "" if element is None else str(element), size))) + ">"
    except Exception:  # noqa: BLE001 - of what such a library may have
        return f"<{kind.__name__}>"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
