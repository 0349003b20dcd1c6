"""A call that a worker has been sent, as who waits for it has it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from flyte_nb.crossing.parcel import Parcel

if TYPE_CHECKING:
    from flyte_nb.workers.calls import WorkerCall
    from flyte_nb.workers.connection import Connection

__all__ = ["Outcome", "Running"]

Outcome = tuple[int, Parcel, str]
"""How a call has ended, the value or the error, and the value in a few words."""


class Running:
    """A call that the worker has been sent, and who waits for it: on whatever loop.

    Attributes:
        call: The call.
        outcome: Done when the call has ended, and what it has made and given up has ended, too.
        heard: Whether it was stopped, and cleans up.
        is_over: Whether its own code has ended.
        line: Where it was sent.
    """

    def __init__(self, call: WorkerCall) -> None:
        self.call, self.heard, self.is_over = call, False, False
        self.line: Connection | None = None
        self._loop = asyncio.get_running_loop()
        self.outcome: asyncio.Future[Outcome] = self._loop.create_future()
        self._missed: tuple[Outcome | None, Exception | None] | None = None

    def wait_anew(self) -> None:
        """Wait again, when who waited was cancelled; it may have ended in the same moment."""
        self.outcome = self._loop.create_future()
        if self._missed:
            self._tell(*self._missed)

    def end(self, outcome: Outcome | None, error: Exception | None = None) -> None:
        """Tell who waits; from whatever loop."""
        if asyncio.get_running_loop() is self._loop:
            self._tell(outcome, error)
        else:
            with suppress(RuntimeError):  # that loop was closed, and who waited is gone
                self._loop.call_soon_threadsafe(self._tell, outcome, error)

    def _tell(self, outcome: Outcome | None, error: Exception | None) -> None:
        if self.outcome.cancelled():
            self._missed = outcome, error
        elif self.outcome.done():
            return
        elif outcome is not None:
            self.outcome.set_result(outcome)
        elif error is not None:
            self.outcome.set_exception(error)
            self.outcome.exception()  # or asyncio says that nobody asked for it
