"""Retries and timeouts of tasks that run inline."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import flyte_nb as flyte
from flyte_nb import Backoff, RetryStrategy, TaskEnvironment, TaskTimeoutError, Timeout
from flyte_nb.execution.attempts import _Attempts
from flyte_nb.execution.call import Call
from flyte_nb.execution.journal import Journal
from flyte_nb.session import session

if TYPE_CHECKING:
    from flyte_nb.execution.node import Node

SHORT, LONG = 0.05, 30.0


@pytest.fixture
def env() -> TaskEnvironment:
    return TaskEnvironment("env")


def failing(env: TaskEnvironment, failures: int, *, sync: bool = False, **policies: Any) -> tuple[Any, list[int]]:
    """Return a task that fails so many times before it succeeds, and the list of its attempts."""
    attempts: list[int] = []

    def body() -> str:
        attempts.append(len(attempts) + 1)
        if len(attempts) <= failures:
            raise ValueError(f"failure {len(attempts)}")
        return "done"

    if sync:

        @env.task(**policies)
        def work() -> str:
            return body()
    else:

        @env.task(**policies)  # type: ignore[no-redef]
        async def work() -> str:
            return body()

    return work, attempts


@pytest.mark.parametrize("sync", [False, True])
def test_a_task_is_tried_again_as_often_as_it_says(env: TaskEnvironment, sync: bool) -> None:
    """With two retries the third attempt counts, and the tree says how many there were."""
    work, attempts = failing(env, 2, sync=sync, retries=2)
    run = asyncio.run(flyte.run(work))
    assert (run.result, attempts) == ("done", [1, 2, 3])
    (node,) = run.tree
    assert (node.attempts, node.state.value, node.error) == (3, "succeeded", "")


@pytest.mark.parametrize("sync", [False, True])
def test_the_last_failure_is_raised_as_it_is(env: TaskEnvironment, sync: bool) -> None:
    """When no retry is left, the task's own exception comes out."""
    work, attempts = failing(env, 9, sync=sync, retries=1)
    with pytest.raises(ValueError, match="failure 2"):
        asyncio.run(flyte.run(work))
    assert attempts == [1, 2]


def test_a_task_without_retries_is_tried_once(env: TaskEnvironment) -> None:
    """The default is one attempt."""
    work, attempts = failing(env, 1)
    with pytest.raises(ValueError, match="failure 1"):
        asyncio.run(work())
    assert attempts == [1]


def test_listeners_see_every_attempt(env: TaskEnvironment) -> None:
    """Running, retrying with the error, running again, succeeded."""
    seen: list[Node] = []
    end = session().runner.subscribe(seen.append)
    work, _ = failing(env, 1, retries=1)
    asyncio.run(work())
    end()
    assert [(node.state.value, node.attempts, node.error) for node in seen] == [
        ("running", 1, ""),
        ("retrying", 1, "ValueError: failure 1"),
        ("running", 2, "ValueError: failure 1"),
        ("succeeded", 2, ""),
    ]


@pytest.mark.parametrize("sync", [False, True])
def test_retries_wait_as_the_backoff_says(env: TaskEnvironment, sync: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits grow by the factor up to the cap."""
    waits: list[float] = []
    real_sleep = asyncio.sleep

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await real_sleep(0)

    monkeypatch.setattr("flyte_nb.execution.attempts.asyncio.sleep", sleep)
    monkeypatch.setattr("flyte_nb.execution.attempts.time.sleep", waits.append)
    backoff = Backoff(base=timedelta(seconds=1), factor=2, cap=timedelta(seconds=3))
    work, _ = failing(env, 3, sync=sync, retries=RetryStrategy(3, backoff))
    asyncio.run(flyte.run(work))
    assert waits == [1, 2, 3]


def test_an_async_task_that_takes_too_long_is_stopped(env: TaskEnvironment) -> None:
    """Its `finally` runs, and the error says which task and how long."""
    cleaned: list[str] = []

    @env.task(timeout=SHORT)
    async def work() -> None:
        try:
            await asyncio.sleep(LONG)
        finally:
            cleaned.append("up")

    seen: list[Node] = []
    end = session().runner.subscribe(seen.append)
    with pytest.raises(TaskTimeoutError, match=r"env\.work took longer than 0\.05 s") as caught:
        asyncio.run(work())
    end()
    assert cleaned == ["up"]
    assert isinstance(caught.value, TimeoutError)
    assert seen[-1].state.value == "timed out"


@pytest.mark.parametrize("in_thread", [False, True])
def test_a_sync_task_that_takes_too_long_is_stopped(env: TaskEnvironment, in_thread: bool) -> None:
    """Python code is left between two steps, in the main thread and in others, also past `except Exception`."""
    cleaned: list[str] = []

    @env.task(timeout=SHORT)
    def work() -> None:
        try:
            while True:
                with suppress(Exception):  # what careless code does
                    time.sleep(0.001)
        finally:
            cleaned.append("up")

    with pytest.raises(TaskTimeoutError):
        asyncio.run(work.aio()) if in_thread else work()
    assert cleaned == ["up"]


def test_a_task_that_ends_in_time_hears_nothing_of_its_timeout(env: TaskEnvironment) -> None:
    """Thousands of alarms that are stopped in time, or in the last moment, never reach other code."""

    @env.task(timeout=0.0005)
    def quick(steps: int) -> int:
        return sum(range(steps))

    outcomes = set()
    for steps in range(0, 40_000, 40):
        try:
            outcomes.add(quick(steps) == sum(range(steps)))
        except TaskTimeoutError:
            outcomes.add(None)
    assert True in outcomes
    assert False not in outcomes
    time.sleep(0.01)


def test_the_timeout_of_a_caller_is_the_callers(env: TaskEnvironment) -> None:
    """When an outer task's time is up inside an inner one, the outer one has timed out."""

    @env.task(timeout=LONG)
    def inner() -> None:
        while True:
            time.sleep(0.001)

    @env.task(timeout=SHORT)
    def outer() -> None:
        inner()

    with pytest.raises(TaskTimeoutError) as caught:
        outer()
    assert caught.value.task == "env.outer"


def test_an_attempt_that_timed_out_is_tried_again(env: TaskEnvironment) -> None:
    """max_runtime bounds an attempt, so a retry gets all of it anew."""
    attempts: list[int] = []

    @env.task(retries=1, timeout=SHORT)
    async def work() -> str:
        attempts.append(1)
        if len(attempts) == 1:
            await asyncio.sleep(LONG)
        return "done"

    assert asyncio.run(flyte.run(work)).result == "done"


def test_the_deadline_bounds_all_attempts(env: TaskEnvironment) -> None:
    """No attempt begins when the wait before it would end after the deadline."""
    policies = {"retries": RetryStrategy(5, Backoff(LONG)), "timeout": Timeout(deadline=timedelta(seconds=1))}
    work, attempts = failing(env, 9, **policies)
    with pytest.raises(ValueError, match="failure 1"):
        asyncio.run(flyte.run(work))
    assert attempts == [1]


def test_cancelling_is_not_failing(env: TaskEnvironment) -> None:
    """A cancelled task is not tried again, neither while it runs nor while it waits for a retry."""
    attempts: list[int] = []

    @env.task(retries=RetryStrategy(5, Backoff(LONG)), timeout=LONG)
    async def work() -> None:
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError
        await asyncio.sleep(LONG)

    async def main() -> None:
        running = asyncio.ensure_future(work())
        await asyncio.sleep(0.05)
        running.cancel()
        await running

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    assert attempts == [1]


def test_the_tree_keeps_what_each_attempt_called(env: TaskEnvironment) -> None:
    """Calls of every attempt are children of the one call."""

    @env.task
    async def leaf() -> None: ...

    work_attempts: list[int] = []

    @env.task(retries=1, timeout=LONG)
    async def work() -> None:
        work_attempts.append(1)
        await leaf()
        if len(work_attempts) == 1:
            raise ValueError

    run = asyncio.run(flyte.run(work))
    assert [(node.task, node.parent) for node in run.tree[1:]] == [("env.leaf", run.tree[0].id)] * 2


@pytest.mark.parametrize("timeout", [Timeout(max_queued_time=SHORT), Timeout(deadline=SHORT)])
def test_a_sync_task_that_waits_too_long_for_a_thread_never_begins(env: TaskEnvironment, timeout: Timeout) -> None:
    """It times out while it is queued, and what holds the thread goes on."""
    ran: list[str] = []
    free = threading.Event()

    @env.task
    def hold() -> str:
        free.wait(LONG)
        return "held"

    @env.task(timeout=timeout)
    def work() -> None:
        ran.append("work")

    @env.task
    async def root() -> str:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        holding = asyncio.ensure_future(hold.aio())
        await asyncio.sleep(0)
        with pytest.raises(TaskTimeoutError, match=r"env\.work waited for its turn for more than 0\.05 s") as caught:
            await work.aio()
        assert caught.value.queued
        free.set()
        return await holding

    run = asyncio.run(flyte.run(root))
    assert (run.result, ran) == ("held", [])
    assert [(node.task, node.state.value, node.attempts) for node in run.tree[1:]] == [
        ("env.hold", "succeeded", 1),
        ("env.work", "timed out", 0),
    ]


def test_a_deadline_counts_from_when_the_call_was_noted(env: TaskEnvironment) -> None:
    """Whatever the call has waited for since then; and the error tells the whole, not what was left."""

    @env.task(timeout=Timeout(deadline=10))
    def work() -> None: ...

    call = Call(1, work.name, "", None, Journal())
    call.noted -= 7
    attempts = _Attempts(work, call, lambda _: None)
    seconds, allowed = attempts.limit()
    assert seconds is not None
    assert 0 < seconds <= 3
    assert allowed == 10


def test_a_sync_task_that_misses_its_deadline_says_so(env: TaskEnvironment) -> None:
    """With the deadline in seconds, not with what was left of it."""

    @env.task(retries=3, timeout=Timeout(deadline=SHORT))
    def work() -> None:
        while True:
            time.sleep(SHORT / 10)

    with pytest.raises(TaskTimeoutError, match=r"env\.work took longer than 0\.05 s"):
        work()


def test_a_task_that_gets_its_thread_in_time_is_left_alone(env: TaskEnvironment) -> None:
    """The longest wait says nothing about how long it may run."""

    @env.task(timeout=Timeout(max_queued_time=SHORT))
    def work() -> str:
        time.sleep(2 * SHORT)
        return "done"

    async def main() -> str:
        return await work.aio()

    assert asyncio.run(main()) == "done"


def test_an_async_task_that_computes_all_the_time_has_timed_out(env: TaskEnvironment) -> None:
    """Nothing can stop it, but its result comes too late to count."""

    @env.task(timeout=SHORT)
    async def work() -> str:
        time.sleep(SHORT + 0.6)  # noqa: ASYNC251 - what this is about
        return "late"

    async def main() -> str:
        return await work()

    with pytest.raises(TaskTimeoutError):
        asyncio.run(main())
