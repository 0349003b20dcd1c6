"""Stopping one run from its view, as an interrupt of the kernel would stop it."""

from __future__ import annotations

import _thread
import asyncio
import threading
from typing import TYPE_CHECKING

from flyte_nb.jupyter.interrupts import BLOCKED_SECONDS
from flyte_nb.jupyter.output import has_front_end

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["Cancellation"]

_FIRST_THAT_HEARS = 7


class Cancellation:
    """Cancels the asyncio task in which it is made, when it is asked to.

    Attributes:
        asked: Whether somebody has asked.
    """

    def __init__(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self.asked = self._came_round = self._struck = False

    @staticmethod
    def can_be_asked(shell: InteractiveShell) -> bool:
        """Say whether a message of the front end is heard while the work goes on here.

        From version 7 on, kernels read messages while a cell awaits; a cell that waits for a thread hears nothing.
        """
        if threading.current_thread() is not threading.main_thread() or not has_front_end(shell):
            return False
        from ipykernel._version import version_info

        return int(version_info[0]) >= _FIRST_THAT_HEARS

    def ask(self) -> None:
        """Cancel the work, from whatever thread. Where it blocks the loop, it is interrupted instead."""
        if self.asked:
            return  # a second time would cut its clean-up short
        self.asked = True
        self._loop.call_soon_threadsafe(self._cancel)
        if threading.current_thread() is not threading.main_thread():  # heard in a subshell, so the loop may be blocked
            alarm = threading.Timer(BLOCKED_SECONDS, self._strike)
            alarm.daemon = True
            alarm.start()

    def _cancel(self) -> None:
        self._came_round = True
        if self._task and not self._struck:
            self._task.cancel()

    def _strike(self) -> None:
        if not self._came_round:
            self._struck = True
            _thread.interrupt_main()
