"""Interrupting stops the work, not only the cell."""

from __future__ import annotations

import _thread
import asyncio
import signal
import sys
import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from IPython.core.interactiveshell import InteractiveShell

from flyte_nb.execution.gate import excuse_current
from flyte_nb.execution.stopping import Interrupted

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from types import FrameType

__all__ = [
    "BLOCKED_SECONDS",
    "HEARTBEAT_SECONDS",
    "inside_work",
    "interrupt_if_blocked",
    "interruptible",
    "stop_of",
    "was_interrupted",
]

T = TypeVar("T")

HEARTBEAT_SECONDS = 0.1
# A loop that has not come round for this long is taken to be blocked by code that never awaits.
BLOCKED_SECONDS = 0.5

# True in work that is stopped as a whole, and in every task it starts.
inside_work: ContextVar[bool] = ContextVar("flyte_nb_inside_work", default=False)


async def interruptible(work: Coroutine[Any, Any, T]) -> T:
    """Await `work`; a SIGINT cancels it, waits until it has ended, and then ends the cell."""
    __tracebackhide__ = True
    if inside_work.get():
        return await work
    stop = stop_of(sys._getframe())  # noqa: SLF001 - the documented way to walk the stack
    task = _started(work)
    with _watch.over(task):
        try:
            while not task.done():
                _watch.beat()
                await asyncio.wait({task}, timeout=HEARTBEAT_SECONDS)
        except asyncio.CancelledError:
            # The cell itself was cancelled: its work goes with it.
            task.cancel()
            await asyncio.wait({task})
            raise
        interrupted = _watch.was_interrupted(task)
    if interrupted and (task.cancelled() or not task.exception()):
        raise stop
    result = task.result()
    if isinstance(result, _Exit):
        raise result.error
    return result


def stop_of(frame: FrameType | None) -> BaseException:
    """Return what to raise in `frame` to end the cell after an interrupt.

    A KeyboardInterrupt that leaves a step of a task ends the event loop, and the kernel with it. So it is raised only
    where IPython runs the cell and catches it; in a task that the cell has started it is a cancellation.
    """
    while frame is not None:
        if frame.f_code is InteractiveShell.run_code.__code__:
            return KeyboardInterrupt()
        frame = frame.f_back
    return Interrupted("interrupted")


def interrupt_if_blocked(loop: asyncio.AbstractEventLoop, heard: threading.Event | None = None) -> None:
    """Interrupt the main thread, once more, if what `loop` was asked to do is not heard there in time.

    Args:
        loop: The loop.
        heard: Whoever hears of it otherwise sets this.
    """
    came_round = heard or threading.Event()
    loop.call_soon_threadsafe(came_round.set)

    def wait() -> None:
        if not came_round.wait(BLOCKED_SECONDS):
            _interrupt_main_thread()

    # Not threading.Thread: this is called by signal handlers, which may have interrupted the start of a thread.
    _thread.start_new_thread(wait, ())


def _interrupt_main_thread() -> None:
    if hasattr(signal, "pthread_kill"):  # ends a sleep, too
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        _thread.interrupt_main()


class _Exit:
    """A SystemExit or KeyboardInterrupt raised by the work, which may not leave its task: see `stop_of`."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def _started(work: Coroutine[Any, Any, T]) -> asyncio.Task[T | _Exit]:
    token = inside_work.set(True)
    try:
        return asyncio.ensure_future(_keeping_exits(work))
    finally:
        inside_work.reset(token)


async def _keeping_exits(work: Coroutine[Any, Any, T]) -> T | _Exit:
    __tracebackhide__ = True
    try:
        return await work
    except (SystemExit, KeyboardInterrupt) as error:
        return _Exit(error)


class _Watch:
    """Turns SIGINT into the cancellation of tasks, for as long as there are any to watch over.

    There is one, as there is one handler: work that a cell has started in several tasks overlaps in any order.
    """

    def __init__(self) -> None:
        self._interrupted: dict[asyncio.Task[Any], bool] = {}
        self._previous: Any = None
        self._handler = self._on_interrupt  # a bound method is another object each time
        self._last_beat = 0.0
        self._signals = 0

    @contextmanager
    def over(self, task: asyncio.Task[Any]) -> Iterator[None]:
        """Watch over `task` while the body runs; signals reach the main thread only."""
        in_reach = threading.current_thread() is threading.main_thread()
        if in_reach and signal.getsignal(signal.SIGINT) is not self._handler:
            self._previous = signal.signal(signal.SIGINT, self._handler)
        self._interrupted[task] = False
        try:
            yield
        finally:
            del self._interrupted[task]
            # Whoever has replaced the handler meanwhile, such as the next cell, restores it.
            if in_reach and not self._interrupted and signal.getsignal(signal.SIGINT) is self._handler:
                signal.signal(signal.SIGINT, self._previous)

    def beat(self) -> None:
        """Note that the loop comes round, if it is that of the main thread: no other can be seen to block."""
        if threading.current_thread() is threading.main_thread():
            self._last_beat = time.monotonic()

    def was_interrupted(self, task: asyncio.Task[Any]) -> bool:
        """Say whether an interrupt came while `task` was, or is, watched over."""
        return self._interrupted.get(task, False)

    def _on_interrupt(self, _number: int, _frame: object) -> None:
        self._signals += 1
        # Only inside the work: anywhere else this would be raised in the loop itself, and end it.
        raise_here = inside_work.get() and time.monotonic() - self._last_beat > BLOCKED_SECONDS
        struck = asyncio.current_task() if raise_here else None
        for task in list(self._interrupted):  # subshells come and go meanwhile
            self._interrupted[task] = True
            if task is not struck:  # or it would be cancelled twice, the second time in its clean-up
                task.get_loop().call_soon_threadsafe(self._cancel, task, self._signals)
        if raise_here:
            excuse_current()
            raise Interrupted("interrupted")
        if inside_work.get():
            interrupt_if_blocked(asyncio.get_running_loop())

    def _cancel(self, task: asyncio.Task[Any], signals: int) -> None:
        if signals == self._signals:  # a later signal has a say of its own
            task.cancel()


_watch = _Watch()


def was_interrupted(task: asyncio.Task[Any]) -> bool:
    """Say whether an interrupt has come for `task`, which runs interruptible work."""
    return _watch.was_interrupted(task)
