"""Where the history cannot be written runs go on, one line tells of it, and it is written once it can be."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

import flyte_nb as flyte
from flyte_nb.errors import StateError
from flyte_nb.execution.history import store
from flyte_nb.execution.history.recorder import Recorder
from flyte_nb.session import session

if TYPE_CHECKING:
    from pathlib import Path

    from flyte_nb.execution.journal import Journal

# Files may not grow beyond what the first run takes, as on a disk that is full, until they may again.
FULL_DISK = """
import asyncio, resource
import flyte_nb as flyte
from flyte_nb.execution.runner import current_call
from flyte_nb.session import session

env = flyte.TaskEnvironment("env")

@env.task
async def t(size):
    current_call().write("stdout", f"{'x' * 1_000}\\n" * size)
    return size

async def main():
    await flyte.run(t, 1)
    assert session().history.flush()
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    results = [(await flyte.run(t, 900)).result for _ in range(3)]
    print(results, session().history.flush(), len(flyte.runs()))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(session().history.flush(), [len(run.logs) for run in flyte.runs()])

asyncio.run(main())
"""


async def _run() -> str:
    env = flyte.TaskEnvironment("env")

    @env.task
    async def t() -> int:
        return 5

    run = await flyte.run(t)
    assert run.result == 5
    return run.name


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_a_home_that_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Runs succeed, one line warns however many there are, and all is written when the folder is there."""
    home = session().settings.home_path
    home.write_text("a file is in the way")
    names = []
    for _ in range(3):
        names.append(asyncio.run(_run()))
        assert not session().history.flush()
    (told,) = warnings(caplog)
    assert str(home / "runs.sqlite3") in told
    assert "\n" not in told
    home.unlink()
    assert session().history.flush()
    assert [run.name for run in flyte.runs()] == names[::-1]
    home.rename(tmp_path / "moved")
    home.write_text("again")
    asyncio.run(_run())
    assert not session().history.flush()
    assert len(warnings(caplog)) == 2
    home.unlink()
    session().history.flush()


class _Refusing(logging.Filter):
    """As filters are that expect what only some loggers add."""

    def filter(self, record: logging.LogRecord) -> bool:
        return bool(record.request_id > 0)  # type: ignore[attr-defined]


def test_a_warning_that_cannot_be_logged() -> None:
    """Where the warning itself fails the history goes on, and writes all when it can."""
    home = session().settings.home_path
    home.write_text("a file is in the way")
    logger, refusing = logging.getLogger("flyte_nb"), _Refusing()
    logger.addFilter(refusing)
    try:
        names = [asyncio.run(_run())]
        assert not session().history.flush()
    finally:
        logger.removeFilter(refusing)
    home.unlink()
    names.append(asyncio.run(_run()))
    assert [run.name for run in flyte.runs()] == names[::-1]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("ask", [True, False], ids=["a flush", "the next run"])
def test_a_thread_that_has_died(monkeypatch: pytest.MonkeyPatch, ask: bool) -> None:
    """Whatever has ended the thread, the next run or flush starts another, which writes what that one had not."""

    def die(_: Recorder) -> None:
        raise SystemExit

    def alive() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == "flyte_nb history"]

    session().history.flush()
    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "write", die)
        names = [asyncio.run(_run())]
        for thread in alive():
            thread.join()
    assert alive() == []
    if not ask:
        names.append(asyncio.run(_run()))
        assert len(alive()) == 1
    assert session().history.flush()
    assert [run.name for run in flyte.runs()] == names[::-1]


def test_a_database_of_a_newer_version(caplog: pytest.LogCaptureFixture) -> None:
    """It is left alone: runs go on, one line tells why, and reading is one clear error."""
    home = session().settings.home_path
    home.mkdir()
    connection = sqlite3.connect(home / "runs.sqlite3")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = (home / "runs.sqlite3").read_bytes()
    asyncio.run(_run())
    with pytest.raises(StateError, match="newer"):
        flyte.runs()
    assert "schema 99, known 3" in warnings(caplog)[0]
    assert (home / "runs.sqlite3").read_bytes() == before
    (home / "runs.sqlite3").unlink()
    assert session().history.flush()


def test_a_database_that_is_locked(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another holds it for long, runs go on; what waited is written when it lets go."""
    monkeypatch.setattr(store, "_BUSY_SECONDS", 0.1)
    first = asyncio.run(_run())
    assert session().history.flush()
    rival = sqlite3.connect(session().settings.home_path / "runs.sqlite3", isolation_level=None)
    rival.execute("BEGIN IMMEDIATE")
    second = asyncio.run(_run())
    assert not session().history.flush()
    assert [run.name for run in flyte.runs()] == [first]  # reading is in nobody's way
    assert "locked" in warnings(caplog)[0]
    rival.execute("ROLLBACK")
    rival.close()
    assert [run.name for run in flyte.runs()] == [second, first]


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of runs that could not be written for long, no more wait than would be kept."""
    monkeypatch.setattr(session().settings, "keep_runs", 5)
    home = session().settings.home_path
    home.write_text("a file is in the way")
    recorder = Recorder(session().runner, session().settings)
    names = []
    for _ in range(20):
        journals: list[Journal] = []
        end = session().runner.watch(journals.append)
        names.append(asyncio.run(_run()))
        end()
        recorder.take(journals, all_of_it=False)
        with pytest.raises(StateError):
            recorder.write()
        assert len(recorder._new) <= 5
    session().history.flush()
    home.unlink()
    assert [run.name for run in flyte.runs()] == names[-5:][::-1]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits for files")
def test_a_full_disk(tmp_path: Path) -> None:
    """On a full disk runs go on, what was written stands, and the rest follows when there is room."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK],
        env={**os.environ, "FLYTE_NB_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["[900, 900, 900] False 1", "True [900, 900, 900, 1]"]
    (told,) = done.stderr.splitlines()
    assert "not recorded for now" in told
