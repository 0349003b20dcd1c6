"""What an interrupt does to work, without a kernel."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import Any

import pytest

from flyte_nb.execution.stopping import Interrupted
from flyte_nb.jupyter.interrupts import interruptible
from flyte_nb.jupyter.threads import run_in_thread


async def value(result: int) -> int:
    await asyncio.sleep(0)
    return result


async def interrupting(then: Any = None) -> Any:
    signal.raise_signal(signal.SIGINT)
    await asyncio.sleep(0.01)
    return then


def test_value() -> None:
    """The value of the work is handed on, and the handler of SIGINT is what it was."""
    before = signal.getsignal(signal.SIGINT)
    assert asyncio.run(interruptible(value(3))) == 3
    assert run_in_thread(lambda: value(4)) == 4
    assert signal.getsignal(signal.SIGINT) == before


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1), KeyboardInterrupt("x"), asyncio.CancelledError()])
def test_error(error: BaseException) -> None:
    """What the work raises is raised, whatever it is, and no loop is ended by it in its middle."""

    async def failing() -> None:
        await asyncio.sleep(0)
        raise error

    async def cell() -> BaseException:
        with pytest.raises(type(error)) as caught:
            await interruptible(failing())
        await asyncio.sleep(0)
        return caught.value

    assert asyncio.run(cell()) is error or isinstance(error, asyncio.CancelledError)
    with pytest.raises(type(error)):
        run_in_thread(failing)


def test_outside_of_ipython() -> None:
    """Where nothing would catch a KeyboardInterrupt, the interrupt is a cancellation."""

    async def cell() -> None:
        with pytest.raises(Interrupted):
            await interruptible(interrupting())

    asyncio.run(cell())


def test_cancellation_that_is_swallowed() -> None:
    """Work that swallows its cancellation ends the cell all the same: the user asked to stop."""

    async def stubborn() -> int:
        try:
            await interrupting()
        except asyncio.CancelledError:
            return 5
        return 6

    async def cell() -> None:
        with pytest.raises(Interrupted):
            await interruptible(stubborn())

    asyncio.run(cell())


def test_clean_up_that_fails() -> None:
    """An error in the clean-up is told."""

    async def failing() -> None:
        try:
            await interrupting()
        finally:
            raise ValueError("clean-up")

    async def cell() -> None:
        with pytest.raises(ValueError, match="clean-up"):
            await interruptible(failing())

    asyncio.run(cell())


def test_overlapping() -> None:
    """Work that ends in another order than it began leaves the handler of SIGINT as it was."""
    before = signal.getsignal(signal.SIGINT)

    async def cell() -> list[int]:
        return await asyncio.gather(
            interruptible(asyncio.sleep(0.05, 1)), interruptible(asyncio.sleep(0.15, 2)), interruptible(value(3))
        )

    assert asyncio.run(cell()) == [1, 2, 3]
    assert signal.getsignal(signal.SIGINT) == before


def test_cancelled_cell() -> None:
    """A cell that is cancelled otherwise takes its work with it, and waits for its clean-up."""
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            ended.append(True)

    async def cell() -> None:
        task = asyncio.ensure_future(interruptible(work()))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended

    asyncio.run(cell())


def test_other_threads() -> None:
    """In a thread, where signals do not arrive, work is run all the same."""
    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(asyncio.run(interruptible(value(1)))))
    thread.start()
    thread.join()
    assert results == [1]


def test_left_behind_in_a_thread() -> None:
    """Tasks that the work left behind end with its loop."""
    ended = []

    async def background() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def work() -> None:
        asyncio.ensure_future(background())  # noqa: RUF006 - left behind on purpose
        await asyncio.sleep(0.01)

    run_in_thread(work)
    assert ended == [True]


def test_a_loop_of_another_thread_hides_nothing() -> None:
    """While a subshell's loop comes round, work that blocks the main loop is seen to, and interrupted."""
    began = threading.Event()

    async def blocking() -> None:
        began.set()
        while True:
            sum(range(1000))

    async def elsewhere() -> None:
        with pytest.raises(asyncio.CancelledError):
            await interruptible(asyncio.sleep(60))

    async def cell() -> None:
        with pytest.raises(Interrupted):
            await interruptible(blocking())

    other = threading.Thread(target=lambda: asyncio.run(elsewhere()))
    other.start()
    main = threading.main_thread().ident or 0
    threading.Thread(target=lambda: began.wait() and signal.pthread_kill(main, signal.SIGINT)).start()
    asyncio.run(cell())
    other.join(10)
    assert not other.is_alive()
