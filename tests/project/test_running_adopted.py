"""Tasks of adopted modules, which are written for the SDK, run in this process as the SDK's own do."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

import flyte_nb
from flyte_nb.errors import InvalidValueError, NotATaskError
from flyte_nb.session import session

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
import asyncio
import flyte
import queue
from functools import partial

env = flyte.TaskEnvironment("e")
most = now = 0
ended = queue.SimpleQueue()


@env.task
async def add(x: int, y: int = 0) -> int:
    global most, now
    now += 1
    most = max(most, now)
    try:
        await asyncio.sleep(0.01)
    finally:
        now -= 1
    if x < 0:
        raise ValueError("below 0")
    return x + y


@env.task
def add_sync(x: int) -> int:
    return x + 1


@env.task
async def in_a_loop(n: int) -> list:
    return [*flyte.map(add, range(n)), *flyte.map(add_sync, range(n))]


@env.task
async def in_a_thread(n: int) -> list:
    return await asyncio.to_thread(lambda: [*flyte.map(add, range(n), group_name="g"), *flyte.map(add_sync, range(n))])


@env.task
async def bounded(n: int) -> list:
    return [x async for x in flyte.map.aio(partial(add, y=1), range(n), concurrency=2)]


@env.task
async def some_fail() -> list:
    return [*map(str, flyte.map(add, [1, -1, 2])), *[str(x) async for x in flyte.map.aio(add, [-1, 3])]]


@env.task
async def fails() -> list:
    return list(flyte.map(add, [1, -1, 2], return_exceptions=False))


@env.task
async def sleeps() -> None:
    await sleeps_for.function(20)


@env.task
async def sleeps_for(seconds: float) -> None:
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        ended.put("cancelled")
        raise


@env.task
async def one_by_one() -> list:
    results = flyte.map(add_sync, [1, 2])
    return [next(results), next(results), next(results, "end")]


@flyte.trace
def traced(x: int) -> int:
    return x


@env.task
async def says() -> list:
    async with flyte.group("outer"):
        with flyte.group("inner"):
            flyte.logger.debug("nothing")
    return [traced(1), bool(flyte.ctx()), flyte.ctx().action]


@env.task
async def overrides() -> int:
    again = add_sync.override(env_vars={"A": "1"}, resources=flyte.Resources(cpu=1), reusable="off", retries=2)
    assert again.retries.count == 2 and again.override(queue="q").retries.count == 2
    return again(1)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, adopted where the SDK is not installed."""
    monkeypatch.setitem(sys.modules, "flyte", None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "written_for_flyte.py").write_text(SOURCE)
    flyte_nb.adopt("written_for_flyte.py")
    return sys.modules["written_for_flyte"]


def run(task: Any, *args: Any) -> Any:
    return asyncio.run(flyte_nb.run(task, *args))


@pytest.mark.parametrize("task", ["in_a_loop", "in_a_thread"])
def test_map_is_iterated_over(module: Any, task: str) -> None:
    """In a task whose loop stands still meanwhile, or in a thread; every call is in the tree, below the task."""
    done = run(getattr(module, task), 3)
    assert done.result == [0, 1, 2, 1, 2, 3]
    assert [node.task for node in done.tree] == [f"e.{task}", *["e.add"] * 3, *["e.add_sync"] * 3]
    assert {node.parent for node in done.tree[1:]} == {done.tree[0].id}


def test_where_no_loop_runs_calls_are_made_at_once(module: Any) -> None:
    """All of them, unless a bound is given."""
    assert run(module.in_a_thread, 5).result[:5] == [0, 1, 2, 3, 4]
    assert module.most == 5
    module.most = 0
    assert run(module.bounded, 5).result == [1, 2, 3, 4, 5]
    assert module.most == 2


def test_errors_of_mapped_tasks_take_the_place_of_results(module: Any) -> None:
    """By default, as in the SDK; they are raised where that is asked for."""
    assert run(module.some_fail).result == ["1", "below 0", "2", "below 0", "3"]
    with pytest.raises(ValueError, match="below 0"):
        run(module.fails)


def test_results_are_taken_one_by_one(module: Any) -> None:
    """What map gives is an iterator."""
    assert run(module.one_by_one).result == [2, 3, "end"]


def test_what_tasks_say_to_flyte_does_no_harm(module: Any) -> None:
    """Traces, groups and the context are there, and mean what they mean outside of a cluster."""
    assert run(module.says).result == [1, False, None]


def test_overrides_for_a_cluster_are_left_aside(module: Any) -> None:
    """Policies of this place count, and what is no policy at all is refused."""
    assert run(module.overrides).result == 2
    with pytest.raises(InvalidValueError, match="retrys"):
        module.add_sync.override(retrys=1)


def test_only_tasks_are_mapped(module: Any) -> None:
    """Anything else is refused when map is called, not when it is iterated over."""
    from flyte_nb import as_flyte

    assert module.add
    with pytest.raises(NotATaskError):
        as_flyte.map(len, [1])


def test_who_stops_waiting_cancels(module: Any) -> None:
    """A task that is waited for where a loop stands still does not go on when the wait is interrupted."""

    async def waits() -> None:
        main = threading.main_thread().ident
        threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT)).start()
        session().call_and_wait(module.sleeps, (), {})

    loop = asyncio.new_event_loop()  # that of asyncio.run would hear of the interrupt only later
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(waits())
    loop.close()
    assert module.ended.get(timeout=10) == "cancelled"


def test_who_is_interrupted_in_a_map_cancels_its_calls(module: Any) -> None:
    """The interrupt is what is raised, and nothing goes on."""
    from flyte_nb import as_flyte

    main = threading.main_thread().ident
    threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        list(as_flyte.map(module.sleeps_for, [20, 20]))
    assert [module.ended.get(timeout=10) for _ in range(2)] == ["cancelled"] * 2
