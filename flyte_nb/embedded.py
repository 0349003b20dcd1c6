"""What a session deploys to and runs on with nothing but this machine: the target and the place called `local`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from flyte_nb.errors import FlyteNbError, UnknownTaskError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flyte_nb.definitions.registry import Registry
    from flyte_nb.definitions.sources import CellSources
    from flyte_nb.deployment.keeping.state import DeploymentState
    from flyte_nb.execution.runner import Runner
    from flyte_nb.places.deployed_task import DeployedTask
    from flyte_nb.places.local import LocalPlace
    from flyte_nb.places.local_run import LocalRun
    from flyte_nb.places.opening import Bundles
    from flyte_nb.places.versions import DeployedVersion, Versions
    from flyte_nb.settings import Settings
    from flyte_nb.targets.protocol import Target
    from flyte_nb.venvs.venvs import Venvs

__all__ = ["EMBEDDED", "Embedded"]

EMBEDDED = "local"
"""The name of the target, and of the place."""

_DAY_SECONDS = 24 * 3_600
_LEAST_DAYS = 1.0


class Embedded:
    """The parts of a session that belong to this machine; each is made when it is first needed.

    They lie in the folder for what outlives the kernel; where the settings name another, they are made anew.

    Args:
        settings: What the user has chosen.
        state: Gives the database of deployments.
        registry: What the session defines.
        cells: The notebook, whose names values may bring along.
        runner: Notes every call.
        bundles: Gives what would be deployed of environments now.
    """

    def __init__(
        self,
        settings: Settings,
        state: Callable[[], DeploymentState],
        registry: Registry,
        cells: CellSources,
        runner: Runner,
        bundles: Bundles,
    ) -> None:
        self._settings, self._state = settings, state
        self._registry, self._cells, self._runner, self._bundles = registry, cells, runner, bundles
        self._venvs: Venvs | None = None
        self._place: tuple[Path, LocalPlace] | None = None

    @property
    def target(self) -> Target:
        """Where environments are deployed."""
        from flyte_nb.targets.local import LocalTarget

        return LocalTarget(self._state(), self.venvs, self._registry.spec, self._settings)

    @property
    def venvs(self) -> Venvs:
        """The virtual environments on this machine."""
        from flyte_nb.venvs.venvs import Venvs

        folder = self._settings.home_path / "venvs"
        if self._venvs is None or self._venvs.folder != folder:
            self._venvs = Venvs(folder)
        return self._venvs

    async def collect(self) -> None:
        """Remove virtual environments and code that nothing needs; where that fails, the next deployment does it."""
        from asyncio import to_thread

        with suppress(FlyteNbError, OSError):
            await to_thread(self._collect)

    def _collect(self) -> None:
        from flyte_nb.places.code import collect_code
        from flyte_nb.targets.unused_venvs import collect_unused_venvs

        days, state = self._settings.keep_venvs, self._state()
        collect_unused_venvs(self.venvs, state, EMBEDDED, days)
        # Workers of other kernels may still import modules that belong to what they run.
        unused_for = max(days, _LEAST_DAYS) * _DAY_SECONDS
        collect_code(self._settings.home_path / "code", state.fingerprints(EMBEDDED).values(), unused_for)

    @property
    def versions(self) -> Versions:
        """What is deployed, and was, in this session and in earlier ones."""
        from flyte_nb.places.versions import KeptVersions

        return KeptVersions(self._state())

    def deployed(self, name: object, version: str | None) -> DeployedTask:
        """Return a task of a version: see `flyte_nb.deployed`."""
        from flyte_nb.places.deployed_task import DeployedTask

        if not isinstance(name, str):
            raise UnknownTaskError(name, ())
        found = self.versions.find(EMBEDDED, name.partition(".")[0], version)
        if name not in found.tasks:
            raise UnknownTaskError(name, tuple(found.tasks))
        return DeployedTask(found, name)

    @property
    def place(self) -> LocalPlace:
        """Where what is deployed runs."""
        from flyte_nb.places.opening import open_local_place

        home = self._settings.home_path
        if self._place is None or self._place[0] != home:
            self.close()
            place = open_local_place(
                home, self._runner, self.versions, self.venvs, self._registry, self._cells, self._bundles
            )
            self._place = home, place
        return self._place[1]

    def begin_run(self, version: DeployedVersion | None) -> LocalRun:
        """Return a new run of what is deployed, and of one environment in the version that is given."""
        return self.place.begin(version)

    def close(self) -> None:
        """End every worker; what runs there fails. Whatever comes later begins anew."""
        if self._place:
            place, self._place = self._place[1], None
            place.close()
