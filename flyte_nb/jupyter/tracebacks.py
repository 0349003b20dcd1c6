"""Tracebacks show the user's code: the frames of flyte_nb between and below it are left out."""

from __future__ import annotations

from asyncio import CancelledError
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["ShortTracebacks"]

_PACKAGE = __name__.partition(".")[0]
_SHORTENED = (Exception, KeyboardInterrupt, CancelledError)


class ShortTracebacks:
    """Shows exceptions as IPython does, without the frames of flyte_nb, while the extension is loaded."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._before: tuple[Any, Any] | None = None

    def load(self) -> None:
        """Register with the shell, unless somebody else shows exceptions there."""
        if not self._shell.custom_exceptions:
            self._before = (self._shell.custom_exceptions, getattr(self._shell, "CustomTB", None))
            self._shell.set_custom_exc(_SHORTENED, _show)  # type: ignore[no-untyped-call]

    def unload(self) -> None:
        """Take back what `load` registered."""
        if self._before is not None and self._shell.custom_exceptions == _SHORTENED:
            self._shell.custom_exceptions, self._shell.CustomTB = self._before


def _show(
    shell: InteractiveShell, kind: type[BaseException], error: BaseException, traceback: Any, tb_offset: Any = None
) -> None:
    shown = (kind, error, _of_the_user(traceback))
    shell.showtraceback(shown, tb_offset=tb_offset, running_compiled_code=True)


def _of_the_user(traceback: TracebackType | None) -> TracebackType | None:
    """Return the traceback without the frames of this package; the exception keeps its own."""
    frames = []
    while traceback:
        if traceback.tb_frame.f_globals.get("__name__", "").partition(".")[0] != _PACKAGE:
            frames.append(traceback)
        traceback = traceback.tb_next
    shortened = None
    for frame in reversed(frames):
        shortened = TracebackType(shortened, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return shortened
