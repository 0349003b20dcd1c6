"""Retries and timeouts: a task is tried again when it fails, and each attempt begins and ends in time.

`max_queued_time` bounds the wait for a thread, `max_runtime` each attempt, `deadline` all of them with whatever they
wait for. An async task is stopped where it awaits; one that computes all the time has timed out when it ends. A sync
task is stopped between two steps of Python: code in C that blocks (time.sleep, a query) is left only when it returns.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from flyte_nb.errors import TaskTimeoutError
from flyte_nb.execution.node import RunState
from flyte_nb.execution.stopping import Stopper, cleaned_up

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from flyte_nb.execution.call import Call
    from flyte_nb.execution.placing import PlacedTask
    from flyte_nb.model.task import Task

__all__ = ["attempt", "attempt_async", "attempts_elsewhere", "begun_in_time", "limited"]

T = TypeVar("T")

# A loop that is busy with others may come late to a task that ended in time.
_LATE_SECONDS = 0.5


class _Attempts:
    """How often and how long one call of a task may still be tried."""

    def __init__(self, task: PlacedTask, call: Call, tell: Callable[[Call], None]) -> None:
        self._task, self._call, self._tell = task, call, tell
        runtime, deadline = task.timeout.max_runtime, task.timeout.deadline
        self.runtime = None if runtime is None else runtime.total_seconds()
        self.deadline = None if deadline is None else deadline.total_seconds()
        waited = time.time() - call.noted
        self._end = None if self.deadline is None else time.monotonic() + self.deadline - waited

    def limit(self) -> tuple[float | None, float | None]:
        """Return how many seconds the next attempt may take, and of how many in all; None for as many as it likes."""
        limits = [(self.runtime, self.runtime), (self.remaining(), self.deadline)]
        return min((limit for limit in limits if limit[0] is not None), default=(None, None))

    def remaining(self) -> float | None:
        """Return how many seconds there are until the deadline, or None if there is none."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def wait_after(self, error: Exception) -> float:
        """Return how many seconds to wait before the next attempt, or raise `error` if there is none."""
        if self._call.state is RunState.QUEUED:
            raise error  # it has waited for its turn long enough
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


async def begun_in_time(task: Task[..., Any], work: Coroutine[Any, Any, Any], call: Call) -> Any:
    """Await `work`, which lets the queued `call` begin.

    Raises:
        TaskTimeoutError: It has not begun in time, and never will.
    """
    __tracebackhide__ = True
    limit = min(filter(None, (task.timeout.max_queued_time, task.timeout.deadline)), default=None)
    if limit is None:
        return await work
    running, late = asyncio.ensure_future(work), False

    def check() -> None:
        nonlocal late
        late = call.state is RunState.QUEUED and running.cancel()

    alarm = asyncio.get_running_loop().call_later(limit.total_seconds(), check)
    try:
        return await running
    except asyncio.CancelledError:
        if late:
            raise TaskTimeoutError(task.name, limit.total_seconds(), queued=True) from None
        raise
    finally:
        alarm.cancel()


async def attempt_async(
    task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], call: Call, tell: Callable[[Call], None]
) -> Any:
    """Await an async task under its policies.

    Raises:
        TaskTimeoutError: The last attempt took too long.
    """
    __tracebackhide__ = True
    return await attempts_elsewhere(
        task, lambda limit: limited(task, task.function(*args, **kwargs), limit), call, tell
    )


async def attempts_elsewhere(
    task: PlacedTask, once: Callable[[float | None], Coroutine[Any, Any, Any]], call: Call, tell: Callable[[Call], None]
) -> Any:
    """Await what `once` gives under the policies of a task.

    Args:
        task: The task.
        once: Makes an attempt, given how many seconds that may run; None is as many as it likes.
        call: The call.
        tell: Is told of every change of it.

    Raises:
        TaskTimeoutError: The last attempt took too long.
    """
    __tracebackhide__ = True
    attempts = _Attempts(task, call, tell)
    while True:
        try:
            return await limited(task, once(attempts.runtime), attempts.remaining(), attempts.deadline)
        except Exception as error:  # noqa: BLE001 - whatever a task raises
            wait = attempts.wait_after(error)
        await asyncio.sleep(wait)
        attempts.resume()


async def limited(
    task: PlacedTask, work: Coroutine[Any, Any, T], seconds: float | None, allowed: float | None = None
) -> T:
    """Await `work`, an attempt at `task`, for so many seconds at most, of as many as are allowed in all.

    Raises:
        TaskTimeoutError: It took too long, and was stopped.
    """
    __tracebackhide__ = True
    if seconds is None:
        return await work
    running, end = asyncio.ensure_future(work), time.monotonic() + seconds
    try:
        await asyncio.wait({running}, timeout=seconds)
    except asyncio.CancelledError:
        running.cancel()
        await cleaned_up(running)
        raise
    if not running.done():
        running.cancel()
        await cleaned_up(running)
        raise TaskTimeoutError(task.name, allowed or seconds)
    result = running.result()
    if time.monotonic() > end + _LATE_SECONDS:  # it did not await, so that nothing could stop it
        raise TaskTimeoutError(task.name, allowed or seconds)
    return result


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
            return _limited_here(task, args, kwargs, *attempts.limit())
        except Exception as error:  # noqa: BLE001 - whatever a task raises
            wait = attempts.wait_after(error)
        time.sleep(wait)
        attempts.resume()


def _limited_here(
    task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], seconds: float | None, allowed: float | None
) -> Any:
    __tracebackhide__ = True
    if seconds is None:
        return task.function(*args, **kwargs)
    stopper = Stopper(_TimeIsUp)
    timer = threading.Timer(seconds, stopper.ask)
    timer.daemon = True
    try:
        stopper.begin()
        timer.start()
        try:
            return task.function(*args, **kwargs)
        finally:
            timer.cancel()
            stopper.end()
    except stopper.error:
        raise TaskTimeoutError(task.name, allowed or seconds) from None


class _TimeIsUp(BaseException):
    """Raised in a sync task that takes too long; no Exception, so that `except Exception` lets it pass."""
