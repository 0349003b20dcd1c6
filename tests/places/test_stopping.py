"""Stopping a task stops it, wherever it is, and leaves its worker alive if that can be."""

from __future__ import annotations

import asyncio
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

import flyte_nb
from flyte_nb.errors import TaskTimeoutError, WorkerDiedError
from flyte_nb.session import session

from .made import defined_in, record
from .watching import is_alive, number_in, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flyte_nb.execution.call import Call
    from flyte_nb.execution.journal import Journal

    Run = Callable[..., Any]


@pytest.fixture
def calls() -> Iterator[Callable[[], list[Call]]]:
    """What gives all calls that were made in this test."""
    journals: list[Journal] = []
    end = session().runner.watch(journals.append)
    yield lambda: [call for journal in journals for call in journal.calls()]
    end()


async def cancelled(start: Run, task: str, file: str) -> int:
    """Cancel a task once it has begun, and return the process in which it ran."""
    running = asyncio.ensure_future(start(task, file))
    process = await asyncio.to_thread(number_in, file)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    return process


@pytest.mark.parametrize(
    "task",
    ["a.awaits", "a.loops", "a.loops_sync", "a.sleeps", "a.sleeps_sync", "a.prints_for_ever"],
)
def test_a_task_is_stopped_and_its_worker_lives(start: Run, calls: Any, file: str, task: str) -> None:
    """Where it awaits, in a loop of Python, in a call that a signal interrupts, and while it prints."""
    for _ in range(3):
        Path(file).unlink(missing_ok=True)
        process = asyncio.run(cancelled(start, task, file))
        assert is_alive(process)
    assert {call.state.value for call in calls()} == {"cancelled"}
    assert asyncio.run(start("a.echo_sync", 1)).result == asyncio.run(start("a.echo", 1)).result == 1


@pytest.mark.parametrize("task", ["b.waits_for_awaits", "b.waits_for_sleeps_sync", "b.waits_in_a_thread"])
def test_what_a_task_has_called_is_stopped_too(start: Run, calls: Any, file: str, task: str) -> None:
    """On every level, also where code in a thread waits for it; nothing runs when the cancellation is heard."""
    asyncio.run(cancelled(start, task, file))
    assert [call.state.value for call in calls()] == ["cancelled"] * 2
    assert not session().embedded.place.admission.used.processes


@pytest.mark.parametrize("task", ["a.cleans_up", "a.cleans_up_sync"])
def test_a_task_that_is_stopped_may_clean_up(start: Run, file: str, task: str) -> None:
    """It is not stopped a second time, nor killed, while it does."""
    process = asyncio.run(cancelled(start, task, file))
    assert number_in(f"{file}.cleaned") == process
    assert is_alive(process)


def test_a_task_that_cannot_be_stopped_ends_with_its_worker(start: Run, file: str) -> None:
    """Others that run there are told why theirs has died; the next call has a new one."""

    async def scenario() -> int:
        other = asyncio.ensure_future(start("a.awaits", f"{file}.other"))
        await asyncio.to_thread(number_in, f"{file}.other")
        process = await cancelled(start, "a.holds_the_gil", file)
        with pytest.raises(WorkerDiedError, match=r"a.awaits: .*, because a.holds_the_gil, which ran in it too"):
            await other
        assert (await start("a.who")).result[0] != process
        return process

    process = asyncio.run(scenario())
    wait_until(lambda: not is_alive(process))


def test_a_task_that_takes_too_long_is_tried_again_in_a_new_worker(start: Run, calls: Any, tmp_path: Path) -> None:
    """Its timeout ends C code that never returns, and each attempt has a worker."""
    with pytest.raises(TaskTimeoutError):
        asyncio.run(start("a.too_slow", str(tmp_path)))
    processes = [number_in(path) for path in sorted(tmp_path.iterdir())]
    assert len(set(processes)) == 2
    wait_until(lambda: not any(map(is_alive, processes)))
    assert [(call.state.value, call.attempts) for call in calls()] == [("timed out", 2)]


def test_a_run_that_is_stopped_while_its_worker_starts(start: Run, file: str, calls: Any) -> None:
    """The worker is there for the next."""

    async def scenario() -> None:
        running = asyncio.ensure_future(start("b.who_b"))
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(scenario())
    assert asyncio.run(start("b.whose")).result == "b"


def test_a_run_that_is_stopped_while_its_environment_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the build any more, so it ends as well, with all the processes it has started."""
    begun, source = tmp_path / "begun", tmp_path / "slow"
    source.mkdir()
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "slow"\nversion = "1.0"\n'
    )
    backend = (
        f"import pathlib, time\ndef build_wheel(*_):\n    pathlib.Path({str(begun)!r}).touch()\n    time.sleep(600)\n"
    )
    (source / "backend.py").write_text(backend)
    monkeypatch.setenv("FLYTE_NB_HOME", str(tmp_path / "home"))
    environment = f"""
        import flyte_nb as flyte
        built = flyte.TaskEnvironment("built", image=flyte.Image.from_debian_base().with_pip_packages({str(source)!r}))
        @built.task
        async def one() -> int:
            return 1
    """
    defined_in(textwrap.dedent(environment), tmp_path, monkeypatch)
    record("built")

    async def scenario() -> tuple[int, int]:
        running = asyncio.ensure_future(flyte_nb.run(flyte_nb.deployed("built.one")))
        await asyncio.to_thread(wait_until, begun.exists)
        building = [each for each in psutil.Process().children(recursive=True) if str(tmp_path) in str(each.cmdline())]
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return len(building), len(psutil.wait_procs(building, 30)[1])

    begun_and_left = asyncio.run(scenario())
    assert begun_and_left[0] > 0 == begun_and_left[1]
    session().rest()
