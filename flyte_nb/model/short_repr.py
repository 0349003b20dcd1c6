"""One way to print a value object: only what was set, and on one line."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["short_repr"]


def short_repr(instance: DataclassInstance) -> str:
    """Return `Class(field=value, ...)` without the fields that are None or empty, durations in seconds."""
    values = ((field.name, getattr(instance, field.name)) for field in fields(instance) if field.repr)
    given = ", ".join(f"{name}={_source(value)}" for name, value in values if value not in (None, "", ()))
    return f"{type(instance).__name__}({given})"


def _source(value: Any) -> str:
    if not isinstance(value, timedelta):
        return repr(value)
    seconds = value.total_seconds()
    return repr(int(seconds) if seconds.is_integer() else seconds)
