"""Anything else for the cluster, as users give it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Any

from flyte_nb.errors import InvalidTypeError, InvalidValueError

__all__ = ["check_flyte_options", "copied_options"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def check_flyte_options(field: str, value: object, example: str) -> Mapping[str, Any]:
    """Return options by name as a read-only copy; of a value that cannot be copied, such as a lock, itself.

    Args:
        field: What they are given as, as the user writes it.
        value: A mapping, or None for none.
        example: What the user could write.

    Raises:
        InvalidTypeError: It is no mapping.
        InvalidValueError: A key is not the name of an option.
    """
    if value is None:
        return _NOTHING
    if not isinstance(value, Mapping):
        raise InvalidTypeError(field, value, "a mapping", example)
    for key in value:
        if not isinstance(key, str) or not key.isidentifier():
            raise InvalidValueError(field, key, "is not an option's name", example)
    return MappingProxyType(copied_options(value))


def copied_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of options down to what is in them; a value that cannot be copied stays itself."""
    return {name: _copied(value) for name, value in options.items()}


def _copied(value: Any) -> Any:
    try:
        return deepcopy(value)
    except Exception:  # noqa: BLE001 - the objects of others raise whatever they do
        return value
