"""A worker that dies fails what it runs, by name, and nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from flyte_nb.errors import RemoteError, TaskMemoryError, WorkerDiedError
from flyte_nb.session import session

from .watching import is_alive, number_in, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("os._exit", "ended with exit code 3"),
        ("kill -9", r"was killed by signal 9 \(SIGKILL\)"),
        ("segfault", r"was killed by signal 11 \(SIGSEGV\)"),
        ("abort", r"was killed by signal 6 \(SIGABRT\)"),
        ("closed", "(ended|was killed)"),
    ],
)
def test_a_crash_fails_the_task_and_the_next_call_has_a_new_worker(run: Run, how: str, told: str) -> None:
    """Whatever ended the process is told."""
    with pytest.raises(WorkerDiedError, match=f"^a.dies: the process that it ran in {told}"):
        run("a.dies", how)
    assert run("a.echo", 1).result == 1


def test_who_shares_the_process_of_a_crash_is_told_so(start: Run, file: str) -> None:
    """Its error does not take it for the cause, and says what has a process for itself."""

    async def scenario() -> None:
        innocent = asyncio.ensure_future(start("a.awaits", file))
        await asyncio.to_thread(number_in, file)
        with pytest.raises(WorkerDiedError) as caught:
            await start("a.dies", "os._exit")
        with pytest.raises(
            WorkerDiedError, match=r"1 other call ran in it, .* a sync one has one for itself\. The next"
        ):
            await innocent
        assert caught.value.others == 1

    asyncio.run(scenario())


def test_endless_recursion_is_an_error(run: Run) -> None:
    """Python notices it before the stack overflows."""
    with pytest.raises((RecursionError, RemoteError), match="recursion"):
        run("a.recurses")


def test_a_crash_is_tried_again(run: Run, tmp_path: Path) -> None:
    """As often as the task says."""
    done = run("a.dies_first", str(tmp_path))
    assert (done.result, done.tree[0].attempts) == (2, 3)


def test_a_worker_that_is_killed_while_it_is_idle(run: Run) -> None:
    """Nobody hears of it."""
    process = run("a.who").result[0]
    os.kill(process, signal.SIGKILL)
    wait_until(lambda: all(worker.pid != process for worker in session().embedded.place.pool.workers))
    assert run("a.who").result[0] != process


def test_a_worker_that_dies_while_the_kernels_loop_is_busy(tasks: Any) -> None:
    """The loop has read its socket; that of the next worker may have the same number."""

    async def scenario() -> list[int]:
        processes = []
        with session().runner.collecting("local"):
            for _ in range(4):
                process = [(await tasks.who())[0] for _ in range(3)][-1]
                processes.append(process)
                worker = next(each for each in session().embedded.place.pool.workers if each.pid == process)
                os.kill(process, signal.SIGKILL)
                ended = threading.Event()
                worker._loop.call_soon_threadsafe(worker.ended.add_done_callback, lambda _, told=ended: told.set())
                assert ended.wait(10)  # which keeps this loop from running
        return processes

    assert len(set(asyncio.run(scenario()))) == 4


def test_a_worker_that_dies_while_it_waits_for_itself(start: Run, file: str) -> None:
    """A call there has called another environment, which has called this one: all of them end."""

    async def scenario() -> None:
        running = asyncio.ensure_future(start("a.waits_for_itself", file))
        os.kill(await asyncio.to_thread(number_in, file), signal.SIGKILL)
        with pytest.raises(WorkerDiedError, match=r"^a\.waits_for_itself: "):
            await running

    asyncio.run(scenario())


def test_what_a_task_has_started_ends_with_its_worker(start: Run, file: str) -> None:
    """No process is left."""

    async def scenario() -> int:
        running = asyncio.ensure_future(start("a.with_child", file))
        child = await asyncio.to_thread(number_in, f"{file}.child")
        os.kill(number_in(file), signal.SIGKILL)
        with pytest.raises(WorkerDiedError):
            await running
        return child

    child = asyncio.run(scenario())
    wait_until(lambda: not is_alive(child))


def test_a_process_that_a_task_has_forked_does_not_hide_its_end(start: Run, file: str) -> None:
    """It has what its parent had, and what it prints is noted."""

    async def scenario() -> None:
        running = asyncio.ensure_future(start("a.forks", file))
        process = await asyncio.to_thread(number_in, file)
        os.kill(process, signal.SIGKILL)
        with pytest.raises(WorkerDiedError):
            await running

    asyncio.run(scenario())
    done = asyncio.run(start("a.forks_and_waits"))
    assert done.result == [0, 1, 4]
    assert sorted(line.text for line in done.logs) == ["child 0", "child 1", "child 2", "parent"]


@pytest.mark.parametrize(
    ("task", "args"), [("c.holds", (400, 600)), ("c.holds_shortly", (400,)), ("c.holds_in_a_child", (400,))]
)
def test_a_task_that_uses_more_memory_than_declared_fails_by_name(run: Run, task: str, args: tuple[Any, ...]) -> None:
    """What it holds, what it held for a moment, and what a process holds that it has started."""
    with pytest.raises(TaskMemoryError, match=rf"^{task} used \d+ MiB of the 256 MiB that 'c' declares"):
        run(task, *args)
    assert run("c.holds", 10, 0).result == 10
