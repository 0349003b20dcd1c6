"""What code prints and logs is noted with the call it belongs to, and goes where it went before.

The call is found as callers are: through a context variable, which child tasks and threads that carry the context
share. Logging is noted where records are made, whatever handler shows them; what handlers print is not noted again.
"""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flyte_nb.execution.runner import current_call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Capture", "capturing", "whole_lines"]

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
        if call is not None and sys._getframe(1).f_code is not _EMIT:  # noqa: SLF001 - the documented way
            call.write(self._name, text)
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


class Capture:
    """Notes what calls print and log from the first `start` to the last `stop`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._make_record: Callable[..., logging.LogRecord] = logging.getLogRecordFactory()
        self._factory = self._noted_record  # a bound method is another object each time

    def start(self) -> None:
        """Begin, unless it has begun; where a stream was replaced meanwhile, take it over again."""
        with self._lock:
            self._users += 1
            for name in _STREAMS:
                stream = getattr(sys, name)
                if stream is not None and not isinstance(stream, _Tee):
                    setattr(sys, name, _Tee(name, stream))
            if self._users == 1 and logging.getLogRecordFactory() is not self._factory:
                self._make_record = logging.getLogRecordFactory()
                logging.setLogRecordFactory(self._factory)

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
            if logging.getLogRecordFactory() is self._factory:
                logging.setLogRecordFactory(self._make_record)

    def _noted_record(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self._make_record(*args, **kwargs)
        call = current_call() if self._users else None
        if call is not None and record.name is not None:  # None: a record that comes from elsewhere
            call.write(record.levelname, f"{_text(record)}\n")
        return record


def _text(record: logging.LogRecord) -> str:
    try:
        message = record.getMessage()
    except Exception:  # noqa: BLE001 - arguments that do not fit the message are reported by the handler
        message = str(record.msg)
    if record.exc_info and record.exc_info[0]:
        message = f"{message}\n{logging.Formatter().formatException(record.exc_info)}"
    return f"{record.name}: {message}"


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


_capture = Capture()


@contextmanager
def capturing() -> Iterator[None]:
    """Note what calls print and log while the body runs."""
    _capture.start()
    try:
        yield
    finally:
        _capture.stop()
