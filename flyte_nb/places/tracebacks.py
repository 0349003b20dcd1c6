"""Where an error arose, for people: in a module of a version, whatever the folder from which a worker imports it."""

from __future__ import annotations

import linecache
from pathlib import Path
from typing import TYPE_CHECKING

from flyte_nb.crossing.frames import as_traceback, frames_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["name_versions"]

_SHOWN_CHARACTERS = 12


def name_versions(error: BaseException, folder: Path) -> None:
    """Let the tracebacks of an error from a worker, and of all that led to it, name versions in place of folders.

    Args:
        error: The error, as it was unpacked.
        folder: Where the code of all versions is kept.
    """
    for each in _all_of(error):
        frames = frames_of(each.__traceback__)
        named = [frame._replace(file=_named(frame.file, folder)) for frame in frames]
        if named != frames:
            each.__traceback__ = as_traceback(named)


def _named(file: str, folder: Path) -> str:
    path = Path(file)
    if not path.is_relative_to(folder):
        return file
    version, *parts = path.relative_to(folder).parts
    name = f"{'/'.join(parts)} (version {version[:_SHOWN_CHARACTERS]})"
    if name not in linecache.cache:
        lines = linecache.getlines(file)
        # Without the time of its last change, Python does not look whether there is such a file.
        linecache.cache[name] = (sum(map(len, lines)), None, lines, name)
    return name


def _all_of(error: BaseException) -> Iterator[BaseException]:
    pending, seen = [error], set[int]()
    while pending:
        each = pending.pop()
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            linked = (each.__cause__, each.__context__, *getattr(each, "exceptions", ()))
            pending += [other for other in linked if isinstance(other, BaseException)]
