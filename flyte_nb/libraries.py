"""Whose code something is: the user's, which may change at any time, or a library's, which has a version."""

from __future__ import annotations

import pkgutil
import site
import sys
import sysconfig
from functools import lru_cache
from hashlib import sha256
from importlib import metadata
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import FunctionType
from typing import Any

__all__ = [
    "distributions",
    "has_name",
    "installed_packages",
    "is_library",
    "is_library_file",
    "is_of_python",
    "library_name",
    "library_version",
    "module_name",
    "names_of",
]

_FOLDERS = ("stdlib", "platstdlib", "purelib", "platlib")
_PACKAGES = {"site-packages", "dist-packages"}
_COMPILED = tuple(EXTENSION_SUFFIXES)


def is_library(module: str) -> bool:
    """Say whether a module, loaded or not, is of Python or was installed."""
    if module == "__main__":
        return False
    # A class may name a module that does not exist, inside of a package that does.
    loaded = sys.modules.get(module) or sys.modules.get(module.partition(".")[0])
    # Packages without a file of their own have folders.
    file = getattr(loaded, "__file__", None) or next(iter(getattr(loaded, "__path__", ())), None)
    return _is_library(module, file if isinstance(file, str) else None)


@lru_cache(maxsize=4096)
def _is_library(module: str, file: str | None) -> bool:
    package = module.partition(".")[0]
    if package == "flyte_nb":  # its versions must not count as changes of the user's code
        return True
    return is_of_python(package) if file is None else is_library_file(file)


def is_of_python(package: str) -> bool:
    """Say whether a package comes with Python."""
    return package in sys.stdlib_module_names


@lru_cache(maxsize=4096)
def is_library_file(file: str) -> bool:
    """Say whether a file lies where Python or what was installed lies."""
    path = Path(file)
    return bool(_PACKAGES & set(path.parts)) or any(folder in path.parents for folder in _library_folders())


@lru_cache(maxsize=1)
def _library_folders() -> frozenset[Path]:
    return frozenset(map(Path, [*(sysconfig.get_path(name) for name in _FOLDERS), site.getusersitepackages()]))


def library_name(module: str) -> str:
    """Return the name of a library's module, loaded or not, with the version of the library if it has one."""
    package = module.partition(".")[0]
    if package == "flyte_nb" or is_of_python(package):
        return module
    return f"{module} {library_version(package)}"


def module_name(module: str) -> str:
    """Return the name of a module with what else tells what is in it: as `library_name`, or if the user compiled it.

    Such a module counts by its file, which is read at first use: what is loaded of it cannot be looked at.
    """
    if is_library(module):
        return library_name(module)
    file = getattr(sys.modules.get(module), "__file__", None)
    return f"{module} {_file_digest(file)}" if isinstance(file, str) and file.endswith(_COMPILED) else module


def library_version(package: str) -> str:
    """Return the version of what is loaded, or else of what would be."""
    loaded = sys.modules.get(package)
    if loaded is None:
        return _find_version(package)
    # Not by getattr, which may ask a function of the package that warns.
    version = vars(loaded).get("__version__")
    return str(version) if isinstance(version, str) else _loaded_version(package)


def _find_version(package: str) -> str:
    """Return the version of the distribution of a package, by its name, which is nearly always also that of it."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        names = sorted(set(distributions(package)))
    found = []
    for name in names:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:  # it was removed meanwhile
            continue
    return ", ".join(found)


# Once: what is installed over a package that is loaded changes nothing until Python starts again.
_loaded_version = lru_cache(maxsize=4096)(_find_version)


@lru_cache(maxsize=4096)
def distributions(package: str) -> tuple[str, ...]:
    """Return the distributions that a package is from: found by looking into all that is installed, so only once."""
    return tuple(dict.fromkeys(metadata.packages_distributions().get(package, ())))


@lru_cache(maxsize=1)
def installed_packages() -> frozenset[str]:
    """Return the top-level names of the packages that are installed, as they were when it was asked first."""
    return frozenset(module.name for module in pkgutil.iter_modules(map(str, _library_folders())))


@lru_cache(maxsize=4096)
def _file_digest(file: str) -> str:
    try:
        return sha256(Path(file).read_bytes()).hexdigest()
    except OSError:
        return ""


def has_name(value: object) -> bool:
    """Say whether `value` is a function or class that its module holds under the name it gives itself."""
    if not isinstance(value, FunctionType | type):
        return False
    found: Any = sys.modules.get(value.__module__)
    for name in value.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is value


def names_of(module: object) -> dict[str, Any]:
    """Return what a module holds without asking it: to be asked makes a lazy one import itself."""
    try:
        names: dict[str, Any] = object.__getattribute__(module, "__dict__")
    except AttributeError:
        return {}
    return names
