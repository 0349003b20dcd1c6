"""Retries and timeouts: a task is tried again when it fails, and each attempt ends in time.

`max_runtime` bounds each attempt, `deadline` all of them with the waits between. An async task is stopped where it
awaits. A sync task is stopped between two steps of Python: code in C that blocks (time.sleep, a query) is left only
when it returns.
"""

from __future__ import annotations

import asyncio
import ctypes
import threading
import time
from typing import TYPE_CHECKING, Any

from flyte_nb.errors import TaskTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from flyte_nb.execution.call import Call
    from flyte_nb.model.task import Task

__all__ = ["attempt", "attempt_async"]

# How long a cancelled attempt may take to clean up before it is left alone.
_CLEAN_UP_SECONDS = 5.0


class _Attempts:
    """How often and how long one call of a task may still be tried."""

    def __init__(self, task: Task[..., Any], call: Call, tell: Callable[[Call], None]) -> None:
        self._task, self._call, self._tell = task, call, tell
        deadline = task.timeout.deadline
        self._end = None if deadline is None else time.monotonic() + deadline.total_seconds()

    def limit(self) -> float | None:
        """Return how many seconds the next attempt may run, or None for as many as it likes."""
        runtime = self._task.timeout.max_runtime
        limits = [] if runtime is None else [runtime.total_seconds()]
        if self._end is not None:
            limits.append(max(0.0, self._end - time.monotonic()))
        return min(limits, default=None)

    def wait_after(self, error: Exception) -> float:
        """Return how many seconds to wait before the next attempt, or raise `error` if there is none."""
        retries = self._task.retries
        attempt = self._call.attempts
        wait = retries.backoff.delay(attempt - 1).total_seconds() if retries.backoff else 0.0
        if attempt > retries.count or (self._end is not None and time.monotonic() + wait >= self._end):
            raise error
        self._call.retry(error)
        self._tell(self._call)
        return wait

    def resume(self) -> None:
        """Note that the next attempt begins."""
        self._call.resume()
        self._tell(self._call)


async def attempt_async(
    task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], call: Call, tell: Callable[[Call], None]
) -> Any:
    """Await an async task under its policies.

    Raises:
        TaskTimeoutError: The last attempt took too long.
    """
    __tracebackhide__ = True
    attempts = _Attempts(task, call, tell)
    while True:
        try:
            return await _limited(task, task.function(*args, **kwargs), attempts.limit())
        except Exception as error:  # noqa: BLE001 - whatever a task raises
            wait = attempts.wait_after(error)
        await asyncio.sleep(wait)
        attempts.resume()


async def _limited(task: Task[..., Any], work: Coroutine[Any, Any, Any], seconds: float | None) -> Any:
    __tracebackhide__ = True
    if seconds is None:
        return await work
    running = asyncio.ensure_future(work)
    try:
        await asyncio.wait({running}, timeout=seconds)
    except asyncio.CancelledError:
        await _cancelled(running)
        raise
    if not running.done():
        await _cancelled(running)
        raise TaskTimeoutError(task.name, seconds)
    return running.result()


async def _cancelled(running: asyncio.Future[Any]) -> None:
    """Cancel `running` and wait while it cleans up; what it raises meanwhile is of no more interest."""
    running.cancel()
    await asyncio.wait({running}, timeout=_CLEAN_UP_SECONDS)
    if running.done() and not running.cancelled():
        running.exception()


def attempt(
    task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], call: Call, tell: Callable[[Call], None]
) -> Any:
    """Call a sync task under its policies, in this thread.

    Raises:
        TaskTimeoutError: The last attempt took too long.
    """
    __tracebackhide__ = True
    attempts = _Attempts(task, call, tell)
    while True:
        try:
            return _limited_here(task, args, kwargs, attempts.limit())
        except Exception as error:  # noqa: BLE001 - whatever a task raises
            wait = attempts.wait_after(error)
        time.sleep(wait)
        attempts.resume()


def _limited_here(task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], seconds: float | None) -> Any:
    __tracebackhide__ = True
    if seconds is None:
        return task.function(*args, **kwargs)
    alarm = _Alarm()
    try:
        alarm.start(seconds)
        try:
            return task.function(*args, **kwargs)
        finally:
            alarm.stop()
    except alarm.rang:
        raise TaskTimeoutError(task.name, seconds) from None


class _Alarm:
    """Raises `rang` in the thread that starts it, after some seconds, unless it is stopped.

    Attributes:
        rang: Its own, so that the alarm of a caller passes through; no Exception, so that `except Exception` lets it.
    """

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._stopped = self._has_rung = False
        self.rang: type[BaseException] = type("TimeIsUp", (BaseException,), {})

    def start(self, seconds: float) -> None:
        """Ring in so many seconds; from now on `rang` may be raised at any step."""
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True
        self._timer.start()

    def _ring(self) -> None:
        with self._lock:
            if not self._stopped:
                self._has_rung = True
                _raise_in(self._thread, self.rang)

    def stop(self) -> None:
        """Stop the alarm; if it has rung meanwhile, it is heard here or never."""
        self._timer.cancel()
        with self._lock:
            self._stopped = True
            if self._has_rung:
                _raise_in(self._thread, None)


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Let `thread` raise `error` before its next step, or forget what it was to raise."""
    pending = ctypes.py_object(error) if error else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), pending)
