"""Group commits: few transactions for many writes, in order, and never told as done before they are."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from flyte_nb.database import Connection, Database
from flyte_nb.deployment.keeping.group_commit import GroupCommit
from flyte_nb.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STEPS = [["CREATE TABLE fact (number INTEGER PRIMARY KEY, thread INTEGER)"]]

LEAVING = """
import sys
from pathlib import Path
from flyte_nb.database import Database
from flyte_nb.deployment.keeping.group_commit import GroupCommit

writes = GroupCommit(Database(Path(sys.argv[1]), [["CREATE TABLE fact (number INTEGER PRIMARY KEY, thread INTEGER)"]]))
for number in range(100):
    writes.submit(lambda connection, number=number: connection.execute("INSERT INTO fact VALUES (?, 0)", (number,)))
"""


class Traced(Database):
    """A database that counts its transactions."""

    commits = 0

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        with super().connected() as connection:
            connection.set_trace_callback(self._note)
            yield connection

    def _note(self, statement: str) -> None:
        self.commits += statement == "COMMIT"


@pytest.fixture
def database(tmp_path: Path) -> Traced:
    return Traced(tmp_path / "facts.sqlite3", STEPS)


def insert(number: int, thread: int = 0) -> Callable[[Connection], int]:
    def write(connection: Connection) -> int:
        connection.execute("INSERT INTO fact VALUES (?, ?)", (number, thread))
        return number

    return write


def facts(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [number for (number,) in connection.execute("SELECT number FROM fact ORDER BY rowid")]


def test_what_is_done_is_there(database: Traced) -> None:
    """When its future has a result, another connection sees the write."""
    writes = GroupCommit(database)
    for number in range(20):
        assert writes.submit(insert(number)).result(10) == number
        assert facts(database.path) == list(range(number + 1))


def test_what_comes_up_meanwhile_is_one_transaction(database: Traced) -> None:
    """While one transaction has to wait, a thousand more writes come up: they take one."""
    writes = GroupCommit(database)
    writes.submit(insert(0)).result(10)
    before = database.commits
    with closing(sqlite3.connect(database.path, isolation_level=None)) as rival:
        rival.execute("BEGIN IMMEDIATE")
        futures = [writes.submit(insert(number)) for number in range(1, 1_001)]
        assert not any(future.done() for future in futures)
        rival.execute("COMMIT")
    assert [future.result(20) for future in futures] == list(range(1, 1_001))
    assert database.commits - before <= 2
    assert facts(database.path) == list(range(1_001))


def test_many_threads_lose_nothing(database: Traced) -> None:
    """Writes of several threads are all there, those of each in its order."""
    writes = GroupCommit(database)
    seen: list[int] = []

    def work(thread: int) -> None:
        futures = [writes.submit(insert(thread * 1_000 + number, thread)) for number in range(200)]
        seen.extend(future.result(20) for future in futures)

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == facts(database.path)
    assert len(seen) == 1_200


def test_a_write_that_fails_is_told_and_leaves_nothing(database: Traced) -> None:
    """Who wrote in a transaction that failed is told so, nothing of it is there, and later writes work."""
    writes = GroupCommit(database)
    writes.submit(insert(1)).result(10)
    with pytest.raises(StateError, match="UNIQUE"):
        writes.submit(lambda connection: (insert(2)(connection), insert(1)(connection))).result(10)
    assert facts(database.path) == [1]
    assert writes.submit(insert(3)).result(10) == 3


def test_a_database_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """Without a database every write fails with one clear error."""
    (tmp_path / "facts.sqlite3").write_text("not a database" * 100)
    futures = [GroupCommit(Database(tmp_path / "facts.sqlite3", STEPS)).submit(insert(n)) for n in range(3)]
    for future in futures:
        with pytest.raises(StateError, match="not a database"):
            future.result(10)


def test_nobody_can_cancel_a_write(database: Traced) -> None:
    """What was submitted happens."""
    future = GroupCommit(database).submit(insert(1))
    assert not future.cancel()
    assert future.result(10) == 1


def test_at_rest_there_is_no_thread(database: Traced) -> None:
    """The thread ends when there is nothing to write, and another begins when there is again."""
    writes = GroupCommit(database)
    for number in range(5):
        writes.submit(insert(number)).result(10)
        for thread in threading.enumerate():
            if thread.name == "flyte_nb deployments":
                thread.join(10)
                assert not thread.is_alive()
    assert facts(database.path) == list(range(5))


def test_a_process_that_ends_writes_first(tmp_path: Path) -> None:
    """What was submitted is written although the script is at its end."""
    subprocess.run([sys.executable, "-c", LEAVING, tmp_path / "facts.sqlite3"], check=True)
    assert facts(tmp_path / "facts.sqlite3") == list(range(100))


class Gated(Database):
    """A database that lets nobody in until its gate is open."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, STEPS)
        self.asked, self.gate = threading.Event(), threading.Event()

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        self.asked.set()
        self.gate.wait(20)
        with super().connected() as connection:
            yield connection


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_writes_for_itself(tmp_path: Path) -> None:
    """It has not the thread of its parent: it begins its own, and leaves what waits to the other."""
    database = Gated(tmp_path / "facts.sqlite3")
    writes = GroupCommit(database)
    written = writes.submit(insert(1))
    assert database.asked.wait(20)
    waiting = writes.submit(insert(2))
    child = os.fork()
    if not child:
        with suppress(BaseException):
            database.gate.set()
            writes.submit(insert(3)).result(20)
            os._exit(0)
        os._exit(1)
    database.gate.set()
    assert (written.result(20), waiting.result(20)) == (1, 2)
    assert os.waitpid(child, 0)[1] == 0
    with closing(sqlite3.connect(database.path)) as connection:
        assert connection.execute("SELECT number FROM fact ORDER BY number").fetchall() == [(1,), (2,), (3,)]
