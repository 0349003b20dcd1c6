"""Errors of workers for people: where they arose, in a module of a version, and without what is secret."""

from __future__ import annotations

import linecache
import operator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flyte_nb.crossing.frames import as_traceback, frames_of
from flyte_nb.masking import declared_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flyte_nb.crossing.frames import Frame

__all__ = ["make_presentable"]

_SHOWN_CHARACTERS = 12
_OWN_FOLDER = (
    "A task that runs on local has a folder of its own, not that of the notebook: give it an absolute path, as "
    'os.path.abspath("data.csv") in the notebook.'
)


def make_presentable(error: BaseException, folder: Path) -> None:
    """Let an error from a worker, and all that led to it, name versions in place of folders, and no secrets.

    Args:
        error: The error, as it was unpacked.
        folder: Where the code of all versions is kept.
    """
    for each in _all_of(error):
        frames = frames_of(each.__traceback__)
        named = [frame._replace(file=_named(frame.file, folder)) for frame in frames]
        if named != frames:
            each.__traceback__ = as_traceback(named)
        _mask(each)
        with suppress(Exception):  # an exception of others may refuse anything
            if isinstance(each, FileNotFoundError) and _is_relative(each.filename) and not _is_of_a_program(frames):
                notes = getattr(each, "__notes__", [])
                each.__notes__ = [*notes, _OWN_FOLDER]  # type: ignore[attr-defined,unused-ignore]  # before Python 3.11


def _is_relative(file: object) -> bool:
    return isinstance(file, str) and not Path(file).is_absolute()


def _is_of_a_program(frames: Sequence[Frame]) -> bool:
    """Say whether an error arose where a program is started, which is looked for elsewhere."""
    return bool(frames) and Path(frames[-1].file).name == "subprocess.py"


def _mask(error: BaseException) -> None:
    """Take what is declared as secret out of all that an exception says."""
    said = {"args": error.args, "filename": None, "filename2": None, **vars(error)}
    for name, value in said.items():
        with suppress(Exception):  # an exception of others may refuse anything
            value = getattr(error, name, value)  # what a file system's own error is about is not in its variables
            masked = _masked(value)
            if masked is not value:
                setattr(error, name, masked)


def _masked(value: Any) -> Any:
    """Return plain data with what is declared as secret masked; the very same if there is nothing."""
    if type(value) is str:
        masked = declared_secrets.masked(value)
        return value if masked == value else masked
    if type(value) in (list, tuple):
        parts = [*map(_masked, value)]
        return value if all(map(operator.is_, parts, value)) else type(value)(parts)
    if type(value) is dict:
        parts = [*map(_masked, value.values())]
        return value if all(map(operator.is_, parts, value.values())) else dict(zip(value, parts, strict=True))
    return value


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
