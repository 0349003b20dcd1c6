"""What tasks print and log in a worker: sent to the kernel, line by line, with the call it belongs to."""

from __future__ import annotations

import io
import sys
import threading
from typing import TYPE_CHECKING, Any

from flyte_nb.execution.capture import stream_of

if TYPE_CHECKING:
    from collections.abc import Callable

    Tell = Callable[[int, str, str], None]

__all__ = ["take_output"]


class _Stream(io.TextIOBase):
    """Stands for sys.stdout or sys.stderr; what is below it, a pipe that the kernel reads, takes bytes as ever."""

    encoding, errors = "utf-8", "backslashreplace"

    def __init__(self, name: str, below: Any, call: Callable[[], int], tell: Tell) -> None:
        self._name, self._below, self._call, self._tell = name, below, call, tell
        self._held: dict[tuple[int, str], str] = {}
        self._was_lent = False
        # Whoever writes may be interrupted by a signal handler, which may print as well.
        self._lock = threading.RLock()

    @property
    def buffer(self) -> Any:
        """What takes bytes."""
        self._was_lent = True
        return self._below.buffer

    def fileno(self) -> int:
        """Return the descriptor of the pipe, for processes that a task starts."""
        descriptor: int = self._below.fileno()
        return descriptor

    def reconfigure(self, **_: Any) -> None:
        """Leave everything as it is: lines are sent at once, as UTF-8."""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        key = self._call(), stream_of(self._name, sys._getframe(1))  # noqa: SLF001 - the documented way to walk the stack
        with self._lock:
            lines, end, rest = (self._held.pop(key, "") + text).rpartition("\n")
            if rest:
                self._held[key] = rest
            if end:
                self._tell(*key, lines + end)
        return len(text)

    def flush(self) -> None:
        """Tell what was written of the present lines."""
        if self._held:
            with self._lock:
                held, self._held = self._held, {}
                for key, text in held.items():
                    self._tell(*key, text)
        if self._was_lent:
            self._below.flush()


def take_output(call: Callable[[], int], tell: Tell) -> tuple[Callable[[], None], Callable[[], None]]:
    """Have what is written to sys.stdout and sys.stderr told; return what tells the rest, and what puts an end to it.

    Args:
        call: Gives the id of the call whose code runs.
        tell: Is told the id of the call, "stdout", "stderr" or the level of a logging record, and the text.
    """
    below = sys.stdout, sys.stderr
    streams = [_Stream(name, getattr(sys, name), call, tell) for name in ("stdout", "stderr")]
    sys.stdout, sys.stderr = streams

    def flush() -> None:
        for stream in streams:
            stream.flush()

    def give_back() -> None:
        sys.stdout, sys.stderr = below

    return flush, give_back
