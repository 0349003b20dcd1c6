"""What is deployed, kept in SQLite: the one module that touches the database.

Every write is one transaction in write-ahead mode: after a kill -9 the database opens and holds exactly what was
reported as done. The schema has a version; a database of a newer version is refused, not misread.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from time import monotonic, sleep
from typing import TYPE_CHECKING

from flyte_nb.errors import StateError
from flyte_nb.targets.protocol import Deployed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flyte_nb.bundle import Bundle

__all__ = ["DeploymentState"]

_VERSION = 1
_SCHEMA = """
CREATE TABLE environment (
    target TEXT NOT NULL,
    name TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    specification TEXT NOT NULL,
    sources TEXT NOT NULL,
    deployed_at TEXT NOT NULL,
    PRIMARY KEY (target, name)
) WITHOUT ROWID
"""
_BUSY_SECONDS = 30.0


class DeploymentState:
    """The database in the folder `home`, which is created, for its owner alone, at the first write."""

    def __init__(self, home: Path) -> None:
        self.path = home / "state.sqlite3"

    def deployed(self, target: str) -> dict[str, Deployed]:
        """Return what was recorded for `target`, by name.

        Raises:
            StateError: The database cannot be read.
        """
        if not self.path.exists():
            return {}
        columns = "name, fingerprint, specification, sources, deployed_at"
        with self._connected() as connection:
            rows = connection.execute(f"SELECT {columns} FROM environment WHERE target = ?", (target,))  # noqa: S608
            return {row[0]: _deployed(*row) for row in rows}

    def record(self, target: str, bundle: Bundle) -> None:
        """Record `bundle` as deployed to `target` now, replacing an earlier record of its name.

        Raises:
            StateError: The database cannot be written.
        """
        row = (
            target,
            bundle.name,
            bundle.fingerprint,
            json.dumps(bundle.specification),
            json.dumps(bundle.sources),
            datetime.now(timezone.utc).isoformat(),
        )
        with self._connected() as connection:
            connection.execute("INSERT OR REPLACE INTO environment VALUES (?, ?, ?, ?, ?, ?)", row)

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """Give a connection whose statements commit by themselves, to a database of the current version."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.touch(mode=0o600)
            connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
            with closing(connection):
                self._upgrade(connection)
                yield connection
        except (sqlite3.Error, OSError, ValueError) as error:  # ValueError: what is stored is not what was written
            raise StateError(str(self.path), str(error)) from error

    def _upgrade(self, connection: sqlite3.Connection) -> None:
        if self._known_version(connection) == _VERSION:
            return
        _write_ahead(connection)
        connection.execute("BEGIN IMMEDIATE")
        if self._known_version(connection) < 1:  # otherwise another process was faster
            connection.execute(_SCHEMA)
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.execute("COMMIT")

    def _known_version(self, connection: sqlite3.Connection) -> int:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found > _VERSION:
            raise StateError(str(self.path), f"it was written by a newer flyte_nb (schema {found}, known {_VERSION})")
        return int(found)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch the database to write-ahead mode, for good."""
    give_up = monotonic() + _BUSY_SECONDS
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


def _deployed(name: str, fingerprint: str, specification: str, sources: str, deployed_at: str) -> Deployed:
    return Deployed(
        name, fingerprint, json.loads(specification), json.loads(sources), datetime.fromisoformat(deployed_at)
    )
