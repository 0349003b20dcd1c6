"""Errors of flyte_nb point at the user's line: its own frames are left out of their tracebacks."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from flyte_nb.errors import FlyteNbError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["ShortTracebacks"]

_PACKAGE = __name__.partition(".")[0]


class ShortTracebacks:
    """Shows errors of flyte_nb without the frames below the user's, while the extension is loaded."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._before: tuple[Any, Any] | None = None

    def load(self) -> None:
        """Register with the shell, unless somebody else shows exceptions there."""
        if not self._shell.custom_exceptions:
            self._before = (self._shell.custom_exceptions, getattr(self._shell, "CustomTB", None))
            self._shell.set_custom_exc((FlyteNbError,), _show)  # type: ignore[no-untyped-call]

    def unload(self) -> None:
        """Take back what `load` registered."""
        if self._before is not None and self._shell.custom_exceptions == (FlyteNbError,):
            self._shell.custom_exceptions, self._shell.CustomTB = self._before


def _show(
    shell: InteractiveShell, kind: type[BaseException], error: BaseException, traceback: Any, tb_offset: Any = None
) -> None:
    shell.showtraceback((kind, error, _of_the_user(traceback)), tb_offset=tb_offset)


def _of_the_user(traceback: TracebackType | None) -> TracebackType | None:
    """Return the traceback up to the last frame that is not of this package."""
    frames = []
    while traceback:
        frames.append(traceback)
        traceback = traceback.tb_next
    while frames and frames[-1].tb_frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        frames.pop()
    shortened = None
    for frame in reversed(frames):
        shortened = TracebackType(shortened, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return shortened
