"""Running async work where a cell cannot be awaited: on a loop of its own, in a thread, while the cell waits."""

from __future__ import annotations

import asyncio
import contextvars
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from flyte_nb.execution.stopping import Interrupted, raise_in_thread
from flyte_nb.jupyter.interrupts import BLOCKED_SECONDS, inside_work, stop_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

__all__ = ["run_in_thread"]

T = TypeVar("T")

# A wait without end cannot be interrupted on every platform.
_WAIT_SECONDS = 0.1


def run_in_thread(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `work` on a loop of its own in a thread and wait for it.

    A kernel interrupt cancels the work, and ends the cell when it has ended. It is raised inside Python code that
    never awaits; C code, such as `time.sleep`, has to return first. A second interrupt no longer waits for that.
    """
    __tracebackhide__ = True
    runner = _ThreadRunner(work)
    stop = stop_of(sys._getframe())  # noqa: SLF001 - the documented way to walk the stack
    with _interrupts_raised():
        try:
            runner.start()
            runner.wait()
        except (KeyboardInterrupt, Interrupted):
            with suppress(KeyboardInterrupt, Interrupted):
                runner.stop()
            raise stop from None
    value: T = runner.result()
    return value


@contextmanager
def _interrupts_raised() -> Iterator[None]:
    """Have SIGINT raise here while the body runs: in an async cell it only asks the loop, which is blocked, to stop."""
    if inside_work.get() or threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


class _ThreadRunner:
    """Runs a coroutine on a loop in a thread, and hands its outcome to another."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._work = work
        self._task: asyncio.Task[Any] | None = None
        self._stopping = self._came_round = self._struck = False
        self._outcome: tuple[Any, BaseException | None] = (None, Interrupted("interrupted"))
        self._ended = threading.Event()
        context = contextvars.copy_context()
        context.run(inside_work.set, True)
        self._thread = threading.Thread(target=context.run, args=(self._run,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self) -> None:
        # Not by joining the thread: a join that is interrupted takes the thread for ended (bpo-45274).
        while not self._ended.wait(_WAIT_SECONDS):
            pass

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except Interrupted:
            pass  # raised when the work had just ended
        finally:
            self._ended.set()

    async def _main(self) -> None:
        __tracebackhide__ = True
        self._task = asyncio.current_task()
        try:
            if not self._stopping:
                self._outcome = (await self._work(), None)
        except BaseException as error:  # noqa: BLE001 - raised again by `result`
            self._outcome = (None, error)

    def stop(self) -> None:
        """Cancel the work and wait until it has ended."""
        self._stopping = True
        if self._task:
            try:
                self._task.get_loop().call_soon_threadsafe(self._cancel)
            except RuntimeError:
                return  # it has ended meanwhile, and its loop with it
        if not self._ended.wait(BLOCKED_SECONDS) and not self._came_round:
            self._struck = True
            raise_in_thread(self._thread.ident or 0, Interrupted)
        self.wait()

    def _cancel(self) -> None:
        self._came_round = True
        if self._task and not self._struck:  # or it would be cancelled twice, the second time in its clean-up
            self._task.cancel()

    def result(self) -> Any:
        __tracebackhide__ = True
        value, error = self._outcome
        if error is not None:
            raise error
        return value
