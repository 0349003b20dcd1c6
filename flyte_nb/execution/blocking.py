"""Waiting for an async task where a loop runs, which stands still meanwhile."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flyte_nb.model.task import Task

__all__ = ["call_and_wait"]


def call_and_wait(task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call an async `task` in a loop of its own, in a thread with the context of the caller, and return its result.

    Who is interrupted while waiting cancels it.
    """
    __tracebackhide__ = True
    loop = asyncio.new_event_loop()
    call = copy_context().run(loop.create_task, task.aio(*args, **kwargs))
    threads = ThreadPoolExecutor(1, "flyte_nb-waited-for")
    waiting = threads.submit(_run, loop, call)
    try:
        return waiting.result()
    except BaseException:
        with suppress(RuntimeError):  # the loop is closed: it has ended
            loop.call_soon_threadsafe(call.cancel)
        raise
    finally:
        threads.shutdown(wait=False)


def _run(loop: asyncio.AbstractEventLoop, call: asyncio.Task[Any]) -> Any:
    try:
        return loop.run_until_complete(call)
    finally:
        loop.close()
