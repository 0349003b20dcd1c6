"""Stopping a run or a deployment from its view, as an interrupt of the kernel would stop it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from IPython.core.error import UsageError

from flyte_nb.execution.gate import Gate
from flyte_nb.jupyter.interrupts import interrupt_if_blocked, was_interrupted
from flyte_nb.jupyter.output import has_front_end

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["Cancellation"]

_FIRST_THAT_HEARS = (7,)


class Cancellation:
    """Cancels the asyncio task in which it is made, when it is asked to.

    Attributes:
        asked: Whether somebody has asked.
    """

    def __init__(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._gate = Gate(self._loop)
        self.asked = False

    def asker(self, shell: InteractiveShell) -> Callable[[], None] | None:
        """Return what a button of the front end calls, or None where it would not be heard while the work goes on.

        From version 7 on, kernels read messages while a cell awaits; a cell that waits for a thread hears nothing.
        """
        if threading.current_thread() is not threading.main_thread() or not has_front_end(shell):
            return None
        from ipykernel._version import version_info

        return self.ask if version_info >= _FIRST_THAT_HEARS else None

    def before_calls(self) -> AbstractContextManager[None]:
        """Have each call of a task in the body hear whether somebody has asked, even where nothing ever suspends."""
        return self._gate.before_calls()

    def raise_if_asked(self, what: str) -> None:
        """End the cell with one line instead of a traceback, if somebody has asked; `what` is a run or a deployment."""
        if self.asked:
            raise UsageError(f"The {what} was cancelled.") from None

    def ask(self) -> None:
        """Cancel the work, from whatever thread. Where it blocks the loop, it is interrupted instead.

        Not every kernel hears a button while the loop is blocked; the view then says how to interrupt.
        """
        if self.asked:
            return  # a second time would cut its clean-up short
        self.asked = True
        self._gate.shut()
        self._loop.call_soon_threadsafe(self._cancel)
        if threading.current_thread() is not threading.main_thread():  # heard in a subshell, so the loop may be blocked
            interrupt_if_blocked(self._loop, self._gate.told)

    def _cancel(self) -> None:
        self._gate.open()  # from here on asyncio cancels, as it does everywhere
        # What was stopped is not stopped a second time, in its clean-up.
        if self._task and not was_interrupted(self._task) and not self._gate.has_stopped(self._task):
            self._task.cancel()
