"""Tracebacks show the user's code: the frames of flyte_nb between and below it are left out."""

from __future__ import annotations

import builtins
from pathlib import Path
from traceback import FrameSummary, StackSummary, TracebackException
from types import TracebackType
from typing import TYPE_CHECKING, Any

from IPython.core import interactiveshell

from flyte_nb.jupyter.hints import give_hint
from flyte_nb.jupyter.typed_source import as_typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.definitions.registry import Registry

__all__ = ["ShortTracebacks"]

_PACKAGE = __name__.partition(".")[0]
_FOLDER = str(Path(__file__).parents[1])
_SHORTENED = (BaseException,)
_GROUPS = getattr(builtins, "BaseExceptionGroup", ())  # Python 3.11


class ShortTracebacks:
    """Shows exceptions as IPython does, without the frames of flyte_nb, while the extension is loaded.

    Args:
        shell: Where.
        registry: What the session defines.
    """

    def __init__(self, shell: InteractiveShell, registry: Registry) -> None:
        self._shell, self._registry = shell, registry
        self._before: tuple[Any, Any] | None = None

    def load(self) -> None:
        """Register with the shell, unless somebody else shows exceptions there."""
        if not self._shell.custom_exceptions:
            self._before = (self._shell.custom_exceptions, getattr(self._shell, "CustomTB", None))
            self._shell.set_custom_exc(_SHORTENED, self._show)  # type: ignore[no-untyped-call]

    def unload(self) -> None:
        """Take back what `load` registered."""
        if self._before is not None and self._shell.custom_exceptions == _SHORTENED:
            self._shell.custom_exceptions, self._shell.CustomTB = self._before

    def _show(
        self,
        shell: InteractiveShell,
        kind: type[BaseException],
        error: BaseException,
        traceback: Any,
        tb_offset: Any = None,
    ) -> None:
        give_hint(error, self._registry)
        with as_typed():
            _show_typed(shell, kind, error, traceback, tb_offset)


def _show_typed(
    shell: InteractiveShell, kind: type[BaseException], error: BaseException, traceback: Any, tb_offset: Any
) -> None:
    if any(isinstance(part, _GROUPS) for part in _chain(error)):
        # IPython has no format for groups: it prints them, so that no error reaches the front end.
        shell._showtraceback(kind, error, _group_lines(shell, error))  # noqa: SLF001 - what its subclasses implement
        return
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


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield `error` and what led to it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _group_lines(shell: InteractiveShell, error: BaseException) -> list[str]:
    """Return `error` as Python shows groups, each exception of it with the user's frames only."""
    whole = TracebackException.from_exception(error)
    pending = [whole]
    while pending:
        part = pending.pop()
        part.stack = StackSummary.from_list([_named(shell, frame) for frame in part.stack if _is_the_users(frame)])
        # `exceptions` is what makes a group of it.
        pending += [found for found in (part.__cause__, part.__context__) if found]
        pending += getattr(part, "exceptions", None) or []
    return "".join(whole.format()).rstrip("\n").split("\n")


def _is_the_users(frame: FrameSummary) -> bool:
    return not frame.filename.startswith(_FOLDER) and frame.filename != interactiveshell.__file__


def _named(shell: InteractiveShell, frame: FrameSummary) -> FrameSummary:
    """Return `frame` with the number of its cell in place of the name of a file that does not exist."""
    known = shell.compile.format_code_name(frame.filename)
    name = " ".join(known) if known else frame.filename
    return FrameSummary(name, frame.lineno, frame.name, line=frame.line)
