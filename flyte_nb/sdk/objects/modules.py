"""Which environments belong to modules: those that were constructed when one was imported."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flyte_nb.libraries import is_library_file, names_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["modules_of"]

# The SDK notes for each environment the file in which it was constructed; cells have none, so it takes their caller.
_RUNS_CELLS = "IPython"
# They hold every environment, whoever made it.
_HOLD_ALL = ("__main__", "flyte", "flyte_nb")


def modules_of(environments: Collection[Any]) -> dict[int, str]:
    """Return which of `environments`, by their identity, a module has as a global, or in one: with its name."""
    files = {id(each): getattr(each, "_declaring_file", None) or "" for each in environments}
    wanted = {identity for identity, file in files.items() if _RUNS_CELLS not in Path(file).parts}
    if not wanted:
        return {}
    found = _globals_of_modules(set(files.values()))
    return {identity: name for name, value in found for identity in _identities(value) if identity in wanted}


def _globals_of_modules(files: Collection[str]) -> Iterator[tuple[str, Any]]:
    """Yield the globals of the user's modules, and of those modules of libraries that are in one of `files`."""
    for name, module in list(sys.modules.items()):
        names = names_of(module)
        file = names.get("__file__")
        if name.partition(".")[0] in _HOLD_ALL or not isinstance(file, str):
            continue
        if file in files or not _is_library_file(file):
            yield from ((name, value) for value in list(names.values()))


_is_library_file = lru_cache(maxsize=None)(is_library_file)


def _identities(value: Any) -> Iterator[int]:
    """Yield the identity of `value`, and of what a container holds."""
    yield id(value)
    if type(value) in (list, tuple, set, frozenset):
        yield from map(id, value)
    elif type(value) is dict:
        yield from map(id, list(value.values()))
