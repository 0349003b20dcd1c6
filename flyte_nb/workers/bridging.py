"""Awaiting on one loop what runs on another; a cancellation goes over, and counts when it was heard there."""

from __future__ import annotations

import asyncio
import concurrent.futures
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Work = Callable[[], Coroutine[Any, Any, Any]]

__all__ = ["run_elsewhere", "wait_elsewhere"]

T = TypeVar("T")

# How long code that was stopped may take to clean up before nobody waits for it any more.
_CLEAN_UP_SECONDS = 5.0


async def run_elsewhere(loop: asyncio.AbstractEventLoop, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Await `work` on `loop`, which runs in another thread, in the context of the caller."""
    __tracebackhide__ = True
    here = asyncio.get_running_loop()
    woken = asyncio.Event()

    def ended() -> None:
        with suppress(RuntimeError):  # this loop was closed meanwhile
            here.call_soon_threadsafe(woken.set)

    errand = _Errand(loop, work, ended)
    try:
        await woken.wait()
    except asyncio.CancelledError as error:
        errand.cancel()
        with suppress(asyncio.CancelledError, asyncio.TimeoutError):  # cancelled once more: it is not waited for
            await asyncio.wait_for(woken.wait(), _CLEAN_UP_SECONDS)
        raise error.with_traceback(None)  # noqa: B904 - it is the same, without where in here it waited
    result: T = errand.result()
    return result


def wait_elsewhere(loop: asyncio.AbstractEventLoop, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Wait, in this thread, for `work` on `loop`, which runs in another, in the context of the caller.

    What interrupts the waiting, such as a KeyboardInterrupt, stops the work and is raised.
    """
    __tracebackhide__ = True
    woken: concurrent.futures.Future[None] = concurrent.futures.Future()
    errand = _Errand(loop, work, lambda: woken.set_result(None))
    try:
        woken.result()
    except BaseException as error:  # noqa: BLE001 - it is raised again
        errand.cancel()
        concurrent.futures.wait({woken}, timeout=_CLEAN_UP_SECONDS)
        raise error.with_traceback(None)  # noqa: B904 - it is the same, without where in here it waited
    result: T = errand.result()
    return result


class _Errand:
    """Work on another loop; `ended` is called there when it has ended."""

    def __init__(self, loop: asyncio.AbstractEventLoop, work: Work, ended: Callable[[], None]) -> None:
        self._loop, self._work, self._ended = loop, work, ended
        self._task: asyncio.Task[None] | None = None
        self._result: Any = None
        self._error: BaseException | None = None
        loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._run())
        self._task.add_done_callback(self._end)

    async def _run(self) -> None:
        try:
            self._result = await self._work()
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = error

    def _end(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():  # before it has begun
            self._error = asyncio.CancelledError()
        self._ended()

    def result(self) -> Any:
        """Return what the work has given, or raise what it has raised."""
        __tracebackhide__ = True
        if self._error is not None:
            raise self._error
        return self._result

    def cancel(self) -> None:
        """Cancel the work, from whatever thread."""
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._task:
            self._task.cancel()
