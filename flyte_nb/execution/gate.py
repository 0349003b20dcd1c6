"""The gate before each call of a run: it lets a loop that never gets a turn hear, and keeps calls out once asked.

An await of a task that never suspends gives the loop no turn, nor does what asyncio.gather has begun: all of it runs
before the loop hears of anything, a cancellation included.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from flyte_nb.execution.runner import gate_before_calls

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Gate", "excuse_current"]

# A loop that has not come round for this long has its turns before the next call begins.
_STARVED_SECONDS = 0.1
# How many turns a kernel needs, at the most, from a message that lies there to the cancellation it asks for.
_TURNS = 20


class Gate:
    """Stands before each call that begins in the body of `before_calls`, in every task and thread started there.

    It is shut by whoever has asked the loop to cancel the work, and opened by the loop when it does. Meanwhile what is
    awaited waits, so that the cancellation finds it here; a sync call cannot wait, and is refused.

    Attributes:
        told: Is set once a call has been refused.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._shut, self._excused = False, WeakSet[asyncio.Task[Any]]()
        self.told = threading.Event()
        self._came_round, self._turns = time.monotonic(), 0

    @contextmanager
    def before_calls(self) -> Iterator[None]:
        """Stand before each call that begins in the body."""
        around = gate_before_calls.get()
        gate_before_calls.set(self)
        try:
            yield
        finally:
            gate_before_calls.set(around)

    def shut(self) -> None:
        """Let no further call begin; from whatever thread."""
        self._shut = True

    def open(self) -> None:
        """Let calls begin again."""
        self._shut = False

    def excuse(self, task: asyncio.Task[Any]) -> None:
        """Let pass what `task` calls from now on: it is stopped already, and cleans up."""
        self._excused.add(task)

    def has_stopped(self, task: asyncio.Task[Any]) -> bool:
        """Say whether `task` was refused a call, or excused."""
        return task in self._excused

    def refuse(self) -> None:
        """End the running task if the gate is shut: once, so that its clean-up may call what it likes.

        Threads without a loop are stopped by whoever awaits them.

        Raises:
            CancelledError: It is shut.
        """
        task = _running_task() if self._shut else None
        if task is not None and task not in self._excused:
            self.excuse(task)
            self.told.set()
            raise asyncio.CancelledError

    @property
    def holds_up(self) -> bool:
        """Whether what is awaited is to wait: the gate is shut, or the loop has not come round for long."""
        return self._shut or time.monotonic() - self._came_round > _STARVED_SECONDS

    async def wait(self) -> None:
        """Give the loop its turns; those who wait here go on in the order in which they came.

        Raises:
            CancelledError: The loop has cancelled the running task; another loop has done nothing, and it is refused.
        """
        if asyncio.get_running_loop() is not self._loop:
            self.refuse()
            return
        while self.holds_up:
            if not self._turns:
                self._turns = _TURNS
                self._loop.call_soon(self._turn)
            await asyncio.sleep(0)

    def _turn(self) -> None:
        self._turns -= 1
        if self._turns:
            self._loop.call_soon(self._turn)
        else:
            self._came_round = time.monotonic()


def excuse_current() -> None:
    """Let pass what the running task calls from now on, because it has just been interrupted."""
    gate, task = gate_before_calls.get(), _running_task()
    if gate and task:
        gate.excuse(task)


def _running_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
