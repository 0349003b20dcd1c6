"""Modules of the user's own that deployed code imports: they go along as they are."""

from __future__ import annotations

import ast
import importlib.util
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from flyte_nb.bundle.statements import imported_modules
from flyte_nb.libraries import is_library, is_library_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["MOST_FILES", "syntax_of", "user_files"]

MOST_FILES = 512
"""Of how many files is kept what is found out about their text: many environments import the same."""


def user_files(modules: Iterable[str], leave_out: Callable[[str], bool]) -> dict[str, str]:
    """Return the files of those of `modules` that the user wrote, and of all they import: text by path.

    Paths are relative to the folder from which they are imported. What `leave_out` says is left out.
    """
    files: dict[str, str] = {}
    seen: set[str] = set()
    pending = list(modules)
    while pending:
        name = pending.pop()
        for module in _with_packages(name):
            if module in seen or leave_out(module):
                continue
            seen.add(module)
            found = _found(module)
            if found is None:
                continue
            path, text, is_package = found
            files[path] = text
            package = module if is_package else module.rpartition(".")[0]
            pending.extend(_imports(text, package))
    return dict(sorted(files.items()))


def _with_packages(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


def _found(module: str) -> tuple[str, str, bool] | None:
    """Return path, text and whether it is a package, of a module that the user wrote; None of any other."""
    if not module or is_library(module):
        return None
    file = _file(module)
    if file is None or file.suffix != ".py" or is_library_file(str(file)):
        return None
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    is_package = file.name == "__init__.py"
    path = module.replace(".", "/") + ("/__init__.py" if is_package else ".py")
    return path, text, is_package


def _file(module: str) -> Path | None:
    loaded = sys.modules.get(module)
    if loaded is not None:
        file = getattr(loaded, "__file__", None)
    elif "." in module and module.partition(".")[0] not in sys.modules:
        return None  # to find it would import what it is in
    else:
        try:  # it is imported only when a function that imports it is called
            spec = importlib.util.find_spec(module)
        except (ImportError, ValueError, AttributeError):
            return None
        file = spec.origin if spec else None
    return Path(file) if isinstance(file, str) else None


@lru_cache(maxsize=MOST_FILES)
def _imports(text: str, package: str) -> tuple[str, ...]:
    """Return what a file imports that lies in `package`."""
    return tuple(imported_modules(filter(None, [syntax_of(text)]), package))


@lru_cache(maxsize=MOST_FILES)
def syntax_of(text: str) -> ast.Module | None:
    """Return the syntax of a file of the user's, or None if it is not Python."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
