"""Objects of libraries, the Flyte SDK and Kubernetes among them: by which name and attributes each is constructed."""

from __future__ import annotations

import inspect
import sys
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from flyte_nb.libraries import is_library_file

__all__ = ["attributes", "named_in_flyte", "public_name"]


def attributes(value: Any) -> dict[str, Any] | None:
    """Return what an object is constructed with by keywords, defaults left out; None if nothing tells.

    Those are dataclasses of the usual kind, and the models of Kubernetes' client: what is None there is not set.
    """
    kind = type(value)
    model = getattr(kind, "openapi_types", None)
    if isinstance(model, dict):
        given = {name: getattr(value, name, None) for name in model}
        return {name: each for name, each in given.items() if each is not None}
    if not is_dataclass(value) or any(each.init and each.name.startswith("_") for each in fields(value)):
        return None  # it is not constructed by its class, as an Image
    given = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
    if not given.keys() <= inspect.signature(kind).parameters.keys():
        return None
    return {each.name: given[each.name] for each in fields(value) if each.init and not _same(each, given[each.name])}


def _same(field: Any, value: Any) -> bool:
    """Say whether a value is surely the default of its field."""
    default = field.default
    return value is default or (type(value) in (bool, int, float, str, tuple) and bool(value == default))


def public_name(kind: type) -> tuple[str, str] | None:
    """Return by which name code has the class of a library, with the module to import; the shortest there is."""
    module = sys.modules.get(kind.__module__)
    file = getattr(module, "__file__", None)
    top = kind.__module__.partition(".")[0]
    if not isinstance(file, str) or top == "flyte_nb" or not is_library_file(file):
        return None
    parts = kind.__module__.split(".")
    for count in range(1, len(parts) + 1):
        package = ".".join(parts[:count])
        if getattr(sys.modules.get(package), kind.__name__, None) is kind:
            return f"{package}.{kind.__name__}", package
    return None


def named_in_flyte(value: Any) -> str | None:
    """Return how code names a member of an enumeration of the SDK, or an object that only stands for something."""
    kind = type(value)
    flyte = sys.modules.get("flyte")
    if flyte is None or not kind.__module__.startswith("flyte."):
        return None
    if isinstance(value, Enum):
        public = public_name(kind)
        return None if public is None or public[1] != "flyte" else f"{public[0]}.{value.name}"
    if is_dataclass(value) or getattr(value, "__dict__", None):
        return None
    same = (name for name, each in vars(flyte).items() if type(each) is kind and not name.startswith("_"))
    name = next(same, None)
    return None if name is None else f"flyte.{name}"
