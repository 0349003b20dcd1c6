"""The history outlives its processes: killed, forked, ended in the middle of a run, or writing beside each other."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

import flyte_nb as flyte
from flyte_nb.execution.node import RunState
from flyte_nb.session import session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flyte_nb.execution.history.records import RecordedRun

COMMON = """
import asyncio, json, os, sys, time
import flyte_nb as flyte
from flyte_nb.execution.runner import current_call
from flyte_nb.session import session

env = flyte.TaskEnvironment("env")

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

@env.task
async def leaf(n):
    for number in range(3):
        current_call().write("stdout", f"leaf {n} line {number}\\n")
    await asyncio.sleep(0)
    return n

@env.task
async def root(n):
    return await asyncio.gather(*(leaf(i) for i in range(n)))
"""

# Runs without end, each of another size, and tells each that the history has confirmed; calls by themselves go on
# beside. Nothing is pruned.
RUNNER = (
    COMMON
    + """
async def aside():
    while True:
        await leaf(0)
        await asyncio.sleep(0.001)

async def main():
    session().settings.keep_runs = 1_000_000
    session().history.start()
    task = asyncio.ensure_future(aside())
    size = 0
    say("ready")
    while True:
        size = size % 40 + 1
        run = await flyte.run(root, size)
        if session().history.flush():
            say(run.name, size)

asyncio.run(main())
"""
)

WRITER = (
    COMMON
    + """
for number in range(15):
    run = asyncio.run(flyte.run(root, 10))
    assert session().history.flush()
    assert flyte.runs(limit=500)
    say(run.name)
"""
)

ENDING = (
    COMMON
    + """
run = asyncio.run(flyte.run(root, 5))
say(run.name)
"""
)

LEFT = (
    COMMON
    + """
@env.task
async def waits():
    current_call().write("stdout", "waiting\\n")
    await asyncio.sleep(1000)

@env.task
async def outer():
    await leaf(1)
    await waits()

async def main():
    running = asyncio.ensure_future(flyte.run(outer))
    await asyncio.sleep(0.05)
    assert session().history.flush()
    say(session().runner.name)
    await running

asyncio.run(main())
"""
)

FORKING = (
    COMMON
    + """
asyncio.run(flyte.run(root, 1))
running = session().history.flush()
child = os.fork()
if child == 0:
    asyncio.run(flyte.run(root, 2))
    confirmed = session().history.flush()
    os._exit(0 if confirmed and len(flyte.runs()) == 1 else 1)
_, status = os.waitpid(child, 0)
asyncio.run(flyte.run(root, 3))
say(json.dumps([status, [run.calls for run in flyte.runs()]]))
"""
)


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "FLYTE_NB_HOME": str(home)}


@contextmanager
def left(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Give a process whose run goes on, as far as it is written, until it is killed, and the name of its session."""
    with subprocess.Popen([sys.executable, "-c", LEFT], env=environment(home), stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().decode().strip()
        finally:
            process.kill()


def run_script(script: str, home: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script],
        env=environment(home),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.splitlines()


def is_whole(home: Path) -> bool:
    connection = sqlite3.connect(home / "runs.sqlite3")
    (answer,) = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    return bool(answer == "ok")


def is_complete(run: RecordedRun, size: int) -> bool:
    states = {node.state for node in run.tree}
    return (
        (run.state, run.calls, states) == (RunState.SUCCEEDED, size + 1, {RunState.SUCCEEDED})
        and len(run.tree) == size + 1
        and len(run.logs) == 3 * size
    )


@pytest.fixture
def home() -> Path:
    return session().settings.home_path


def kill_at_a_random_moment(home: Path, dice: random.Random) -> dict[str, int]:
    """Return the names and sizes of the runs that the process had reported when it was killed."""
    with subprocess.Popen([sys.executable, "-c", RUNNER], env=environment(home), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().decode() for _ in range(dice.randrange(20))]
        time.sleep(dice.random() * 0.05)
        os.kill(process.pid, signal.SIGKILL)
        lines += process.stdout.read().decode().splitlines()
        assert process.wait() == -signal.SIGKILL
    return {name: int(size) for name, size in (line.split() for line in lines if "ready" not in line)}


@pytest.mark.slow
def test_kill_nine_leaves_what_was_confirmed(home: Path) -> None:
    """Killed at random moments, 30 times over, into one database: it opens, and every confirmed run is whole.

    What was under way is there as far as it was written, and lost.
    """
    dice, confirmed = random.Random(9), {}  # noqa: S311
    for _ in range(30):
        confirmed |= kill_at_a_random_moment(home, dice)
    runs = {run.name: run for run in flyte.runs(limit=1_000_000)}
    assert is_whole(home)
    assert len(confirmed) > 30
    assert [name for name, size in confirmed.items() if not is_complete(runs[name], size)] == []
    assert {run.state for run in runs.values()} <= {RunState.SUCCEEDED, RunState.LOST}
    assert all(run.tree[0].task == run.task for run in runs.values())


def test_several_sessions_write_at_once(home: Path) -> None:
    """Processes that create and write one database at the same time lose nothing."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER], env=environment(home), stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    names = [name for writer in writers for name in writer.communicate(timeout=60)[0].split()]
    assert [writer.returncode for writer in writers] == [0] * 4
    runs = {run.name: run for run in flyte.runs(limit=500)}
    assert sorted(names) == sorted(runs)
    assert len(names) == 60
    assert all(is_complete(run, 10) for run in runs.values())
    assert is_whole(home)


def test_a_script_that_ends_at_once_has_recorded(home: Path) -> None:
    """A process that ends by itself writes the rest first."""
    (name,) = run_script(ENDING, home)
    assert is_complete(session().history.run(name), 5)


def test_the_end_does_not_wait_for_a_database_in_use(home: Path) -> None:
    """A database that somebody holds for good delays the end of a process by seconds only."""
    run_script(ENDING, home)
    rival = sqlite3.connect(home / "runs.sqlite3", isolation_level=None)
    rival.execute("BEGIN IMMEDIATE")
    (name,) = run_script(ENDING, home)
    rival.close()
    assert name not in {run.name for run in flyte.runs()}


def test_a_run_whose_process_was_killed_is_lost(home: Path) -> None:
    """While the process lives its run is shown as running, by others too; when it was killed, as lost."""
    with left(home) as (_, name):
        (running,) = flyte.runs(state="running")
        assert (running.session, running.calls, flyte.runs(state="lost")) == (name, 3, [])
    (lost,) = flyte.runs(state="lost")
    assert flyte.runs(state="running") == []
    assert (lost.name, lost.state, lost.duration) == (running.name, RunState.LOST, None)
    assert [(node.task, node.state.value) for node in lost.tree] == [
        ("env.outer", "lost"),
        ("env.leaf", "succeeded"),
        ("env.waits", "lost"),
    ]
    assert lost.logs[-1].text == "waiting"


@pytest.fixture
def killed(home: Path) -> Callable[..., None]:
    """A killed process has left a run that it did not finish; sets what is known of it."""
    with left(home):
        pass
    return lambda **known: change_session(home, **known)


def change_session(home: Path, **known: Any) -> None:
    with sqlite3.connect(home / "runs.sqlite3") as connection:
        for name, value in known.items():
            connection.execute(f"UPDATE session SET {name} = ?", (value,))  # noqa: S608
    connection.close()


DAY = 24 * 3_600


@pytest.mark.parametrize(
    ("machine", "pid", "began", "seconds", "state", "kept"),
    [
        ("elsewhere.example", 1, "5", 5, "running", True),
        ("elsewhere.example", 1, "5", 100, "lost", True),
        ("elsewhere.example", 1, "5", 2 * DAY, "lost", True),
        ("elsewhere.example", 1, "5", 30 * DAY, "lost", False),
        ("", None, "", 5, "running", True),  # it is not known when it began, as where nothing tells it
        ("", None, "", 100, "lost", True),
        ("", None, "", 30 * DAY, "lost", False),
        ("", 2**22 + 5, "5", 0, "lost", False),  # no process has such a number
    ],
)
def test_signs_of_life(
    killed: Callable[..., None], machine: str, pid: int | None, began: str, seconds: float, state: str, kept: bool
) -> None:
    """A session elsewhere lives as long as it gives signs, and its runs are forgotten after days without."""
    killed(pid=pid or os.getpid(), began=began, sign=time.time() - seconds, **({"machine": machine} if machine else {}))
    (run,) = flyte.runs()
    assert run.state.value == state
    assert flyte.runs(state=state) == [run]
    assert (run.name in keep_one()) == kept


def keep_one() -> set[str]:
    """Run a task with so many kept, and return the names of the runs there are."""
    env = flyte.TaskEnvironment("env")

    @env.task
    async def t() -> None: ...

    before, session().settings.keep_runs = session().settings.keep_runs, 1
    try:
        for _ in range(3):
            asyncio.run(flyte.run(t))
        return {run.name for run in flyte.runs()}
    finally:
        session().settings.keep_runs = before


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is not told when a process began")
@pytest.mark.parametrize("seconds", [0, 30 * DAY])
def test_a_number_that_another_process_has_by_now(killed: Callable[..., None], seconds: float) -> None:
    """A process that has the number of the one that is gone, and began at another time, does not hide that."""
    killed(pid=os.getpid(), sign=time.time() - seconds)
    (run,) = flyte.runs()
    assert run.state is RunState.LOST
    assert run.name not in keep_one()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is not told when a process began")
def test_a_process_that_is_stopped_keeps_its_run(home: Path) -> None:
    """What gives no sign for days, as on a machine that sleeps, and lives is running: nobody prunes what it wrote."""
    with left(home) as (process, _):
        os.kill(process.pid, signal.SIGSTOP)
        change_session(home, sign=time.time() - 30 * DAY)
        (before,) = flyte.runs(state="running")
        assert before.name in keep_one()
        (after,) = flyte.runs(state="running")
        assert (after.tree, after.logs) == (before.tree, before.logs)
        assert len(after.tree) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is not told when a process began")
def test_a_process_that_nobody_has_waited_for_has_ended(home: Path) -> None:
    """A process that was killed is gone, though its parent still holds its number."""
    with left(home) as (process, _):
        assert process.stdout is not None
        process.kill()
        process.stdout.read()  # its files are closed when it has ended
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        (run,) = flyte.runs()
        assert run.state is RunState.LOST


def test_lost_runs_are_pruned(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost run has ended, too: it goes when it is among the oldest, with its session."""
    with left(home):
        pass
    env = flyte.TaskEnvironment("env")

    @env.task
    async def t() -> None: ...

    monkeypatch.setattr(session().settings, "keep_runs", 1)
    asyncio.run(flyte.run(t))
    (run,) = flyte.runs()
    assert run.task == "env.t"
    connection = sqlite3.connect(home / "runs.sqlite3")
    counts = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("session", "node")]  # noqa: S608
    connection.close()
    assert counts == [1, 1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_records_nothing(home: Path) -> None:
    """A child can run tasks and read, writes nothing, and the parent goes on as before."""
    (told,) = run_script(FORKING, home)
    assert json.loads(told) == [0, [4, 2]]
