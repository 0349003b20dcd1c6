"""What makes up a class: what its body defines, its annotations, and what pydantic keeps of its fields."""

from __future__ import annotations

import inspect
import re
from enum import EnumMeta
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["annotated", "fields", "is_special", "listed", "members"]

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
# What Python and libraries write into classes from what is seen anyway, and what has no content.
_DERIVED = frozenset({
    "_abc_impl", "model_fields", "model_computed_fields", "__dict__", "__weakref__", "__signature__",
    "__pydantic_validator__", "__pydantic_serializer__",
})  # fmt: skip


def members(kind: type) -> Iterator[tuple[str, Any]]:
    """Yield what the body of a class defines, in the order of the names."""
    of_enum = isinstance(kind, EnumMeta)
    names = listed(kind)
    for name, value in sorted(vars(kind).items()):
        special = is_special(name)
        own_of_enum = of_enum and not special and name.startswith("_") and name.endswith("_")
        if name in names or name in _DERIVED or own_of_enum:
            continue
        if not special or callable(value) or hasattr(type(value), "__get__"):
            yield name, value


def is_special(name: str) -> bool:
    """Say whether a name means something to Python."""
    return name.startswith("__") and name.endswith("__")


def listed(kind: type) -> Mapping[str, Any]:
    """Return the members of an enumeration by name, and none of other classes."""
    return kind.__members__ if isinstance(kind, EnumMeta) else {}


def annotated(kind: type) -> Iterator[tuple[str, str, Iterable[Any]]]:
    """Yield the annotations of a class: the name, a description, and what `Annotated` adds."""
    try:
        annotations = inspect.get_annotations(kind)
    except Exception:  # noqa: BLE001 - looking at annotations may run them
        return
    for name, hint in annotations.items():
        yield name, hint if isinstance(hint, str) else _described(hint), _added(hint)


def _added(hint: Any) -> Iterator[Any]:
    yield from getattr(hint, "__metadata__", ())
    for inner in get_args(hint):
        yield from _added(inner)


def fields(kind: type) -> Iterator[tuple[str, str, Iterable[Any]]]:
    """Yield the fields of a pydantic model, which keeps defaults, constraints and validators nowhere else."""
    fields = vars(kind).get("__pydantic_fields__") or vars(kind).get("model_fields")
    if isinstance(fields, dict):
        for name, field in fields.items():
            yield name, _described(field), (field.annotation, field.default, field.default_factory, field.metadata)
    private = vars(kind).get("__private_attributes__")
    if isinstance(private, dict):
        for name, field in private.items():
            yield name, _described(field), (field.default, field.default_factory)


def _described(value: Any) -> str:
    return _ADDRESS.sub("", repr(value))
