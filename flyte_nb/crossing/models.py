"""Models of pydantic, of version 1 and 2: their fields, without validating them again."""

from __future__ import annotations

import sys
from typing import Any

from flyte_nb.crossing.records import is_customised

__all__ = ["blank", "field_names", "fill", "is_model", "is_stood_in", "parameters", "parametrised", "reduced"]

# Where a class that stands for a model keeps what is not a field.
_REST = "__flyte_nb_rest__"


def is_model(kind: type) -> bool:
    """Say whether `kind` is a class of models, and does not say itself how they are taken apart."""
    if "pydantic" not in sys.modules:
        return False
    bases = [base for base in kind.__mro__ if base.__name__ == "BaseModel"]
    return any(base.__module__.partition(".")[0] == "pydantic" for base in bases) and not is_customised(kind)


def field_names(kind: type) -> tuple[str, ...]:
    """Return the names of the fields of a class of models."""
    # Since 2.10, before that, and of version 1.
    for attribute in ("__pydantic_fields__", "model_fields", "__fields__"):
        fields = getattr(kind, attribute, None)
        if isinstance(fields, dict):
            return tuple(fields)
    return ()


def parameters(kind: type) -> tuple[type, tuple[Any, ...]] | None:
    """Return of what generic model and of which types `kind` is made, as Box[int] is; else None."""
    made = getattr(kind, "__pydantic_generic_metadata__", None)
    if isinstance(made, dict) and made.get("origin") is not None:
        return made["origin"], tuple(made["args"])
    return None


def parametrised(origin: Any, arguments: tuple[Any, ...]) -> type:
    """Return the model that a generic model is of those types."""
    kind: type = origin[arguments]
    return kind


def reduced(value: Any) -> tuple[Any, ...]:
    """Return how a model, or what stands for one, is put together again."""
    kind = type(value)
    state: tuple[Any, ...]
    if _REST in value.__dict__:
        fields = {name: content for name, content in value.__dict__.items() if name != _REST}
        state = (fields, *value.__dict__[_REST])
    elif hasattr(kind, "__pydantic_validator__"):
        state = (
            dict(value.__dict__),
            value.__pydantic_fields_set__,
            value.__pydantic_extra__,
            value.__pydantic_private__,
        )
    else:
        private = {name: getattr(value, name) for name in kind.__private_attributes__ if hasattr(value, name)}
        state = (dict(value.__dict__), value.__fields_set__, None, private or None)
    return blank, (kind,), state, None, None, fill


def is_stood_in(value: Any) -> bool:
    """Say whether `value` stands for a model."""
    return _REST in getattr(value, "__dict__", ())


def blank(kind: Any) -> Any:
    """Return a model without fields."""
    return kind.__new__(kind)


def fill(value: Any, state: tuple[Any, ...]) -> None:
    """Give a model what it holds."""
    fields, fields_set, extra, private = state
    kind = type(value)
    if hasattr(kind, "__pydantic_validator__"):
        object.__setattr__(value, "__dict__", fields)
        object.__setattr__(value, "__pydantic_fields_set__", set(fields_set))
        object.__setattr__(value, "__pydantic_extra__", extra)
        object.__setattr__(value, "__pydantic_private__", private)
    elif hasattr(kind, "__fields_set__"):
        object.__setattr__(value, "__dict__", {**fields, **(extra or {})})
        object.__setattr__(value, "__fields_set__", set(fields_set))
        for name, content in (private or {}).items():
            object.__setattr__(value, name, content)
    else:  # a class that stands for it
        value.__dict__.update(fields)
        value.__dict__[_REST] = (fields_set, extra, private)
