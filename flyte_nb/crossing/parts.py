"""Where in a value a part of it is: [3]['callback'], .model."""

from __future__ import annotations

import collections
import functools
import sys
from typing import TYPE_CHECKING, Any

from flyte_nb.errors import shown
from flyte_nb.masking import without_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["find_part"]

_MOST = 100_000


def find_part(value: Any, wanted: Callable[[Any], bool]) -> tuple[str, Any] | None:
    """Return the first part of `value` that is `wanted`, with the way to it; "" is `value` itself.

    Not all of a large value is looked at.
    """
    pending = collections.deque([("", value)])
    seen: dict[int, Any] = {}  # with the parts, so that no other gets the same id
    while pending and len(seen) < _MOST:
        path, part = pending.popleft()
        if id(part) in seen:
            continue
        seen[id(part)] = part
        if wanted(part):
            return path.strip(), part
        pending.extend((path + step, inner) for step, inner in _inside(part))
    return None


def _inside(part: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(part, dict):
        for key, content in part.items():
            yield f"[{without_credentials(shown(key))}]", content
            yield f" (the key {without_credentials(shown(key))})", key
    elif isinstance(part, list | tuple | collections.deque):
        names = getattr(part, "_fields", ())
        for number, content in enumerate(part):
            yield f".{names[number]}" if number < len(names) else f"[{number}]", content
    elif isinstance(part, set | frozenset):
        for content in part:
            yield " (in the set)", content
    elif isinstance(part, functools.partial):
        yield from ((".func", part.func), (".args", part.args), (".keywords", part.keywords))
    elif isinstance(part, str | bytes | int | float | type):
        return
    else:
        yield from _inside_object(part)


def _inside_object(part: Any) -> Iterator[tuple[str, Any]]:
    numpy: Any = sys.modules.get("numpy")
    pandas: Any = sys.modules.get("pandas")
    if numpy and isinstance(part, numpy.ndarray):
        if part.dtype.hasobject:
            yield from ((f".flat[{number}]", content) for number, content in enumerate(part.ravel().tolist()))
        return
    if pandas and isinstance(part, pandas.DataFrame):
        yield from ((f"[{shown(name)}]", column) for name, column in part.items() if column.dtype == object)
        return
    if pandas and isinstance(part, pandas.Series):
        if part.dtype == object:
            yield from ((f".iloc[{number}]", content) for number, content in enumerate(part))
        return
    if isinstance(part, BaseException):
        yield ".args", part.args
    yield from ((f".{name}", content) for name, content in _attributes(part))


def _attributes(part: Any) -> Iterator[tuple[str, Any]]:
    held = getattr(part, "__dict__", None)
    if isinstance(held, dict):
        yield from held.items()
    for kind in type(part).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(part, name):
                yield name, getattr(part, name)
