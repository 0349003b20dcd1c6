"""Databases in SQLite that outlive the kernel: the one module that knows the database engine.

Every write is one transaction in write-ahead mode: after a kill -9 the database opens and holds exactly what was
reported as done. A schema has a version; a database of a newer version is refused, not misread.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, contextmanager, suppress
from sqlite3 import Connection
from time import monotonic, sleep, time
from typing import TYPE_CHECKING

from flyte_nb.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Connection", "Database"]

# Whoever closes a file, even one that it only created, takes the locks of the whole process on it away (POSIX). So
# files are created by one thread at a time, before any is connected, and never opened but by SQLite once they exist.
_creating = threading.Lock()
# Files have times of a clock that ticks so seldom at most, even where the disk is that of another machine.
_CLOCK_SECONDS = 2.0


class Database:
    """One file, which is created with its folder, for its owner alone, when it is first used.

    Attributes:
        path: The file.

    Args:
        path: The file.
        steps: The statements that bring the schema from each version to the next: the first step makes version 1 of
            an empty database. Steps are added and never changed.
        busy_seconds: How long to wait for others who write.
        synced: Whether what is written also survives that the machine loses its power.
    """

    def __init__(
        self, path: Path, steps: Sequence[Sequence[str]], busy_seconds: float = 30.0, *, synced: bool = True
    ) -> None:
        self.path = path
        self._steps, self._busy_seconds, self._synced = steps, busy_seconds, synced

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """Give a connection whose statements commit by themselves, to a database of the current version.

        Raises:
            StateError: The database cannot be used.
        """
        try:
            self._create()
            connection = sqlite3.connect(self.path, timeout=self._busy_seconds, isolation_level=None)
            with closing(connection):
                self._upgrade(connection)
                if not self._synced:
                    connection.execute("PRAGMA synchronous = NORMAL")
                yield connection
        except (sqlite3.Error, OSError, ValueError) as error:  # ValueError: what is stored is not what was written
            raise StateError(str(self.path), str(error)) from error

    def stamp(self) -> tuple[tuple[int, int], ...] | None:
        """Return what is different after every write, or None while that cannot be told: just after one.

        It takes a hundredth of the time of opening the database.
        """
        stamp, now = [], time()
        for path in (self.path, self.path.with_name(f"{self.path.name}-wal")):
            try:
                found = path.stat()
            except OSError:
                stamp.append((0, 0))
                continue
            if now - found.st_mtime < _CLOCK_SECONDS:  # another write may have the same time
                return None
            stamp.append((found.st_mtime_ns, found.st_size))
        return tuple(stamp)

    def _create(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _creating, suppress(FileExistsError):
            self.path.touch(mode=0o600, exist_ok=False)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection whose statements count all together at the end, or not at all.

        Raises:
            StateError: The database cannot be used; nothing was written.
        """
        with self.connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def _upgrade(self, connection: Connection) -> None:
        if self._known_version(connection) == len(self._steps):
            return
        self._write_ahead(connection)
        connection.execute("BEGIN IMMEDIATE")
        version = self._known_version(connection)  # another process may have been faster
        for step in self._steps[version:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(self._steps)}")
        connection.execute("COMMIT")

    def _known_version(self, connection: Connection) -> int:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        known = len(self._steps)
        if found > known:
            raise StateError(str(self.path), f"it was written by a newer flyte_nb (schema {found}, known {known})")
        return int(found)

    def _write_ahead(self, connection: Connection) -> None:
        """Switch the database to write-ahead mode, for good."""
        give_up = monotonic() + self._busy_seconds
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                # While another process does the same, SQLite refuses at once instead of waiting.
                if "locked" not in str(error) or monotonic() > give_up:
                    raise
                sleep(0.01)
            else:
                return
