"""Interrupting a cell that awaits without a magic, as `await train_model()` does.

A kernel turns SIGINT into the cancellation of such a cell, but only when its loop next comes round: one that is idle
goes on sleeping, and code that never awaits goes on computing (ipykernel issue 1239).
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from flyte_nb.jupyter.interrupts import BLOCKED_SECONDS, HEARTBEAT_SECONDS, inside_work, interrupt_if_blocked, stop_of

if TYPE_CHECKING:
    from types import FrameType

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["CellInterrupts"]

# True in an awaited cell, and in every task it starts.
_in_cell: ContextVar[bool] = ContextVar("flyte_nb_in_cell", default=False)


class CellInterrupts:
    """Helps the kernel's own handler, during each cell that the kernel awaits."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._handler = self._on_interrupt  # a bound method is another object each time
        self._depth = self._signals = 0

    def load(self) -> None:
        """Start helping, from the next cell on."""
        self._shell.events.register("pre_run_cell", self._before)
        self._shell.events.register("post_run_cell", self._after)

    def unload(self) -> None:
        """Stop helping."""
        self._shell.events.unregister("pre_run_cell", self._before)
        self._shell.events.unregister("post_run_cell", self._after)
        self._restore()

    def _before(self, _info: Any) -> None:
        if inside_work.get() or threading.current_thread() is not threading.main_thread():
            return
        handler = signal.getsignal(signal.SIGINT)
        if handler is self._handler:
            self._depth += 1  # a magic of the cell runs another
        elif callable(handler) and handler is not signal.default_int_handler:
            self._help(handler)

    def _help(self, handler: Any) -> None:
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # a handler of the user's
        self._previous, self._depth = handler, 1
        self._task = asyncio.current_task()
        _in_cell.set(True)
        signal.signal(signal.SIGINT, self._handler)
        self._beat()

    def _beat(self) -> None:
        self._last_beat = time.monotonic()
        self._next_beat = self._loop.call_later(HEARTBEAT_SECONDS, self._beat)

    def _after(self, _result: Any) -> None:
        if inside_work.get() or threading.current_thread() is not threading.main_thread():
            return
        if self._depth <= 1:
            self._restore()
        self._depth = max(0, self._depth - 1)

    def _restore(self) -> None:
        if self._depth:
            self._next_beat.cancel()
            if signal.getsignal(signal.SIGINT) is self._handler:
                signal.signal(signal.SIGINT, self._previous)

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        if _in_cell.get() and time.monotonic() - self._last_beat > BLOCKED_SECONDS:
            stop = stop_of(frame)
            # Where IPython is about to run the cell, or has run it, nothing would catch a cancellation.
            if isinstance(stop, KeyboardInterrupt) or asyncio.current_task() is not self._task:
                raise stop
        self._loop.call_soon_threadsafe(self._pass_on, number, self._signals)
        interrupt_if_blocked(self._loop)

    def _pass_on(self, number: int, signals: int) -> None:
        """Let the kernel cancel the cell, unless a later signal has stopped it: its clean-up is not to be cut short."""
        if signals == self._signals:
            self._previous(number, None)
