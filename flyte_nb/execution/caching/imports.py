"""The modules that code imports while it runs, as they will be then.

A module of the user that is not loaded yet is loaded to be looked at, as the code would do itself: so that the code
counts the same before its first run and after. One of a library is not: it counts by its name and version.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, resolve_name
from types import ModuleType
from typing import TYPE_CHECKING

from flyte_nb.libraries import is_library, is_library_file, is_of_python

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

__all__ = ["full_name", "is_library_import", "user_module"]


def full_name(level: int, module: str, package: str | None) -> str | None:
    """Return the full name of what an import statement names, and None if there is no such name."""
    try:
        return resolve_name("." * level + module, package)
    except (ImportError, ValueError):  # as will be seen when it is imported
        return None


def is_library_import(module: str) -> bool:
    """Say whether a module, which need not be loaded, is of Python or was installed; nothing is loaded."""
    package = module.partition(".")[0]
    if package in sys.modules:
        return is_library(module)
    if is_of_python(package):
        return True
    spec = _found(package)
    place = spec and (spec.origin or next(iter(spec.submodule_search_locations or ()), None))
    return bool(place) and is_library_file(str(place))


def user_module(name: str) -> ModuleType | None:
    """Return a module of the user, loaded if it is not yet; and None if it cannot be loaded."""
    module = sys.modules.get(name)
    if module is None:
        try:
            module = import_module(name)
        except (Exception, SystemExit):  # noqa: BLE001 - it runs code of the user, who may try other things then
            return None
    return module if isinstance(module, ModuleType) else None


def _found(package: str) -> ModuleSpec | None:
    try:
        return find_spec(package)
    except (ImportError, AttributeError, ValueError):
        return None
