"""Tracebacks as plain facts, and as tracebacks again."""

from __future__ import annotations

import importlib
import os
import traceback
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

__all__ = ["Frame", "as_text", "as_traceback", "frames_of"]

_OWN = str(Path(__file__).parent.parent) + os.sep
# Of a deep recursion, the frames at either end tell what there is to tell.
_OUTER, _INNER = 20, 80
# What Python runs to import a module.
_IMPORTING = ("<frozen importlib", importlib.__file__)


class Frame(NamedTuple):
    """A line that was running. Pickled as it is, so it holds plain data.

    Attributes:
        file: The file it is in.
        line: Its number.
        function: The name of the function.
    """

    file: str
    line: int
    function: str


def frames_of(running: TracebackType | None) -> list[Frame]:
    """Return the frames of a traceback, the outermost first, without those of flyte_nb and of the import system."""
    outer: list[Frame] = []
    inner: deque[Frame] = deque(maxlen=_INNER)
    while running is not None:
        code = running.tb_frame.f_code
        if not code.co_filename.startswith((_OWN, *_IMPORTING)):
            frame = Frame(code.co_filename, running.tb_lineno or 0, code.co_name)
            (outer if len(outer) < _OUTER else inner).append(frame)
        running = running.tb_next
    return [*outer, *inner]


def as_traceback(frames: Sequence[Frame]) -> TracebackType | None:
    """Return a traceback that shows `frames`, or None if there are none, or if that cannot be made here."""
    try:
        from tblib import Traceback  # type: ignore[import-untyped]
    except ImportError:  # the processes of other environments have their own libraries only
        return None
    chain: dict[str, Any] | None = None
    for frame in reversed(frames):
        code = {"co_filename": frame.file, "co_name": frame.function, "co_firstlineno": frame.line}
        names = {"__name__": "", "__file__": frame.file}
        inner = {"f_globals": names, "f_locals": {}, "f_code": code, "f_lineno": frame.line}
        chain = {"tb_frame": inner, "tb_lineno": frame.line, "tb_next": chain}
    made: TracebackType | None = Traceback.from_dict(chain).as_traceback() if chain else None
    return made


def as_text(frames: Sequence[Frame]) -> str:
    """Return `frames` as Python prints them."""
    lines = [traceback.FrameSummary(frame.file, frame.line, frame.function) for frame in frames]
    return "".join(traceback.StackSummary.from_list(lines).format())
