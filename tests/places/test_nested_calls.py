"""Tasks call tasks of other environments, in whatever way Python calls, and all of it is one tree."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flyte_nb.session import session

from .watching import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from flyte_nb.execution.journal import Journal

    Run = Callable[..., Any]


def depth_of(run: Any) -> int:
    """Return how many calls are in each other, all of which are in one line."""
    assert [node.parent for node in run.tree] == [None, *(node.id for node in run.tree[:-1])]
    assert {node.root for node in run.tree} == {run.tree[0].id}
    return len(run.tree) - 1


@pytest.mark.parametrize(
    ("task", "depth"), [("a.ping", 40), ("a.ping_sync", 5), ("a.ping_blocking", 4)], ids=["async", "sync", "blocking"]
)
def test_calls_go_to_and_fro_between_environments(run: Run, task: str, depth: int) -> None:
    """To any depth, where each awaits the next, waits for it, or blocks the loop of its worker with it."""
    done = run(task, depth)
    assert done.result == depth
    assert depth_of(done) == depth


def test_a_hundred_at_once_to_a_depth_of_ten(start: Run) -> None:
    """There is no deadlock, however they are interleaved."""

    async def many() -> list[int]:
        return [run.result for run in await asyncio.gather(*(start("a.ping", 10) for _ in range(100)))]

    assert asyncio.run(many()) == [10] * 100


@pytest.mark.slow
@pytest.mark.parametrize(("task", "depth"), [("a.ping_sync", 3), ("a.ping_blocking", 4)])
def test_many_at_once_that_block(start: Run, task: str, depth: int) -> None:
    """Those that wait for others leave their turn to them."""

    async def many() -> list[int]:
        return [run.result for run in await asyncio.gather(*(start(task, depth) for _ in range(12)))]

    assert asyncio.run(many()) == [depth] * 12


def test_calls_from_threads(run: Run) -> None:
    """With the context of the task and, where only one task runs, without it."""
    done = run("a.in_threads", 5)
    assert done.result == [0, 2, 4, 6, 8] * 2 + [10]
    assert [node.parent for node in done.tree[1:]] == [done.tree[0].id] * 11


def to_come(journal: Journal) -> dict[str, int]:
    """Return how many calls maps that go on will still begin, by task."""
    return {task: each.left for (_, task), each in journal.expectations().items() if each.maps}


def test_the_kernel_knows_what_a_map_in_a_task_will_still_call(start: Any, file: str) -> None:
    """It is told while the map goes on, and what is left when the map is over: nothing."""

    async def main() -> None:
        with session().runner.collecting() as journal:
            running = asyncio.ensure_future(start("a.maps_slowly", 40, file))
            # Of the first three one ends at once.
            await asyncio.to_thread(wait_until, lambda: to_come(journal) == {"b.waits_for": 36})
            assert [caller for caller, _ in journal.expectations()] == [journal[0].id]
            await asyncio.to_thread(Path(file).touch)
            await running
            assert journal.expectations() == {}

    asyncio.run(main())


def test_the_map_of_an_attempt_ends_with_the_attempt(start: Any, file: str) -> None:
    """A worker that dies takes with it what it would still have called; the next attempt begins its own."""

    async def main() -> None:
        with session().runner.collecting() as journal:
            running = asyncio.ensure_future(start("a.dies_in_a_map", file, f"{file} mark"))
            await asyncio.to_thread(wait_until, lambda: to_come(journal) == {"b.waits_for": 37})
            await asyncio.to_thread(wait_until, lambda: journal[0].attempts == 2)
            await asyncio.to_thread(wait_until, lambda: to_come(journal) == {"b.waits_for": 37})
            await asyncio.to_thread(Path(file).touch)
            assert (await running).result == 40
            assert journal.expectations() == {}

    asyncio.run(main())


def test_map_in_a_task(run: Run) -> None:
    """It maps over a task of another environment."""
    assert run("a.maps", 20).result == [2 * number for number in range(20)]


def test_five_hundred_calls_at_once(run: Run) -> None:
    """Each has its own result."""
    assert run("a.gathers", 500).result == [2 * number for number in range(500)]


def test_environments_run_in_parallel(run: Run, tmp_path: Path) -> None:
    """Two tasks of two environments wait for each other, which neither could after the other."""
    assert run("a.meets_elsewhere", str(tmp_path)).result == ["1", "2"]


def test_a_call_that_nobody_awaits_goes_on(run: Run, file: str) -> None:
    """Its caller may end before it does."""
    assert run("a.forgets", file).result == "done"
    wait_until(Path(file).exists)


def test_a_loop_that_is_closed_while_a_call_is_under_way(run: Run) -> None:
    """The answer finds nobody, and the worker goes on."""
    assert run("a.leaves_a_loop").result == "done"
    assert run("b.slow_b", 0.3).result == 0.3
    assert run("a.ping_sync", 1).result == 1


def test_loops_in_several_threads(tasks: Any) -> None:
    """Each uses the same workers, whether they begin or end at the same time, and whose turn it is to read."""
    results: list[Any] = []
    begin = threading.Barrier(4)

    async def some() -> list[Any]:
        with session().runner.collecting("local"):
            first = await asyncio.gather(*(tasks.echo(number) for number in range(20)))
            begin.wait(10)
            return first + [await tasks.ping(2) for _ in range(10)]

    for _ in range(5):
        threads = [threading.Thread(target=lambda: results.append(asyncio.run(some()))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == [[*range(20), *[2] * 10]] * 20


def test_one_loop_after_another(tasks: Any) -> None:
    """A script may call asyncio.run for every run, in which calls have the shorter way or not; the worker is one."""

    async def processes() -> set[int]:
        with session().runner.collecting("local"):
            return {(await tasks.who())[0] for _ in range(5)}

    assert len(set.union(*(asyncio.run(processes()) for _ in range(20)))) == 1
