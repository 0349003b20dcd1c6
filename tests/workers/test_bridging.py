"""Work on another loop is awaited, waited for and stopped as if it were here."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import TYPE_CHECKING

import pytest

from flyte_nb.workers import bridging
from flyte_nb.workers.bridging import run_elsewhere, wait_elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterator

name = contextvars.ContextVar("name", default="nobody")


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs in another thread."""
    elsewhere = asyncio.new_event_loop()
    thread = threading.Thread(target=elsewhere.run_forever)
    thread.start()
    yield elsewhere
    elsewhere.call_soon_threadsafe(elsewhere.stop)
    thread.join()
    elsewhere.close()


async def whose() -> tuple[str, int]:
    await asyncio.sleep(0)
    return name.get(), threading.get_ident()


async def fails() -> None:
    raise ValueError("on purpose")


def test_work_elsewhere_gives_its_value_and_its_error(loop: asyncio.AbstractEventLoop) -> None:
    """It runs in the other thread, in the context of who wants it."""
    name.set("me")
    for whose_name, thread in (asyncio.run(run_elsewhere(loop, whose)), wait_elsewhere(loop, whose)):
        assert whose_name == "me"
        assert thread != threading.get_ident()
    with pytest.raises(ValueError, match="on purpose"):
        asyncio.run(run_elsewhere(loop, fails))
    with pytest.raises(ValueError, match="on purpose"):
        wait_elsewhere(loop, fails)


def test_a_cancellation_is_over_when_the_work_has_cleaned_up(loop: asyncio.AbstractEventLoop) -> None:
    """So that what comes next finds it done."""
    begun, done = threading.Event(), []

    async def work() -> None:
        begun.set()
        try:
            await asyncio.sleep(600)
        finally:
            await asyncio.sleep(0.05)
            done.append("cleaned up")

    async def scenario() -> None:
        running = asyncio.ensure_future(run_elsewhere(loop, work))
        await asyncio.to_thread(begun.wait)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert done == ["cleaned up"]

    asyncio.run(scenario())


def test_work_that_is_cancelled_before_it_begins_has_ended(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for it to clean up."""
    monkeypatch.setattr(bridging, "_CLEAN_UP_SECONDS", 600.0)

    async def scenario() -> None:
        running = asyncio.ensure_future(run_elsewhere(loop, whose))
        await asyncio.sleep(0)
        loop.call_soon_threadsafe(_cancel_all, loop)
        running.cancel()
        done, _ = await asyncio.wait({running}, timeout=20)
        assert done
        assert running.cancelled()

    for _ in range(50):
        asyncio.run(scenario())


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()


def test_who_stops_waiting_leaves_a_loop_that_may_be_closed(loop: asyncio.AbstractEventLoop) -> None:
    """The work ends when nobody is there any more."""
    go_on, ended = asyncio.Event(), threading.Event()

    async def work() -> None:
        try:
            await asyncio.shield(go_on.wait())
        finally:
            loop.call_soon(ended.set)

    here = asyncio.new_event_loop()
    running = here.create_task(run_elsewhere(loop, work))
    here.run_until_complete(asyncio.sleep(0.01))
    here.close()
    loop.call_soon_threadsafe(go_on.set)
    assert ended.wait(10)
    assert not running.done()
    running.get_coro().close()
