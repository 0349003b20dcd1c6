"""What code prints and logs is noted with the call it belongs to, and goes where it went before, if that is wanted.

The call is found as callers are: through a context variable, which child tasks and threads that carry the context
share. Of logging, what handlers show is noted, as they show it, with the level of the record.
"""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from flyte_nb.execution.runner import current_call
from flyte_nb.masking import declared_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType

    from flyte_nb.execution.call import Call

__all__ = ["Capture", "capturing", "echoing", "pass_on", "stream_of", "whole_lines"]

_STREAMS = ("stdout", "stderr")
# In a thread that writes whole lines: what it has written of the present line, by stream.
_thread = threading.local()
_EMIT = logging.StreamHandler.emit.__code__


class _Tee:
    """Stands for sys.stdout or sys.stderr, and is in everything else what it stands for."""

    def __init__(self, name: str, stream: Any) -> None:
        self._name, self.stream = name, stream

    def write(self, text: str) -> int:
        call = current_call()
        if call is not None:
            call.write(stream_of(self._name, sys._getframe(1)), text)  # noqa: SLF001 - the documented way to walk the stack
            if not _capture.echo():
                return len(text)
        held: dict[_Tee, str] | None = getattr(_thread, "held", None)
        if held is None:
            self.stream.write(text)
        else:
            lines, end, held[self] = (held.get(self, "") + text).rpartition("\n")
            self.stream.write(lines + end)
        return len(text)

    def flush(self) -> None:
        held: dict[_Tee, str] | None = getattr(_thread, "held", None)
        if held:
            self.stream.write(held.pop(self, ""))
        self.stream.flush()

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __iter__(self) -> Iterator[str]:
        return iter(self.stream)

    def __getattr__(self, name: str) -> Any:
        if name == "stream":  # not there yet, or no more: copied, or unpickled
            raise AttributeError(name)
        return getattr(self.stream, name)


def stream_of(name: str, writer: FrameType) -> str:
    """Return where the code in the frame `writer` writes: the stream `name`, or the level of a logging record."""
    level: str = writer.f_locals["record"].levelname if writer.f_code is _EMIT else name
    return level


class Capture:
    """Notes what calls print and log from the first `start` to the last `stop`.

    Attributes:
        echo: Says whether it also goes where it would go without this.
    """

    def __init__(self) -> None:
        self.echo: Callable[[], bool] = lambda: True
        self._lock = threading.Lock()
        self._users = 0
        self._taken_over: WeakSet[logging.StreamHandler[Any]] = WeakSet()

    def start(self) -> None:
        """Begin, unless it has begun; where a stream was replaced meanwhile, take it over again."""
        with self._lock:
            self._users += 1
            for name in _STREAMS:
                stream = getattr(sys, name)
                if stream is not None and not isinstance(stream, _Tee):
                    tee = _Tee(name, stream)
                    setattr(sys, name, tee)
                    self._take_over(stream, tee)

    def _take_over(self, stream: Any, tee: _Tee) -> None:
        """Let handlers of logging show records through `tee`: they keep the stream that they began with."""
        for handler in _handlers():
            if handler.stream is stream:
                handler.setStream(tee)
                self._taken_over.add(handler)

    def stop(self) -> None:
        """End, if nobody else needs it; what somebody has put over it stays, and still passes everything on."""
        with self._lock:
            self._users -= 1
            if self._users:
                return
            for name in _STREAMS:
                stream = getattr(sys, name)
                if isinstance(stream, _Tee):
                    setattr(sys, name, stream.stream)
            for handler in [*self._taken_over, *_handlers()]:
                if isinstance(handler.stream, _Tee):
                    handler.setStream(handler.stream.stream)
            self._taken_over.clear()


def _handlers() -> list[logging.StreamHandler[Any]]:
    """Return the handlers of all loggers that show records on a stream."""
    loggers = [logging.getLogger(), *logging.getLogger().manager.loggerDict.values()]
    found = [handler for logger in loggers for handler in getattr(logger, "handlers", ())]
    return [handler for handler in found if isinstance(handler, logging.StreamHandler)]


@contextmanager
def whole_lines() -> Iterator[None]:
    """Pass on what the body writes in this thread line by line, or when it is flushed, as a terminal does.

    `print` writes a line and its end one after the other, between which another thread may write.
    """
    held: dict[_Tee, str] = {}
    _thread.held = held
    try:
        yield
    finally:
        _thread.held = None
        for stream, text in held.items():
            stream.stream.write(text)


def pass_on(call: Call, stream: str, text: str) -> None:
    """Note what `call`, which runs in another process, has written, and show it where it would show if it ran here."""
    call.write(stream, text)
    if not _capture.echo():
        return
    shown = sys.stdout if stream == "stdout" else sys.stderr
    shown = shown.stream if isinstance(shown, _Tee) else shown
    if shown is not None:
        with suppress(OSError, ValueError):  # nobody reads it any more
            shown.write(declared_secrets.masked(text))


_capture = Capture()


@contextmanager
def capturing() -> Iterator[None]:
    """Note what calls print and log while the body runs."""
    _capture.start()
    try:
        yield
    finally:
        _capture.stop()


@contextmanager
def echoing(wanted: Callable[[], bool]) -> Iterator[None]:
    """Ask `wanted`, while the body runs, whether what calls write also goes where it would go without them."""
    before, _capture.echo = _capture.echo, wanted
    try:
        yield
    finally:
        _capture.echo = before
