"""The embedded target: environments deployed on this machine, each with the Python and the packages of its image."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from flyte_nb.machine.detect import this_machine
from flyte_nb.settings import Settings
from flyte_nb.targets.remarks import LocalRemarks
from flyte_nb.targets.writing import written
from flyte_nb.venvs.specification import venv_spec, venv_spec_of_json

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from concurrent.futures import Future

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.errors import FlyteNbError
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.targets.protocol import Deployed, Log
    from flyte_nb.venvs.specification import VenvSpec
    from flyte_nb.venvs.venvs import Venvs

__all__ = ["LocalTarget", "Records"]


class Records(Protocol):
    """Where the target keeps what is deployed; it outlives the kernel. What a future stands for happens."""

    def deployed(self, target: str) -> Mapping[str, Deployed]:
        """Return what was recorded for `target`, by name."""

    def record(self, target: str, bundle: Bundle) -> Future[None]:
        """Record `bundle` as deployed to `target` now, replacing an earlier record of its name."""

    def forget(self, target: str, name: str) -> Future[None]:
        """Record that `name` is no longer deployed to `target`."""


class LocalTarget:
    """Deploys by building a virtual environment, if the image needs one, and recording what is deployed durably.

    Args:
        records: Where that is recorded.
        venvs: The virtual environments of this machine.
        definition: Gives the session's definition of an environment, or None: credentials are only there.
        settings: What the user has chosen.
    """

    name = "local"

    def __init__(
        self,
        records: Records,
        venvs: Venvs,
        definition: Callable[[str], EnvironmentSpec | None] = lambda name: None,
        settings: Settings | None = None,
    ) -> None:
        self._records, self._venvs, self._definition = records, venvs, definition
        self._remarks = LocalRemarks(settings or Settings(), this_machine)

    def observe(self) -> Mapping[str, Deployed]:
        """Return what is deployed on this machine, by name."""
        return self._records.deployed(self.name)

    def remarks(self, spec: EnvironmentSpec) -> tuple[str, ...]:
        """Return what of `spec` is not used on this machine, or not in full.

        Raises:
            OversizeError: It asks for more than there is, and the settings refuse that.
        """
        return self._remarks.of(spec)

    def refusals(self, bundles: Collection[Bundle]) -> Mapping[str, FlyteNbError]:
        """Refuse nothing: what cannot be built is only known when it has been tried."""
        return {}

    async def deploy_environment(self, bundle: Bundle, log: Log) -> None:
        """Build what `bundle` runs in, and record it; when cancelled, a write that has begun is finished.

        Raises:
            VenvError: The virtual environment cannot be built; nothing is recorded.
        """
        image = bundle.specification.get("image")
        if isinstance(image, dict) and (spec := await asyncio.to_thread(self._venv_spec, bundle.name, image)):
            await self._venvs.ensure(spec, log)
            log(f"runs in the virtual environment with {spec}")
        with suppress(asyncio.CancelledError):
            await written(self._records.record(self.name, bundle))
        log(f"recorded version {bundle.fingerprint[:12]}")

    async def remove_environment(self, name: str, log: Log) -> None:
        """Forget that `name` is deployed; when cancelled, the write is finished."""
        with suppress(asyncio.CancelledError):
            await written(self._records.forget(self.name, name))
        log("forgotten")

    def _venv_spec(self, name: str, image: dict[str, Any]) -> VenvSpec | None:
        """Return what the virtual environment for `image` holds, with credentials if the session has them."""
        wanted, definition = venv_spec_of_json(image), self._definition(name)
        defined = venv_spec(definition.image) if definition else None
        return defined if wanted and defined and defined.key == wanted.key else wanted
