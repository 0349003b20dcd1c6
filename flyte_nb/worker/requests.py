"""What a worker has asked the kernel for: tasks of other environments, and its own, run where the kernel says."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from flyte_nb.crossing.memory import Memory
    from flyte_nb.worker.connection import Connection
    from flyte_nb.worker.jobs import Job

__all__ = ["Answer", "Requests"]

Answer = tuple[tuple[Any, ...], "Memory | None"]


class Requests:
    """Owns the requests that are not yet answered."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._numbers = count(1)
        self._open: dict[int, Callable[[Answer], None]] = {}

    def ask_and_wait(self, kind: str, *content: Any, memory: Memory | None = None, job: Job) -> Answer:
        """Send a request for `job` and wait for the answer in this thread.

        Raises:
            StoppedInThread: `job` is to stop; the answer is of no more interest.
        """
        answer = Future[Answer]()
        number = self._send(answer.set_result, kind, content, memory)
        try:
            self._connection.wait_for(answer, job.hears)
        except asyncio.CancelledError:
            self._drop(number, job)
            raise
        return answer.result()

    async def ask(self, kind: str, *content: Any, memory: Memory | None = None, job: Job) -> Answer:
        """Send a request for `job` and await the answer; a cancellation stops what was asked for."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()

        def take(given: Answer) -> None:
            if not answer.done():
                answer.set_result(given)

        def deliver(given: Answer) -> None:
            if _runs_here(loop):
                take(given)
                return
            # A thread reads, or the task runs a loop of its own, which may be closed by now.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(take, given)

        number = self._send(deliver, kind, content, memory)
        try:
            return await answer
        except asyncio.CancelledError:
            self._drop(number, job)
            raise

    def tell(self, kind: str, *content: Any, job: Job) -> None:
        """Send what needs no answer, nor that anybody hears it."""
        job.has_written = True  # how it ends is told after this
        with suppress(RuntimeError):  # a process that was forked; what it asks for says so
            self._connection.send((kind, *content))

    def _send(
        self, deliver: Callable[[Answer], object], kind: str, content: tuple[Any, ...], memory: Memory | None
    ) -> int:
        number = next(self._numbers)
        self._open[number] = deliver  # type: ignore[assignment]  # what it returns is of no interest
        self._connection.send((kind, number, *content), memory)
        return number

    def answered(self, number: int, message: tuple[Any, ...], memory: Memory | None) -> None:
        """Hand on the answer that has come, if somebody still wants it."""
        deliver = self._open.pop(number, None)
        if deliver:
            deliver((message, memory))

    def _drop(self, number: int, job: Job) -> None:
        if self._open.pop(number, None):
            job.has_written = True  # how it ends is told after this
            self._connection.send(("drop", number))


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    """Say whether this is the thread in which `loop` runs."""
    return asyncio._get_running_loop() is loop  # noqa: SLF001 - documented; the other raises where there is none
