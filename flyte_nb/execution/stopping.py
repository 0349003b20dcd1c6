"""Stopping code that runs in a thread: between two steps of Python, by an exception of its own."""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Interrupted", "StoppedInThread", "Stopper", "cleaned_up", "raise_in_thread", "run_in_thread"]

# How long code that was stopped may take to clean up before nobody waits for it any more.
_CLEAN_UP_SECONDS = 5.0


class Stopper:
    """Stops one piece of code in one thread, if it is asked to while that runs, and never anything else.

    Attributes:
        error: What is raised in the code: a class of this stopper's own, so that others' pass through.
    """

    def __init__(self, kind: type[BaseException]) -> None:
        self.error: type[BaseException] = type(kind.__name__, (kind,), {})
        self._lock = threading.Lock()
        self._thread: int | None = None
        self._asked = self._ended = False

    @property
    def has_begun(self) -> bool:
        """Whether the code has begun; once asked to stop, code that has not never does."""
        return self._thread is not None

    def begin(self) -> None:
        """Say that the code begins in this thread; from now on `error` may be raised at any step."""
        with self._lock:
            if self._asked:
                raise self.error
            self._thread = threading.get_ident()

    def ask(self) -> None:
        """Stop the code, from whatever thread. If it has not begun, it never does; if it has ended, nothing happens."""
        with self._lock:
            self._asked = True
            if self._thread is not None and not self._ended:
                raise_in_thread(self._thread, self.error)

    def end(self) -> None:
        """Say that the code has ended; if it was asked to stop, that is heard here or never."""
        with self._lock:
            self._ended = True
            if self._asked and self._thread is not None:
                raise_in_thread(self._thread, None)


def raise_in_thread(thread: int, error: type[BaseException] | None) -> None:
    """Let `thread` raise `error` before its next step, or forget what it was to raise."""
    pending = ctypes.py_object(error) if error else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), pending)


class Interrupted(asyncio.CancelledError):
    """A kernel interrupt, raised inside code that blocks the loop; like any cancellation, `finally` blocks run."""


class StoppedInThread(asyncio.CancelledError):
    """What code in a thread sees when the call that awaits it is cancelled."""


async def run_in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Run `function` in a thread with the caller's context; a cancellation stops it, too.

    Code in C that blocks (time.sleep, a query) is left only when it returns; it is waited for a few seconds.
    """
    stopper = Stopper(StoppedInThread)

    def body() -> Any:
        try:
            stopper.begin()
            return function(*args)
        except StopIteration as error:  # no future can hold one; in a coroutine Python does the same
            raise RuntimeError("the task raised StopIteration") from error
        finally:
            stopper.end()

    running = asyncio.get_running_loop().run_in_executor(None, contextvars.copy_context().run, body)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stopper.ask()
        if stopper.has_begun:
            await cleaned_up(running)
        else:
            running.cancel()  # so that it no longer waits for a thread
        raise


async def cleaned_up(running: asyncio.Future[Any]) -> None:
    """Wait, but not for ever, while what was stopped cleans up; what it raises, also later, is of no more interest."""
    running.add_done_callback(_forget)
    await asyncio.wait({running}, timeout=_CLEAN_UP_SECONDS)


def _forget(ended: asyncio.Future[Any]) -> None:
    if not ended.cancelled():
        ended.exception()  # or asyncio says that nobody asked for it
