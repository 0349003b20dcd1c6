"""Tasks that do what is ready, so many at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["Workers"]


class Workers:
    """At most `limit` tasks, each of which works until nothing is ready; none when nothing is.

    A task for each environment would begin it three turns of the loop after the one before has ended. A worker begins
    it in the same turn.

    Args:
        limit: How many there are at most.
        work: What a worker does: it calls `arrived`, and then takes what is ready until nothing is.
        left: Called when one has left.
    """

    def __init__(self, limit: int, work: Callable[[], Coroutine[None, None, None]], left: Callable[[], None]) -> None:
        self._limit, self._work, self._left = limit, work, left
        self._present: set[asyncio.Task[None]] = set()
        self._coming: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._present)

    def call(self, ready: int) -> None:
        """See to it that `ready` things are taken, as far as there are places."""
        while ready > len(self._coming) and len(self._present) < self._limit:
            worker = asyncio.ensure_future(self._work())
            self._present.add(worker)
            self._coming.add(worker)
            worker.add_done_callback(self._leave)

    def arrived(self) -> None:
        """Note that the current task has begun to work."""
        self._coming.discard(asyncio.current_task())

    def _leave(self, worker: asyncio.Task[None]) -> None:
        self._coming.discard(worker)  # cancelled before it came
        self._present.discard(worker)
        self._left()
