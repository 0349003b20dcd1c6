"""Sync tasks in threads stop when the call that awaits them is cancelled."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import flyte_nb as flyte
from flyte_nb import TaskEnvironment
from flyte_nb.execution.stopping import StoppedInThread, Stopper
from flyte_nb.session import session


def test_cancelling_stops_a_sync_task_in_its_thread() -> None:
    """Its `finally` runs before the cancellation is over, and the tree says cancelled."""
    env = TaskEnvironment("env")
    began, said = threading.Event(), []

    @env.task
    def work() -> None:
        try:
            began.set()
            while True:
                time.sleep(0.001)
        finally:
            said.append("cleaned up")

    async def main() -> None:
        running = asyncio.ensure_future(work.aio())
        await asyncio.to_thread(began.wait)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert said == ["cleaned up"]

    states = []
    end = session().runner.subscribe(lambda node: states.append(node.state.value))
    asyncio.run(main())
    end()
    assert states == ["queued", "running", "cancelled"]


def test_the_thread_is_as_good_as_new_afterwards() -> None:
    """What runs in that thread next hears nothing of it."""
    env = TaskEnvironment("env")

    @env.task
    def work(steps: int) -> int:
        return sum(1 for _ in range(steps))

    async def main() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        for round_ in range(200):
            running = asyncio.ensure_future(work.aio(round_ * 50))
            await asyncio.sleep(0)
            if round_ % 2:
                await asyncio.sleep(0.0002)
            running.cancel()
            await asyncio.wait({running})
            assert await work.aio(10) == 10

    asyncio.run(main())


def test_a_map_of_sync_tasks_stops_when_one_fails() -> None:
    """The others are stopped in their threads."""
    env = TaskEnvironment("env")
    stopped: list[int] = []
    others = threading.Semaphore(0)

    @env.task
    def work(n: int) -> None:
        if n == 2:
            others.acquire()
            others.acquire()
            raise ValueError("two")
        try:
            others.release()
            while True:
                time.sleep(0.001)
        except StoppedInThread:
            stopped.append(n)
            raise

    async def main() -> None:
        await flyte.map(work, range(3), concurrency=3)

    with pytest.raises(ValueError, match="two"):
        asyncio.run(main())
    assert sorted(stopped) == [0, 1]


def test_what_was_stopped_before_it_began_does_not_begin() -> None:
    """A stopper that was asked early lets nothing begin; one that is asked late does nothing."""
    early, late = Stopper(StoppedInThread), Stopper(StoppedInThread)
    early.ask()
    with pytest.raises(early.error):
        early.begin()
    late.begin()
    late.end()
    late.ask()
    time.sleep(0.01)


def test_a_task_in_a_thread_that_raises_stop_iteration_fails() -> None:
    """It fails as a coroutine would, instead of never ending; retries apply."""
    env = TaskEnvironment("env")

    @env.task(retries=1)
    def first(numbers: list[int]) -> int:
        return next(number for number in numbers if number > 10)

    async def main() -> None:
        with pytest.raises(RuntimeError, match="raised StopIteration") as caught:
            await asyncio.wait_for(first.aio([1]), 10)
        assert isinstance(caught.value.__cause__, StopIteration)

    asyncio.run(main())


def test_what_cannot_be_stopped_ends_in_silence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A thread that is still in C when nobody waits for it any more says nothing when it returns."""
    monkeypatch.setattr("flyte_nb.execution.stopping._CLEAN_UP_SECONDS", 0.01)
    env = TaskEnvironment("env")
    began = threading.Event()

    @env.task
    def sleep() -> None:
        began.set()
        time.sleep(0.3)

    async def main() -> None:
        running = asyncio.ensure_future(sleep.aio())
        await asyncio.to_thread(began.wait)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        del running
        await asyncio.sleep(0.5)
        gc.collect()

    asyncio.run(main())
    assert caplog.records == []
