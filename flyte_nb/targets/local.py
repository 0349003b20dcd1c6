"""The embedded target: environments deployed on this machine, with nothing but the kernel."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from flyte_nb.machine.detect import this_machine
from flyte_nb.settings import Settings
from flyte_nb.targets.remarks import LocalRemarks
from flyte_nb.targets.writing import written

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.targets.protocol import Deployed, Log

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
    """Deploys by recording specification, task sources and fingerprint durably."""

    name = "local"

    def __init__(self, records: Records, settings: Settings | None = None) -> None:
        self._records = records
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

    async def deploy_environment(self, bundle: Bundle, log: Log) -> None:
        """Record `bundle`; when cancelled, the write is finished, so that what is reported is true."""
        with suppress(asyncio.CancelledError):
            await written(self._records.record(self.name, bundle))
        log(f"recorded version {bundle.fingerprint[:12]}")

    async def remove_environment(self, name: str, log: Log) -> None:
        """Forget that `name` is deployed; when cancelled, the write is finished."""
        with suppress(asyncio.CancelledError):
            await written(self._records.forget(self.name, name))
        log("forgotten")
