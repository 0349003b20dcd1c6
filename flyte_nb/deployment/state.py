"""What is deployed, kept in a database: a row for each environment of each target."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from flyte_nb.database import Database
from flyte_nb.targets.protocol import Deployed

if TYPE_CHECKING:
    from pathlib import Path

    from flyte_nb.bundle.content import Bundle

__all__ = ["DeploymentState"]

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


class DeploymentState:
    """The database of deployments in the folder `home`."""

    def __init__(self, home: Path) -> None:
        self.path = home / "state.sqlite3"
        self._database = Database(self.path, [[_SCHEMA]])

    def deployed(self, target: str) -> dict[str, Deployed]:
        """Return what was recorded for `target`, by name.

        Raises:
            StateError: The database cannot be read.
        """
        if not self.path.exists():
            return {}
        columns = "name, fingerprint, specification, sources, deployed_at"
        with self._database.connected() as connection:
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
        with self._database.connected() as connection:
            connection.execute("INSERT OR REPLACE INTO environment VALUES (?, ?, ?, ?, ?, ?)", row)

    def forget(self, target: str, name: str) -> None:
        """Record that `name` is no longer deployed to `target`.

        Raises:
            StateError: The database cannot be written.
        """
        with self._database.connected() as connection:
            connection.execute("DELETE FROM environment WHERE target = ? AND name = ?", (target, name))


def _deployed(name: str, fingerprint: str, specification: str, sources: str, deployed_at: str) -> Deployed:
    return Deployed(
        name, fingerprint, json.loads(specification), json.loads(sources), datetime.fromisoformat(deployed_at)
    )
