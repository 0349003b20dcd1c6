"""The recorder: what it tells is durable, in order, without credentials; what it cannot keep stops the work."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from flyte_nb.deployment.applying.status import EnvironmentStatus, State
from flyte_nb.deployment.keeping import recorder as recorder_module
from flyte_nb.deployment.keeping.recorder import Recorder
from flyte_nb.deployment.keeping.rows import insert_deployment, insert_environments
from flyte_nb.deployment.keeping.state import DeploymentState
from flyte_nb.errors import StateError

from .places import MemoryTarget, Noting, making

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("base", "ml", "api")


@pytest.fixture
def state(tmp_path: Path) -> DeploymentState:
    """A database with a deployment of a chain of three."""
    state = DeploymentState(tmp_path)
    plan, bundles = making(MemoryTarget())()

    def write(connection: sqlite3.Connection) -> int:
        texts = {"target": "memory", "kind": "deploy", "origin": "", "holder": "h", "plan": "", "policy": ""}
        number = insert_deployment(connection, **texts)
        insert_environments(connection, number, plan, bundles)
        return number

    assert state.writes.submit(write).result(10) == 1
    return state


def stored(state: DeploymentState, columns: str, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(state.path)) as connection:
        return connection.execute(f"SELECT {columns} FROM {table}").fetchall()  # noqa: S608


def test_what_is_told_is_durable(state: DeploymentState) -> None:
    """When a watcher hears of a status or a line, another connection can read it."""

    class Checking(Noting):
        def changed(self, status: EnvironmentStatus) -> None:
            super().changed(status)
            assert (status.name, status.state.value) in stored(state, "name, state", "deployment_environment")

        def said(self, environment: str, line: str) -> None:
            super().said(environment, line)
            assert (environment, line) in stored(state, "environment, text", "deployment_log")

    async def scenario() -> Checking:
        watcher = Checking()
        recorder = Recorder(1, state.writes, watcher)
        assert recorder.name == "d1"
        for name in NAMES:
            recorder.log(name, f"deploying {name}")
            recorder.note(EnvironmentStatus(name, State.RUNNING, datetime.now(timezone.utc), attempt=1))
        await recorder.settle()
        return watcher

    watcher = asyncio.run(scenario())
    assert watcher.states == [(name, "running") for name in NAMES]
    assert watcher.lines == [(name, f"deploying {name}") for name in NAMES]


def test_every_event_is_told_in_order(state: DeploymentState) -> None:
    """Thousands of statuses and lines, some from other threads, are told in the order in which they were taken."""

    async def scenario() -> Noting:
        watcher = Noting()
        recorder = Recorder(1, state.writes, watcher)

        def talk(name: str) -> None:
            for number in range(500):
                recorder.log(name, str(number))

        threads = [threading.Thread(target=talk, args=(name,)) for name in NAMES]
        for thread in threads:
            thread.start()
        for number in range(500):
            states = (State.RUNNING, State.RETRYING)
            recorder.note(EnvironmentStatus("base", states[number % 2]))
            await asyncio.sleep(0)
        for thread in threads:
            thread.join()
        await recorder.settle()
        return watcher

    watcher = asyncio.run(scenario())
    assert watcher.states == [("base", "running"), ("base", "retrying")] * 250
    for name in NAMES:
        assert [line for environment, line in watcher.lines if environment == name] == [str(n) for n in range(500)]
    assert stored(state, "environment, text", "deployment_log ORDER BY number") == watcher.lines


def test_credentials_are_neither_told_nor_kept(state: DeploymentState) -> None:
    """Lines and errors are masked before they go anywhere."""

    async def scenario() -> Noting:
        watcher = Noting()
        recorder = Recorder(1, state.writes, watcher)
        recorder.log("base", "using password=hunter2 \ud800")
        recorder.note(EnvironmentStatus("base", State.FAILED, error="https://u:hunter2@host \ud800"))
        await recorder.settle()
        return watcher

    watcher = asyncio.run(scenario())
    assert "hunter2" not in repr(watcher.lines) + repr(stored(state, "text", "deployment_log"))
    ((error,),) = stored(state, "error", "deployment_environment WHERE name = 'base'")
    assert error == "https://***@host \\ud800"


def test_what_cannot_be_kept_is_not_told_and_stops_the_work(state: DeploymentState) -> None:
    """After the database has failed, nothing more is told, the work is stopped once, and `settle` raises."""

    async def scenario() -> tuple[Noting, list[str]]:
        watcher, stopped = Noting(), list[str]()
        recorder = Recorder(1, state.writes, watcher, lambda: stopped.append("stopped"))
        recorder.note(EnvironmentStatus("base", State.RUNNING))
        await recorder.settle()
        state.writes.submit(lambda connection: connection.execute("DROP TABLE deployment_environment")).result(10)
        for name in NAMES:
            recorder.note(EnvironmentStatus(name, State.SUCCEEDED))
        with pytest.raises(StateError, match="no such table"):
            await recorder.settle()
        recorder.log("base", "more")
        with pytest.raises(StateError, match="no such table"):
            await recorder.settle()
        return watcher, stopped

    watcher, stopped = asyncio.run(scenario())
    assert watcher.states == [("base", "running")]
    assert watcher.lines == []
    assert stopped == ["stopped"]


def test_a_log_without_end_is_cut(state: DeploymentState, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each environment so many lines are kept, the last of which says so; of a line, so many characters."""
    monkeypatch.setattr(recorder_module, "_MOST_LINES", 3)
    monkeypatch.setattr(recorder_module, "_LONGEST_LINE", 5)

    async def scenario() -> None:
        recorder = Recorder(1, state.writes, Noting())
        for number in range(10):
            recorder.log("base", f"{number} and so on")
        recorder.log("ml", "one")
        await recorder.settle()

    asyncio.run(scenario())
    assert stored(state, "environment, text", "deployment_log") == [
        ("base", "0 and"),
        ("base", "1 and"),
        ("base", "further lines are not kept"),
        ("ml", "one"),
    ]


def test_a_loop_that_is_closed_hears_nothing(state: DeploymentState) -> None:
    """What was taken just before the end of the loop is written all the same."""

    async def scenario() -> Recorder:
        recorder = Recorder(1, state.writes, Noting())
        recorder.note(EnvironmentStatus("base", State.SUCCEEDED))
        return recorder

    asyncio.run(scenario())
    state.writes.submit(lambda connection: None).result(10)
    assert ("base", "succeeded") in stored(state, "name, state", "deployment_environment")


def test_where_no_thread_can_be_begun_it_is_written_all_the_same(
    state: DeploymentState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that has no threads left writes where it is, and does not wait for itself."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    watcher = Noting()

    async def scenario() -> None:
        recorder = Recorder(1, state.writes, watcher)
        with monkeypatch.context() as without_threads:
            without_threads.setattr(threading.Thread, "start", refuse)
            recorder.note(EnvironmentStatus("base", State.RUNNING))
            recorder.log("base", "deploying")
            await recorder.settle()

    asyncio.run(scenario())
    assert watcher.states == [("base", "running")]
    assert ("base", "running") in stored(state, "name, state", "deployment_environment")
