"""Tasks whose results are reused: when they are, when not, and what is said when they cannot be."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
import time
import warnings
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest

import flyte_nb as flyte
from flyte_nb import Cache, InvalidValueError, TaskEnvironment
from flyte_nb.errors import UncacheableGlobalError, UncacheableInputError
from flyte_nb.session import session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def env() -> TaskEnvironment:
    return TaskEnvironment("ml")


@pytest.fixture
def states() -> Iterator[list[str]]:
    """The state of every call, at each change."""
    seen: list[str] = []
    end = session().runner.subscribe(lambda node: seen.append(node.state.value))
    yield seen
    end()


def ran(task: Any, *args: Any, **kwargs: Any) -> str:
    """Run a task and return the status of the run."""
    return asyncio.run(flyte.run(task, *args, **kwargs)).status


def test_a_result_is_reused(env: TaskEnvironment) -> None:
    """The second run of the same call takes the result of the first, and says so; another input runs."""

    @env.task(cache="auto")
    async def double(x: float) -> float:
        return 2 * x

    first = asyncio.run(flyte.run(double, 2))
    second = asyncio.run(flyte.run(double, x=2))
    assert (first.status, first.result, second.status, second.result) == ("succeeded", 4, "cached", 4)
    assert (second.tree[0].attempts, second.tree[0].error, len(second.tree)) == (0, "", 1)
    assert ran(double, 2.0) == ran(double, 3) == "succeeded"


def test_every_way_to_call_is_cached(env: TaskEnvironment, states: list[str]) -> None:
    """Sync and async, awaited, called, in a thread and inside other tasks."""

    @env.task(cache="auto")
    def half(x: int) -> float:
        return x / 2

    @env.task(cache="auto")
    async def double(x: int) -> int:
        return x * 2

    @env.task
    async def both() -> tuple[float, float, int]:
        return half(1), await half.aio(1), await double(1)

    assert [half(1), half(1), asyncio.run(half.aio(1)), asyncio.run(double(1)), asyncio.run(double.aio(1))] == [
        0.5, 0.5, 0.5, 2, 2,
    ]  # fmt: skip
    ends = ["succeeded", "cached", "cached", "succeeded", "cached"]
    assert [state for state in states if state not in ("running", "queued")] == ends
    tree = asyncio.run(flyte.run(both)).tree
    assert [node.state.value for node in tree] == ["succeeded", "cached", "cached", "cached"]


def test_nothing_is_cached_unless_asked(env: TaskEnvironment) -> None:
    """The default is to run, and leaves no folder behind."""

    @env.task
    async def work() -> int:
        return 1

    assert ran(work) == ran(work) == "succeeded"
    assert not (session().settings.home_path / "cache").exists()


def test_the_environment_says_it_for_its_tasks() -> None:
    """A task without a say follows its environment as it is defined now; one with a say does not."""
    env = TaskEnvironment("ml", cache=Cache(ignored_inputs="verbose"))

    @env.task
    async def follows(x: int) -> int:
        return x

    @env.task(cache="disable")
    async def refuses() -> int:
        return 1

    assert [ran(follows, 1), ran(follows, 1)] == ["succeeded", "cached"]
    assert ran(refuses) == ran(refuses) == "succeeded"
    TaskEnvironment("ml")
    assert ran(follows, 1) == "succeeded"
    TaskEnvironment("ml", cache="auto")
    assert ran(follows, 1) == "cached"
    flyte.reset()
    with session().runner.collecting() as journal:
        assert asyncio.run(follows(1)) == 1
    assert [call.state.value for call in journal.calls()] == ["succeeded"]


def test_a_result_is_a_copy(env: TaskEnvironment) -> None:
    """What is done to a result changes no later one, nor does what is done to an input."""

    @env.task(cache="auto")
    async def work(x: list[int]) -> list[int]:
        x.append(0)
        return x

    for _ in range(3):
        result = asyncio.run(work([1]))
        assert result == [1, 0]
        result.append(2)


def test_defaults_are_inputs(env: TaskEnvironment) -> None:
    """A default that is given is the same call; how arguments are passed makes no difference."""

    @env.task(cache="auto")
    async def work(a: int, b: int = 2, *, c: int = 3) -> int:
        return a + b + c

    assert ran(work, 1) == "succeeded"
    assert ran(work, 1, 2) == ran(work, a=1, c=3, b=2) == "cached"


def test_the_policy_is_part_of_the_key(env: TaskEnvironment) -> None:
    """Another salt forgets, and another version; the old ones are found again."""

    @env.task
    async def work() -> int:
        return 1

    policies = [Cache(), Cache(salt="a"), Cache("override", version_override="1"), Cache(version_override="2")]
    assert [ran(work.override(cache=policy)) for policy in policies] == ["succeeded"] * 4
    assert [ran(work.override(cache=policy)) for policy in policies] == ["cached"] * 4
    assert ran(work.override(cache=Cache(version_override="1"))) == "cached"


def test_a_stated_version_stands_for_the_code(env: TaskEnvironment) -> None:
    """With a version of one's own, changes of the code do not count, and uncacheable globals are no trouble."""
    connection = sqlite3.connect(":memory:")

    def make(result: int) -> Any:
        @env.task(cache=Cache("override", version_override="1"))
        async def work() -> int:
            return result if connection else 0

        return work

    with closing(connection):
        assert asyncio.run(make(1)()) == asyncio.run(make(2)()) == 1
        with pytest.raises(UncacheableGlobalError, match=r"ml.work uses `connection` in `work` \(sqlite3.Connection\)"):
            ran(make(1).override(cache="auto"))


def test_ignored_inputs_make_no_difference(env: TaskEnvironment) -> None:
    """They may be anything, even what cannot be compared."""

    @env.task(cache=Cache(ignored_inputs=("verbose", "log")))
    async def work(x: int, verbose: bool = False, log: Any = None) -> int:
        return x

    assert ran(work, 1) == "succeeded"
    assert ran(work, 1, True) == ran(work, 1, log=(n for n in ())) == "cached"


def test_an_ignored_input_that_does_not_exist_is_refused(env: TaskEnvironment) -> None:
    """When the task is defined, with the name that was meant."""
    with pytest.raises(InvalidValueError, match=r"'verbos' is not a parameter of work\. Did you mean 'verbose'\?"):

        @env.task(cache=Cache(ignored_inputs="verbos"))
        async def work(verbose: bool) -> None: ...


def test_old_results_are_not_reused(env: TaskEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result counts for `max_age`, and is then made anew."""

    @env.task(cache=Cache(max_age=60))
    async def work() -> int:
        return 1

    assert [ran(work), ran(work)] == ["succeeded", "cached"]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    assert [ran(work), ran(work)] == ["succeeded", "cached"]
    monkeypatch.undo()


def test_only_success_is_kept(env: TaskEnvironment, tmp_path: Path) -> None:
    """A call that failed or was cancelled runs again; one that succeeded after retries does not."""
    flag = str(tmp_path / "flag")
    waits = asyncio.Event()

    @env.task(cache="auto", retries=1)
    async def flaky() -> int:
        with open(flag, "a+") as file:  # noqa: ASYNC230 - the world outside of the task
            file.write("x")
            file.seek(0)
            attempt = len(file.read())
        if attempt == 3:
            waits.set()
            await asyncio.sleep(60)
        if attempt < 5:
            raise ValueError(f"attempt {attempt}")
        return attempt

    async def cancelled() -> None:
        call = asyncio.ensure_future(flaky())
        await asyncio.wait_for(waits.wait(), 20)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    with pytest.raises(ValueError, match="attempt 2"):
        ran(flaky)
    asyncio.run(cancelled())
    run = asyncio.run(flyte.run(flaky))
    assert (run.result, run.status, run.tree[0].attempts) == (5, "succeeded", 2)
    assert ran(flaky) == "cached"


@pytest.mark.parametrize("sync", [False, True])
def test_timeouts_hold_for_cached_tasks(env: TaskEnvironment, sync: bool) -> None:
    """A cached task that takes too long is timed out, and nothing is kept of it."""

    @env.task(cache="auto", timeout=0.05)
    async def slow() -> None:
        await asyncio.sleep(60)

    @env.task(cache="auto", timeout=0.05)
    def busy() -> None:
        while True:
            time.sleep(0.001)

    for _ in range(2):
        with pytest.raises(flyte.TaskTimeoutError):
            ran(busy if sync else slow)


@pytest.mark.parametrize("sync", [False, True])
def test_an_input_without_content_is_refused(env: TaskEnvironment, states: list[str], sync: bool) -> None:
    """One line names it, its type and what to do; the task does not run, and its call has failed."""

    @env.task(cache="auto")
    async def work(config: Any, password: Any = None) -> None:
        raise AssertionError("ran")

    @env.task(cache="auto")
    def sync_work(config: Any, password: Any = None) -> None:
        raise AssertionError("ran")

    task: Any = sync_work if sync else work
    with closing(sqlite3.connect(":memory:")) as connection, pytest.raises(UncacheableInputError) as caught:
        asyncio.run(flyte.run(task, {"hunter2": ["hunter2", connection]}, "hunter2"))
    error = caught.value
    assert (error.parameter, error.given, error.kind) == ("config", "dict", "sqlite3.Connection")
    assert str(error).startswith(f"{task.name}: input `config` (dict) cannot be part of a cache key: it holds a ")
    assert 'Cache(ignored_inputs="config")' in str(error)
    assert "\n" not in str(error)
    assert "hunter2" not in str(error)
    assert states == ["running", "failed"]


@pytest.mark.parametrize("sync", [False, True])
def test_a_result_that_cannot_be_kept_is_given_all_the_same(env: TaskEnvironment, sync: bool) -> None:
    """With a warning of one line, each time; the task has succeeded."""

    @env.task(cache="auto")
    async def opened() -> Any:
        return (number for number in ())

    @env.task(cache="auto")
    def sync_opened() -> Any:
        return (number for number in ())

    for _ in range(2):
        with pytest.warns(UserWarning, match=r"opened: its result \(generator\) is not cached: TypeError: ") as caught:
            run = asyncio.run(flyte.run(sync_opened if sync else opened))
        assert run.status == "succeeded"
        assert list(run.result) == []
        assert "\n" not in str(caught[0].message)


@pytest.mark.parametrize("sync", [False, True])
def test_a_warning_that_is_an_error_is_no_failure(env: TaskEnvironment, sync: bool) -> None:
    """A task that has succeeded gives its result also to those who turn warnings into errors."""

    @env.task(cache="auto")
    async def opened() -> Any:
        return (number for number in ())

    @env.task(cache="auto")
    def sync_opened() -> Any:
        return (number for number in ())

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ran(sync_opened if sync else opened) == "succeeded"


def test_a_home_that_cannot_be_written_is_no_failure(env: TaskEnvironment, tmp_path: Path) -> None:
    """The task has its result, with a warning."""

    @env.task(cache="auto")
    async def work() -> int:
        return 1

    (tmp_path / "file").write_text("")
    session().settings.home = str(tmp_path / "file")
    try:
        with pytest.warns(UserWarning, match="work: its result"):
            assert ran(work) == "succeeded"
    finally:
        session().settings.home = ""


def test_the_home_is_asked_for_at_each_use(env: TaskEnvironment, tmp_path: Path) -> None:
    """Another home is another cache, from the next call on."""

    @env.task(cache="auto")
    async def work() -> int:
        return 1

    assert [ran(work), ran(work)] == ["succeeded", "cached"]
    session().settings.home = str(tmp_path / "other")
    try:
        assert [ran(work), ran(work)] == ["succeeded", "cached"]
    finally:
        session().settings.home = ""
    assert ran(work) == "cached"


def test_a_cache_without_size_keeps_nothing(env: TaskEnvironment) -> None:
    """A size of zero keeps no more results, without a word."""

    @env.task(cache="auto")
    async def work() -> int:
        return 1

    size = session().settings.cache_size
    session().settings.cache_size = 0
    try:
        assert ran(work) == ran(work) == "succeeded"
        session().settings.cache_size = 1e-9
        with pytest.warns(UserWarning, match="takes up"):
            ran(work)
    finally:
        session().settings.cache_size = size


def test_calls_at_once_run_once(env: TaskEnvironment) -> None:
    """Of many calls that are the same, one runs and the others take its result; each gets its own copy."""

    @env.task(cache="auto")
    async def work(x: int) -> list[int]:
        await asyncio.sleep(0.05)
        return [x]

    @env.task
    async def root() -> list[list[int]]:
        return await asyncio.gather(*[work(number % 2) for number in range(20)])

    run = asyncio.run(flyte.run(root))
    assert run.result == [[0], [1]] * 10
    assert len({id(result) for result in run.result}) == 20
    states = [node.state.value for node in run.tree[1:]]
    assert (states.count("succeeded"), states.count("cached")) == (2, 18)


def test_calls_that_wait_for_a_failure_run_themselves(env: TaskEnvironment, tmp_path: Path) -> None:
    """When the first of two calls fails or is cancelled, the second runs."""
    flag = str(tmp_path / "flag")
    waits = asyncio.Event()

    @env.task(cache="auto")
    async def fails() -> int:
        with suppress(FileExistsError):
            open(flag, "x").close()  # noqa: ASYNC230 - the world outside of the task
            raise ValueError("the first fails")
        return 1

    @env.task(cache="auto")
    async def holds() -> int:
        if not waits.is_set():
            waits.set()
            await asyncio.sleep(60)
        return 1

    async def failing() -> list[Any]:
        return await asyncio.gather(fails(), fails(), return_exceptions=True)

    async def cancelling() -> Any:
        first, second = asyncio.ensure_future(holds()), asyncio.ensure_future(holds())
        await asyncio.wait_for(waits.wait(), 20)
        first.cancel()
        return await second

    failed, result = asyncio.run(failing())
    assert isinstance(failed, ValueError)
    assert result == 1
    assert asyncio.run(cancelling()) == 1
    assert not session()._cached_results()._making


def test_a_waiting_call_can_be_cancelled(env: TaskEnvironment) -> None:
    """Without harm to the call that it waits for."""
    waits, let = asyncio.Event(), asyncio.Event()

    @env.task(cache="auto")
    async def work() -> int:
        waits.set()
        await let.wait()
        return 1

    async def main() -> int:
        first, second = asyncio.ensure_future(work()), asyncio.ensure_future(work())
        await asyncio.wait_for(waits.wait(), 20)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        let.set()
        return await first

    assert asyncio.run(main()) == 1


class Slow:
    """A value that is pickled only when it is let."""

    let = threading.Event()
    begun = threading.Event()

    def __reduce__(self) -> tuple[type, tuple[()]]:
        self.begun.set()
        assert self.let.wait(20)
        return (Slow, ())


def test_a_call_is_cancelled_while_its_result_is_kept(env: TaskEnvironment, states: list[str]) -> None:
    """The loop goes on while a result is written, and a cancelled call does not wait for that."""

    @env.task(cache="auto")
    async def work() -> Slow:
        return Slow()

    async def main() -> None:
        call = asyncio.ensure_future(work())
        await asyncio.to_thread(Slow.begun.wait, 20)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        Slow.let.set()

    asyncio.run(main())
    assert states == ["running", "cancelled"]


def test_a_call_does_not_wait_for_itself(env: TaskEnvironment) -> None:
    """A task that calls itself with inputs that make no difference runs as deep as it likes."""

    @env.task(cache=Cache(ignored_inputs="depth"))
    async def work(depth: int) -> int:
        return depth if depth == 3 else int(await work(depth + 1))

    async def main() -> int:
        return await asyncio.wait_for(work(0), 20)

    assert asyncio.run(main()) == 3


def test_a_coroutine_that_is_never_finished(env: TaskEnvironment) -> None:
    """A cached call that is closed in the middle leaves nothing for others to wait for."""
    waits = asyncio.Event()

    @env.task(cache="auto")
    async def work() -> int:
        waits.set()
        await asyncio.sleep(60)
        return 1

    async def main() -> None:
        call = asyncio.ensure_future(work())
        await asyncio.wait_for(waits.wait(), 20)
        assert not call.done()

    asyncio.run(main())
    assert not session()._cached_results()._making
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it was never awaited
        work().close()
    assert not session()._cached_results()._making


FORKED = """
import asyncio, multiprocessing, sys, warnings
import flyte_nb as flyte

env = flyte.TaskEnvironment("ml")

@env.task(cache="auto")
async def work(x):
    return x + 1

@env.task(cache="auto")
async def forks(x):
    warnings.simplefilter("ignore")  # forking with threads
    if multiprocessing.parent_process() is None:
        process = multiprocessing.get_context("fork").Process(target=again)
        process.start()
        process.join(20)
        process.kill()
        process.join()
        return process.exitcode
    return x

def again():
    print(asyncio.run(work(1)), asyncio.run(work(2)), asyncio.run(forks(0)), flush=True)

asyncio.run(work(1))
print(asyncio.run(forks(0)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_calls_in_a_fork(tmp_path: Path) -> None:
    """A process that was forked, even while a call is being made, reads and makes results of its own."""
    script = tmp_path / "script.py"
    script.write_text(FORKED)
    home = {**os.environ, "FLYTE_NB_HOME": str(tmp_path / "home")}
    command = [sys.executable, str(script)]
    done = subprocess.run(command, env=home, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["2 3 0", "0"]


def _cache_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("flyte_nb-cache")]


def test_a_cache_that_is_closed(env: TaskEnvironment) -> None:
    """Its threads end, and a later call has new ones."""

    @env.task(cache="auto")
    async def work(x: int) -> int:
        return x

    assert ran(work, 1) == "succeeded"
    threads = _cache_threads()
    assert threads
    for _ in range(2):
        session()._cached_results().close()
    for thread in threads:
        thread.join(20)
    assert not [thread for thread in threads if thread.is_alive()]
    assert [ran(work, 1), ran(work, 2)] == ["cached", "succeeded"]
