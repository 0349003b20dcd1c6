"""Classes that stand for classes of the user's which are not defined on this side.

They have the name and the fields, and values of them become values of the real class where that is defined.
"""

from __future__ import annotations

import collections
import dataclasses
from typing import Any

from flyte_nb.crossing.models import field_names, is_model
from flyte_nb.crossing.records import is_record, record_fields

__all__ = ["is_stand_in", "name_and_shape", "shape_of", "stand_in"]

Shape = tuple[Any, ...]

# By name and shape, so that equal values are equal; and the other way round.
_classes: dict[tuple[str, str, Shape], type] = {}
_names: dict[type, tuple[str, str, Shape]] = {}


def shape_of(kind: type) -> Shape | None:
    """Return what a class needs to be stood in for, or None if it has more to it than fields."""
    if is_model(kind):
        return ("record", field_names(kind), False)
    if is_record(kind):
        frozen = dataclasses.is_dataclass(kind) and kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
        return ("record", record_fields(kind), frozen)
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return ("namedtuple", tuple(kind._fields), False)
    return None


def stand_in(module: str, name: str, shape: Shape) -> type:
    """Return the class that stands for the one that has this name elsewhere; the same one each time."""
    key = (module, name, shape)
    if key not in _classes:
        _classes[key] = _made(*key)
        _names[_classes[key]] = key
    return _classes[key]


def is_stand_in(kind: type) -> bool:
    """Say whether a class stands for another."""
    return kind in _names


def name_and_shape(kind: type) -> tuple[str, str, Shape] | None:
    """Return for what a class stands: module, name and shape; None of all others."""
    return _names.get(kind)


def _made(module: str, name: str, shape: Shape) -> type:
    form, fields, frozen = shape
    last = name.rpartition(".")[2]
    kind: Any
    if form == "namedtuple":
        namedtuple: Any = collections.namedtuple
        kind = namedtuple(last, fields)
    else:
        kind = dataclasses.make_dataclass(last, fields, frozen=frozen)
    kind.__module__, kind.__qualname__ = module or "__main__", name
    made: type = kind
    return made
