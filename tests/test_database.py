"""A database that outlives the kernel: for its owner alone, upgraded step by step, refused if not understood."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from flyte_nb.database import Database
from flyte_nb.errors import StateError

if TYPE_CHECKING:
    from pathlib import Path

FIRST = ["CREATE TABLE fact (name TEXT PRIMARY KEY)", "CREATE TABLE other (x)"]
SECOND = ["ALTER TABLE fact ADD COLUMN value TEXT NOT NULL DEFAULT 'none'"]


def make(folder: Path, *steps: list[str]) -> Database:
    return Database(folder / "facts.sqlite3", steps or [FIRST], busy_seconds=5)


def add(database: Database, name: str) -> None:
    with database.connected() as connection:
        connection.execute("INSERT INTO fact (name) VALUES (?)", (name,))


def rows(database: Database) -> list[tuple[str, ...]]:
    with database.connected() as connection:
        return connection.execute("SELECT * FROM fact ORDER BY name").fetchall()


def test_the_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The folder is created with mode 0700 and the file with 0600, whatever the umask allows."""
    before = os.umask(0)
    try:
        add(make(tmp_path / "deep" / "home"), "one")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "deep" / "home").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "deep" / "home" / "facts.sqlite3").stat().st_mode) == 0o600


def test_the_first_use_waits_for_a_rival(tmp_path: Path) -> None:
    """Another process that has the new database in use delays the first use and does not make it fail."""
    rival = sqlite3.connect(tmp_path / "facts.sqlite3", isolation_level=None, check_same_thread=False)
    rival.execute("CREATE TABLE mine (x)")
    rival.execute("BEGIN IMMEDIATE")
    released = threading.Timer(0.1, lambda: rival.execute("COMMIT"))
    released.start()
    add(make(tmp_path), "one")
    released.join()
    rival.close()
    assert rows(make(tmp_path)) == [("one",)]


def test_a_schema_is_brought_up_to_date_step_by_step(tmp_path: Path) -> None:
    """A database of an earlier version keeps what it holds; a new one ends as one that was brought up to date."""
    add(make(tmp_path, FIRST), "one")
    assert rows(make(tmp_path, FIRST, SECOND)) == [("one", "none")]
    add(make(tmp_path / "new", FIRST, SECOND), "one")
    assert rows(make(tmp_path / "new", FIRST, SECOND)) == [("one", "none")]


def test_a_step_that_fails_changes_nothing(tmp_path: Path) -> None:
    """All steps that are due are taken together, or none: the version before still reads the database."""
    add(make(tmp_path, FIRST), "one")
    with pytest.raises(StateError):
        rows(make(tmp_path, FIRST, SECOND, ["CREATE TABLE other (x)"]))
    assert rows(make(tmp_path, FIRST)) == [("one",)]


def test_a_transaction_counts_as_a_whole(tmp_path: Path) -> None:
    """What was written before a statement that fails is not there, and the connection is not in anybody's way."""
    database = make(tmp_path)
    with pytest.raises(StateError), database.transaction() as connection:  # noqa: PT012
        connection.execute("INSERT INTO fact VALUES ('one')")
        connection.execute("INSERT INTO fact VALUES ('one')")
    assert rows(database) == []
    with database.transaction() as connection:
        connection.execute("INSERT INTO fact VALUES ('two')")
    assert rows(database) == [("two",)]


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A database of a later version is neither read nor written nor changed, and the error says why."""
    path = tmp_path / "facts.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StateError, match=r"newer flyte_nb \(schema 99, known 1\)") as caught:
        rows(make(tmp_path))
    assert caught.value.path == str(path)
    assert "FlyteNB.home" in str(caught.value)
    with pytest.raises(StateError, match="newer"):
        add(make(tmp_path), "one")
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_one_clear_error(tmp_path: Path) -> None:
    """Whatever lies in the place of the database is not touched, and the error names the file."""
    path = tmp_path / "facts.sqlite3"
    path.write_text("this is a note, not a database\n" * 100)
    with pytest.raises(StateError, match="not a database") as caught:
        add(make(tmp_path), "one")
    assert str(path) in str(caught.value)
    assert path.read_text().startswith("this is a note")


def test_a_home_that_is_a_file_is_one_clear_error(tmp_path: Path) -> None:
    """Where the folder cannot be created, the error names the database."""
    (tmp_path / "home").write_text("")
    with pytest.raises(StateError, match=r"facts\.sqlite3"):
        add(make(tmp_path / "home"), "one")


def test_a_database_of_another_program_is_one_clear_error(tmp_path: Path) -> None:
    """A table of the same name that somebody else created is not written to."""
    connection = sqlite3.connect(tmp_path / "facts.sqlite3")
    connection.execute("CREATE TABLE fact (whatever TEXT)")
    connection.close()
    with pytest.raises(StateError, match="already exists"):
        add(make(tmp_path), "one")
