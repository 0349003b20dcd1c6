"""Values that are their fields: dataclasses and attrs, whatever version made the class."""

from __future__ import annotations

import dataclasses
from types import MemberDescriptorType
from typing import Any

__all__ = ["blank", "fill", "is_customised", "is_record", "record_fields", "reduced"]

# With these a class says itself how it is taken apart.
_HOOKS = ("__reduce_ex__", "__reduce__", "__getstate__", "__setstate__", "__getnewargs__", "__getnewargs_ex__")
_GENERATORS = ("dataclasses", "attr", "attrs", "pydantic", "copyreg")


def is_record(kind: Any) -> bool:
    """Say whether values of `kind` are their fields and nothing else."""
    has_fields = dataclasses.is_dataclass(kind) or hasattr(kind, "__attrs_attrs__")
    return has_fields and kind.__new__ is object.__new__ and not is_customised(kind)


def is_customised(kind: type) -> bool:
    """Say whether a class, or one of its bases that is the user's, says itself how it is taken apart."""
    for name in _HOOKS:
        hook = getattr(kind, name, None)
        if hook is None or hook is getattr(object, name, None):
            continue
        if str(getattr(hook, "__module__", "")).partition(".")[0] not in _GENERATORS and hook.__qualname__ != (
            f"object.{name}"
        ):
            return True
    return False


def reduced(value: Any) -> tuple[Any, ...]:
    """Return how a record is put together again."""
    state = {name: getattr(value, name) for name in record_fields(type(value)) if hasattr(value, name)}
    state.update(getattr(value, "__dict__", ()))
    return blank, (type(value),), state, None, None, fill


def record_fields(kind: type) -> tuple[str, ...]:
    """Return the names of the fields of a record's class."""
    if dataclasses.is_dataclass(kind):
        return tuple(field.name for field in dataclasses.fields(kind))
    return tuple(attribute.name for attribute in kind.__attrs_attrs__)  # type: ignore[attr-defined]


def blank(kind: type) -> Any:
    """Return a value of a class without calling its constructor."""
    return object.__new__(kind)


def fill(value: Any, state: dict[str, Any]) -> None:
    """Give a record what it holds; a field that its class has only here gets its default."""
    attributes = getattr(value, "__dict__", None)
    for name, content in state.items():
        # Not by assignment, which a frozen class refuses and a property may answer.
        if attributes is None or isinstance(getattr(type(value), name, None), MemberDescriptorType):
            object.__setattr__(value, name, content)
        else:
            attributes[name] = content
    if dataclasses.is_dataclass(value):
        _add_defaults(value, state)


def _add_defaults(value: Any, state: dict[str, Any]) -> None:
    for field in dataclasses.fields(value):
        if field.name in state:
            continue
        if field.default is not dataclasses.MISSING:
            object.__setattr__(value, field.name, field.default)
        elif field.default_factory is not dataclasses.MISSING:
            object.__setattr__(value, field.name, field.default_factory())
