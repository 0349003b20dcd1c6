"""What is deployed, and every version that ever was, kept in the database of deployments."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple

from flyte_nb.bundle.content import Bundle
from flyte_nb.database import Connection, Database
from flyte_nb.deployment.keeping.group_commit import GroupCommit
from flyte_nb.deployment.keeping.schema import STEPS
from flyte_nb.targets.protocol import Deployed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

__all__ = ["DeploymentState", "add_versions"]

_VERSION = "INSERT OR IGNORE INTO version VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


class _Present(NamedTuple):
    """What is deployed: fingerprints by target and name, and by name the target and fingerprint of the latest."""

    by_target: Mapping[str, Mapping[str, str]]
    last: Mapping[str, tuple[str, str]]


class DeploymentState:
    """The database of deployments in the folder `home`.

    Attributes:
        home: The folder.
        path: The file.
        writes: Through which everything is written.
    """

    def __init__(self, home: Path) -> None:
        self.home, self.path = home, home / "state.sqlite3"
        self._database = Database(self.path, STEPS)
        self.writes = GroupCommit(self._database)
        self._seen: tuple[object, _Present] | None = None

    @contextmanager
    def reading(self) -> Iterator[Connection | None]:
        """Give a connection to read from, or None if nothing was ever written.

        Raises:
            StateError: The database cannot be read.
        """
        if not self.path.exists():
            yield None
            return
        with self._database.connected() as connection:
            yield connection

    def deployed(self, target: str) -> dict[str, Deployed]:
        """Return what was recorded for `target`, by name.

        Raises:
            StateError: The database cannot be read.
        """
        columns = "name, fingerprint, specification, sources, deployed_at"
        query = f"SELECT {columns} FROM environment JOIN version USING (target, name, fingerprint) WHERE target = ?"  # noqa: S608
        with self.reading() as connection:
            return {row[0]: _deployed(*row) for row in connection.execute(query, (target,))} if connection else {}

    def fingerprints(self, target: str) -> Mapping[str, str]:
        """Return the fingerprint of what is deployed to `target`, by name: one query of one table, or none.

        Raises:
            StateError: The database cannot be read.
        """
        return self._present().by_target.get(target, {})

    def last_deployed(self) -> Mapping[str, tuple[str, str]]:
        """Return where each environment was deployed last, and the fingerprint it has there, by name, likewise.

        Raises:
            StateError: The database cannot be read.
        """
        return self._present().last

    def _present(self) -> _Present:
        """Return what is deployed, read again if anything was written since."""
        stamp = self._database.stamp()  # of before: what is written meanwhile gives another
        if self._seen and stamp is not None and self._seen[0] == stamp:
            return self._seen[1]
        query = "SELECT target, name, fingerprint FROM environment ORDER BY deployed_at"
        with self.reading() as connection:
            rows = connection.execute(query).fetchall() if connection else []
        by_target: dict[str, dict[str, str]] = {}
        for target, name, fingerprint in rows:
            by_target.setdefault(target, {})[name] = fingerprint
        present = _Present(by_target, {name: (target, fingerprint) for target, name, fingerprint in rows})
        self._seen = None if stamp is None else (stamp, present)
        return present

    def kept_fingerprints(self, target: str, name: str) -> list[str]:
        """Return the fingerprints of the versions of `name` that are kept for `target`, the latest first.

        Raises:
            StateError: The database cannot be read.
        """
        query = "SELECT fingerprint FROM version WHERE target = ? AND name = ? ORDER BY rowid DESC"
        with self.reading() as connection:
            return [row[0] for row in connection.execute(query, (target, name))] if connection else []

    def record(self, target: str, bundle: Bundle) -> Future[None]:
        """Record `bundle` as deployed to `target` now, in place of an earlier version of its name, which is kept.

        The future raises StateError if the database cannot be written.
        """
        version = _version_row(target, bundle)
        row = target, bundle.name, bundle.fingerprint, datetime.now(timezone.utc).isoformat()

        def write(connection: Connection) -> None:
            connection.execute(_VERSION, version)
            connection.execute("INSERT OR REPLACE INTO environment VALUES (?, ?, ?, ?)", row)

        return self.writes.submit(write)

    def forget(self, target: str, name: str) -> Future[None]:
        """Record that `name` is no longer deployed to `target`; its versions are kept.

        The future raises StateError if the database cannot be written.
        """

        def write(connection: Connection) -> None:
            connection.execute("DELETE FROM environment WHERE target = ? AND name = ?", (target, name))

        return self.writes.submit(write)

    def unknown_versions(self, target: str, bundles: Iterable[Bundle]) -> list[tuple[str, ...]]:
        """Return rows for `add_versions` of those of `bundles` that are not kept yet.

        Raises:
            StateError: The database cannot be read.
        """
        query = "SELECT name, fingerprint FROM version WHERE target = ?"
        with self.reading() as connection:
            known = set(connection.execute(query, (target,))) if connection else set()
        return [_version_row(target, bundle) for bundle in bundles if (bundle.name, bundle.fingerprint) not in known]

    def versions(self, target: str, wanted: Iterable[tuple[str, str]]) -> dict[str, Bundle]:
        """Return the versions that are `wanted`, given as names and fingerprints, by name; those not kept are left out.

        Raises:
            StateError: The database cannot be read.
        """
        columns = "name, specification, sources, fingerprint, module, files, module_name, modules"
        query = f"SELECT {columns} FROM version WHERE target = ? AND name = ? AND fingerprint = ?"  # noqa: S608
        with self.reading() as connection:
            if connection is None:
                return {}
            rows = (connection.execute(query, (target, *key)).fetchone() for key in wanted)
            return {row[0]: _bundle(row) for row in rows if row}


def add_versions(connection: Connection, rows: Sequence[tuple[str, ...]]) -> None:
    """Keep the versions that `DeploymentState.unknown_versions` gave."""
    connection.executemany(_VERSION, rows)


def _version_row(target: str, bundle: Bundle) -> tuple[str, ...]:
    content = bundle.specification, bundle.sources, dict(bundle.files), dict(bundle.modules)
    specification, sources, files, modules = map(json.dumps, content)
    key = target, bundle.name, bundle.fingerprint
    return *key, specification, sources, bundle.module, files, bundle.module_name, modules


def _bundle(row: tuple[str, ...]) -> Bundle:
    name, specification, sources, fingerprint, module, files, module_name, modules = row
    return Bundle(
        name,
        json.loads(specification),
        json.loads(sources),
        fingerprint,
        module,
        json.loads(files),
        module_name=module_name,
        modules=json.loads(modules),
    )


def _deployed(name: str, fingerprint: str, specification: str, sources: str, deployed_at: str) -> Deployed:
    return Deployed(
        name, fingerprint, json.loads(specification), json.loads(sources), datetime.fromisoformat(deployed_at)
    )
