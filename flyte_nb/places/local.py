"""Running tasks from what is deployed on this machine: each environment in workers with a Python of its own."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from flyte_nb.places.local_run import LocalRun

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flyte_nb.crossing.definitions import Definitions
    from flyte_nb.execution.runner import Runner
    from flyte_nb.machine.admission import Admission
    from flyte_nb.places.preparing import Preparing, SessionSecrets
    from flyte_nb.places.versions import DeployedVersion, Versions
    from flyte_nb.workers.pool import Pool

__all__ = ["TARGET", "LocalPlace"]

TARGET = "local"
"""The name of the target of which this is the place."""


class LocalPlace:
    """Where what is deployed to the target `local` runs.

    Args:
        runner: Notes every call.
        versions: What is deployed, and was.
        pool: The workers.
        admission: Who runs now; used on the loop of the pool.
        preparing: Brings a version to where a worker can begin with it.
        names: What the user's names mean in this process.
        secrets: Gives what the session knows of secrets, if this is deployed: fingerprints by environment.
    """

    target = TARGET

    def __init__(
        self,
        runner: Runner,
        versions: Versions,
        pool: Pool,
        admission: Admission,
        preparing: Preparing,
        names: Definitions,
        secrets: Callable[[Mapping[str, str]], SessionSecrets],
    ) -> None:
        self.runner, self.pool, self.admission = runner, pool, admission
        self.preparing, self.names = preparing, names
        self._versions, self._secrets = versions, secrets
        self._numbers = count(1)
        self._known: dict[tuple[str, str], DeployedVersion] = {}

    def begin(self, version: DeployedVersion | None) -> LocalRun:
        """Return a run of what is deployed now, but for one environment of which it is `version`, if one is given."""
        current = self._versions.current(TARGET)
        pinned = {} if version is None else {version.environment: version}
        return LocalRun(self, next(self._numbers), current, pinned, self._secrets(current))

    def version(self, environment: str, fingerprint: str) -> DeployedVersion | None:
        """Return a version, or None if it is not kept."""
        key = environment, fingerprint
        if key not in self._known:
            found = self._versions.version(TARGET, environment, fingerprint)
            if found is None:
                return None
            self._known[key] = found
        return self._known[key]

    def close(self) -> None:
        """End every worker; what runs there fails."""
        self.pool.close()
        self.preparing.close()
