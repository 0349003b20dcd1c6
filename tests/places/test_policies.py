"""On local, the policies of a task count as they do inline: retries, timeouts, and results that are kept."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

import flyte_nb
from flyte_nb.errors import FlyteNbError, InvalidValueError, TaskTimeoutError, WorkerStartError
from flyte_nb.execution.node import RunState
from flyte_nb.model import Cache
from flyte_nb.session import session

from .made import defined_in, deploy
from .watching import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCE = """
import asyncio
from typing import Any
import flyte_nb as flyte

plain = flyte.TaskEnvironment("plain")
below = flyte.TaskEnvironment("below", resources=flyte.Resources(memory="200Mi"))
kept = flyte.TaskEnvironment("kept", cache="auto")
whole = flyte.TaskEnvironment("whole", resources=flyte.Resources(memory="900Ti"))
NUMBER = 1

@below.task
def number() -> int:
    return NUMBER

@below.task
def uses_much() -> int:
    return len(bytearray(600 * 2**20))

@plain.task
def catches() -> str:
    try:
        return str(uses_much())
    except MemoryError as error:
        return type(error).__name__

@kept.task
def sums(value: int = 1) -> int:
    return number() + value

@plain.task
async def fails(file: str) -> None:
    with open(file, "a") as opened:
        opened.write("x")
    raise ValueError("on purpose")

@kept.task(cache="disable")
async def fails_elsewhere(file: str) -> None:
    await fails.override(retries=2)(file)

@plain.task
def fails_here(file: str) -> None:
    return asyncio.run(fails.override(retries=2).aio(file))

@plain.task
async def counts(file: str, mark: str) -> int:
    with open(file, "a") as opened:
        opened.write("x")
    return len(mark)

@plain.task
def calls(task: Any, file: str) -> None:
    return asyncio.run(task.aio(file))

@kept.task(cache="disable")
def notes(file: str) -> int:
    with open(file, "a") as opened:
        opened.write("x")
    return 1

@plain.task
def notes_as_the_environment_says(file: str) -> int:
    remembered = notes.override(cache=None)
    return remembered(file) + remembered(file)

@plain.task
async def overrides_wrongly(policies: dict) -> None:
    sums.override(**policies)

@kept.task(cache="disable")
async def counts_twice(file: str) -> list[int]:
    remembered = counts.override(cache=flyte.Cache("auto", ignored_inputs="mark"))
    return [await remembered(file, "a"), await remembered(file, "bc")]

@plain.task
async def joins(left: int, on: str = "x") -> str:
    return f"{left} {on}"

@plain.task
async def doubles(number: int) -> int:
    return 2 * number

@whole.task
async def waits(file: str) -> None:
    open(file, "w").close()
    await asyncio.sleep(600)

@whole.task(retries=5, timeout=flyte.Timeout(deadline=0.4))
async def has_a_deadline() -> None:
    pass

@whole.task(retries=5, timeout=flyte.Timeout(max_queued_time=0.2))
async def is_not_to_wait() -> None:
    pass
"""


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module whose environments are deployed."""
    defined_in(SOURCE, tmp_path, monkeypatch, "with_policies")
    deploy()
    yield sys.modules["with_policies"]
    session().rest()


def run(task: Any, *args: Any, **kwargs: Any) -> Any:
    """Run a task on local, to its end."""
    return asyncio.run(flyte_nb.run(task, *args, on="local", **kwargs))


def test_overridden_policies_count(tasks: Any, tmp_path: Path) -> None:
    """Of a task of the session as of a deployed one."""
    file = tmp_path / "attempts"
    for task in (tasks.fails.override(retries=2), flyte_nb.deployed("plain.fails").override(retries=2)):
        file.write_text("")
        with pytest.raises(ValueError, match="on purpose"):
            run(task, str(file))
        assert file.read_text() == "xxx"


@pytest.mark.parametrize("task", ["fails_elsewhere", "fails_here"])
def test_policies_that_a_task_overrides_count(tasks: Any, tmp_path: Path, task: str) -> None:
    """Of a task of its own environment, and of another's, which is not defined where it runs."""
    file = tmp_path / "attempts"
    with pytest.raises(ValueError, match="on purpose"):
        run(getattr(tasks, task), str(file))
    assert file.read_text() == "xxx"


def test_results_are_kept_where_a_task_says_so_of_another(tasks: Any, tmp_path: Path) -> None:
    """With what the policy ignores."""
    assert run(tasks.counts_twice, str(tmp_path / "calls")).result == [1, 1]
    assert (tmp_path / "calls").read_text() == "x"


def test_a_task_that_is_given_to_a_task_keeps_its_policies(tasks: Any, tmp_path: Path) -> None:
    """They cross with it."""
    file = tmp_path / "attempts"
    with pytest.raises(ValueError, match="on purpose"):
        run(tasks.calls, tasks.fails.override(retries=2), str(file))
    assert file.read_text() == "xxx"


@pytest.mark.parametrize(
    ("policies", "said"),
    [({"short_name": 5}, "Task.short_name"), ({"cache": Cache("auto", ignored_inputs="valeu")}, "valeu")],
)
def test_wrong_policies_are_refused_where_a_task_overrides_them(
    tasks: Any, policies: dict[str, Any], said: str
) -> None:
    """Of a task of another environment as of one that is defined there."""
    with pytest.raises(FlyteNbError, match=said):
        run(tasks.overrides_wrongly, policies)


def test_results_are_kept_as_the_environment_says_where_a_task_asks_for_that(tasks: Any, tmp_path: Path) -> None:
    """`cache=None` means so."""
    assert run(tasks.notes_as_the_environment_says, str(tmp_path / "calls")).result == 2
    assert (tmp_path / "calls").read_text() == "x"


def test_a_deployed_task_cannot_run_in_the_kernel(tasks: Any) -> None:
    """Which is said rather than run elsewhere in silence."""
    assert tasks
    with pytest.raises(InvalidValueError, match=r"'inline' is not where plain.doubles runs.*For example: on=\"local\""):
        asyncio.run(flyte_nb.run(flyte_nb.deployed("plain.doubles"), 1, on="inline"))


def test_a_kept_result_is_that_of_the_version_that_runs(
    tasks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not given has the default of the deployed version, whatever the session's says by now."""
    assert run(tasks.sums).result == run(tasks.sums).result == 2
    defined_in(SOURCE.replace("value: int = 1", "value: int = 5"), tmp_path, monkeypatch, "with_policies")
    other = sys.modules["with_policies"].sums
    assert (run(other).result, run(other, 5).result) == (2, 6)


def test_a_kept_result_is_not_used_when_what_the_task_calls_has_changed(
    tasks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deploying an environment anew makes anew what others have made with its tasks."""
    assert [run(tasks.sums).status for _ in range(2)] == ["succeeded", "cached"]
    defined_in(SOURCE.replace("NUMBER = 1", "NUMBER = 7"), tmp_path, monkeypatch, "with_policies")
    deploy("below")
    done = run(sys.modules["with_policies"].sums)
    assert (done.result, done.status) == (8, "succeeded")


def test_a_caller_can_catch_that_memory_was_exceeded(tasks: Any) -> None:
    """It crosses as itself, which is a MemoryError."""
    assert run(tasks.catches).result == "TaskMemoryError"


def test_a_parameter_called_on_is_the_tasks_own(tasks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the task has one, the setting says where it runs."""
    monkeypatch.setattr(session().settings, "run_on", "local")
    assert asyncio.run(flyte_nb.run(tasks.joins, 1, on="id")).result == "1 id"


@pytest.mark.parametrize(("task", "said"), [("has_a_deadline", "took longer"), ("is_not_to_wait", "waited")])
def test_waiting_for_room_counts(tasks: Any, tmp_path: Path, task: str, said: str) -> None:
    """A call that gets no room before its deadline, or has waited as long as it may, has timed out: once."""

    async def both() -> Any:
        first = asyncio.ensure_future(flyte_nb.run(tasks.waits, str(tmp_path / "begun"), on="local"))
        await asyncio.to_thread(wait_until, (tmp_path / "begun").exists)
        begun = time.monotonic()
        with pytest.raises(TaskTimeoutError, match=said):
            await flyte_nb.run(getattr(tasks, task), on="local")
        first.cancel()
        await asyncio.wait({first})
        return time.monotonic() - begun

    assert asyncio.run(both()) < 30
    (late,) = (one for one in flyte_nb.runs() if one.task == f"whole.{task}")
    assert late.state is RunState.TIMED_OUT


def test_what_has_gone_is_prepared_again(tasks: Any) -> None:
    """Where a worker cannot start because its code was removed, that call fails, and the next one has it back."""
    assert run(tasks.doubles, 1).result == 2
    pool = session().embedded.place.pool
    os.kill(pool.workers[0].pid, signal.SIGKILL)
    wait_until(lambda: not pool.workers)
    shutil.rmtree(session().settings.home_path / "code")
    with pytest.raises(WorkerStartError, match="No module named 'environments'"):
        run(tasks.doubles, 1)
    assert run(tasks.doubles, 1).result == 2


def test_a_worker_that_the_system_refuses_is_one_clear_error(tasks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where too many files are open."""

    def refuses(*_args: Any, **_kwargs: Any) -> Any:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr("flyte_nb.workers.process.subprocess.Popen", refuses)
        with pytest.raises(WorkerStartError, match=r"The worker of 'plain' cannot start: .*Too many open files"):
            run(tasks.doubles, 1)
    assert run(tasks.doubles, 1).result == 2
