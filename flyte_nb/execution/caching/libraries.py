"""Whose code something is: the user's, which may change at any time, or a library's, which has a version."""

from __future__ import annotations

import site
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path
from types import FunctionType
from typing import Any

__all__ = ["has_name", "is_library", "is_library_file", "library_name"]

_FOLDERS = ("stdlib", "platstdlib", "purelib", "platlib")
_PACKAGES = {"site-packages", "dist-packages"}


def is_library(module: str) -> bool:
    """Say whether a module, loaded or not, is of Python or was installed."""
    if module == "__main__":
        return False
    # A class may name a module that does not exist, inside of a package that does.
    loaded = sys.modules.get(module) or sys.modules.get(module.partition(".")[0])
    file = getattr(loaded, "__file__", None)
    return _is_library(module, file if isinstance(file, str) else None)


@lru_cache(maxsize=4096)
def _is_library(module: str, file: str | None) -> bool:
    package = module.partition(".")[0]
    if package == "flyte_nb":  # its versions must not count as changes of the user's code
        return True
    return package in sys.stdlib_module_names if file is None else is_library_file(file)


@lru_cache(maxsize=4096)
def is_library_file(file: str) -> bool:
    """Say whether a file lies where Python or what was installed lies."""
    path = Path(file)
    return bool(_PACKAGES & set(path.parts)) or any(folder in path.parents for folder in _library_folders())


@lru_cache(maxsize=1)
def _library_folders() -> frozenset[Path]:
    return frozenset(map(Path, [*(sysconfig.get_path(name) for name in _FOLDERS), site.getusersitepackages()]))


def library_name(module: str) -> str:
    """Return the name of a library's module with the version of the library, if it says one."""
    version = getattr(sys.modules.get(module.partition(".")[0]), "__version__", "")
    return f"{module} {version}" if isinstance(version, str) else module


def has_name(value: object) -> bool:
    """Say whether `value` is a function or class that its module holds under the name it gives itself."""
    if not isinstance(value, FunctionType | type):
        return False
    found: Any = sys.modules.get(value.__module__)
    for name in value.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is value
