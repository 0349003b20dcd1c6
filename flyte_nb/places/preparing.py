"""What has to be there before a worker of a version can begin: its Python, its code, and its environment variables."""

from __future__ import annotations

import asyncio
import os
import site
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flyte_nb.machine.claims import Claim, claim_of, memory_limit
from flyte_nb.model.resources import Resources
from flyte_nb.places.code import unpacked
from flyte_nb.places.variables import variables
from flyte_nb.venvs.specification import venv_spec_of_json
from flyte_nb.workers.starting import Beginning
from flyte_nb.workers.worker import WorkerSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from flyte_nb.machine.detect import Gpu, Machine
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.places.versions import DeployedVersion
    from flyte_nb.venvs.locking import Lease
    from flyte_nb.venvs.specification import VenvSpec
    from flyte_nb.venvs.venvs import Venvs

__all__ = ["Preparing", "Ready", "SessionSecrets"]

_NO_CLAIM, _ONE_PROCESS = Claim(), Claim(processes=1)


@dataclass(frozen=True, slots=True)
class SessionSecrets:
    """What a session knows of secrets, which are not stored.

    Attributes:
        definitions: The definitions of environments of which the very version that is deployed is made.
        withheld: The variables of secrets that environments declare.
    """

    definitions: Mapping[str, EnvironmentSpec] = field(repr=False)
    withheld: Collection[str]


@dataclass(frozen=True, slots=True)
class Ready:
    """A version that can be run.

    Attributes:
        claim: What each of its tasks claims; nothing if it declares nothing.
        memory_limit: How many bytes each of its tasks may use, or None for as many as there are.
        is_alone: Whether each of its tasks needs a process of its own, async or not.
    """

    claim: Claim
    memory_limit: int | None
    is_alone: bool
    _worker: WorkerSpec = field(repr=False)
    _hides_gpus: bool = False

    @property
    def claims(self) -> bool:
        """Whether its tasks claim anything."""
        return self.claim != _NO_CLAIM

    def claim_of(self, *, alone: bool) -> Claim:
        """Return what a task claims that has a process of its own, or has not."""
        return _ONE_PROCESS if alone and not self.claims else self.claim

    def worker(self, gpus: Collection[Gpu]) -> WorkerSpec:
        """Return what a worker of it is to be that may use these GPUs, and no others."""
        if not gpus and not self._hides_gpus:
            return self._worker
        visible = ",".join(gpu.index for gpu in gpus)
        # In the order of the bus, as they were found: CUDA has another by default.
        chosen = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": visible}
        given = {**dict(self._worker.variables), **chosen}
        return replace(self._worker, variables=tuple(sorted(given.items())))


class Preparing:
    """Prepares versions on the loop of the pool, each as often as its variables are different.

    Attributes:
        code: Where the code of all versions is kept.

    Args:
        home: The folder for what outlives the kernel.
        venvs: The virtual environments.
        machine: What there is to claim.
    """

    def __init__(self, home: Path, venvs: Venvs, machine: Machine) -> None:
        self.code = home / "code"
        self._venvs, self._machine = venvs, machine
        self._leases: dict[str, Lease] = {}
        self._made: dict[DeployedVersion, tuple[SessionSecrets, dict[str, str], Ready]] = {}

    def made(self, version: DeployedVersion, secrets: SessionSecrets) -> Ready | None:
        """Return what `ready` would, if it was made before and nothing is different now. From any thread."""
        made = self._made.get(version)
        return made[2] if made and made[0] == secrets and made[1] == os.environ else None

    def forget(self, version: DeployedVersion) -> None:
        """Prepare a version anew when it is needed next."""
        self._made.pop(version, None)

    async def ready(
        self,
        version: DeployedVersion,
        secrets: SessionSecrets,
        say: Callable[[str], None],
    ) -> Ready:
        """Return a version that can be run; its virtual environment is built if it has gone.

        Args:
            version: The version.
            secrets: What the session knows of secrets.
            say: Takes lines for people to read while something is built.

        Raises:
            VenvError: The virtual environment cannot be built.
            MissingSecretError: A secret is not known here.
            StateError: The code cannot be written.
        """
        own = dict(os.environ)
        given = variables(version, secrets.definitions.get(version.environment), own, secrets.withheld)
        venv = venv_spec_of_json(version.specification["image"])
        python, sites = await self._python(venv, say) if venv else _own_python()
        if venv:  # as where it is activated: programs of its packages come first
            given["PATH"] = os.pathsep.join(filter(None, [str(python.parent), given.get("PATH")]))
            given["VIRTUAL_ENV"] = str(python.parent.parent)
        folder = await asyncio.to_thread(unpacked, version, self.code)
        beginning = Beginning(version.environment, str(folder), version.module_name, version.modules, sites)
        said: Any = version.specification["resources"]
        resources = Resources(**said) if said else None
        claim, _ = claim_of(resources, self._machine)
        limit = memory_limit(resources, self._machine)
        worker = WorkerSpec(python, beginning, version.fingerprint, tuple(sorted(given.items())))
        is_alone = limit is not None or claim.gpus > 0
        ready = Ready(claim, limit, is_alone, worker, bool(self._machine.gpus))
        self._made[version] = secrets, own, ready
        return ready

    async def _python(self, venv: VenvSpec, say: Callable[[str], None]) -> tuple[Path, tuple[str, ...]]:
        if venv.key not in self._leases:
            self._leases[venv.key] = await asyncio.to_thread(self._venvs.use, venv)
        return await self._venvs.ensure(venv, say), ()

    def close(self) -> None:
        """Let virtual environments be collected."""
        self._made.clear()
        while self._leases:
            self._leases.popitem()[1].release()


def _own_python() -> tuple[Path, tuple[str, ...]]:
    """Return the kernel's Python, with the folder of packages that are the user's own, if that counts there."""
    sites = (site.getusersitepackages(),) if site.ENABLE_USER_SITE else ()
    return Path(sys.executable), sites
