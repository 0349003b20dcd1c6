"""The embedded target: it records what it deploys, and an interrupt does not make it tell less than it did."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from flyte_nb.bundle.content import Bundle
from flyte_nb.deployment.keeping.state import DeploymentState
from flyte_nb.targets.local import LocalTarget
from flyte_nb.targets.protocol import Deployed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future
    from pathlib import Path

BASE = Bundle("base", {"image": "python:3.12"}, {}, "f1")


class SlowRecords:
    """Records in memory, in a thread; a record waits until it is released."""

    def __init__(self) -> None:
        self.executor = ThreadPoolExecutor(1)
        self.begun, self.release = threading.Event(), threading.Event()
        self.content: dict[str, Deployed] = {}

    def deployed(self, target: str) -> Mapping[str, Deployed]:
        assert target == "local"
        return self.content

    def record(self, target: str, bundle: Bundle) -> Future[None]:
        assert target == "local"
        return self.executor.submit(self.write, bundle)

    def forget(self, target: str, name: str) -> Future[None]:
        assert target == "local"
        return self.executor.submit(self.content.pop, name)

    def write(self, bundle: Bundle) -> None:
        self.begun.set()
        assert self.release.wait(10)
        self.content[bundle.name] = Deployed(bundle.name, bundle.fingerprint, {}, {}, datetime.now(timezone.utc))


def test_what_is_deployed_is_observed(tmp_path: Path) -> None:
    """After a deployment the target shows it, also to another kernel."""
    asyncio.run(LocalTarget(DeploymentState(tmp_path)).deploy_environment(BASE, print))
    (deployed,) = LocalTarget(DeploymentState(tmp_path)).observe().values()
    assert (deployed.name, deployed.fingerprint) == ("base", "f1")


def test_recording_does_not_block_the_loop() -> None:
    """While the disk is slow, other work of the loop goes on."""

    async def scenario(records: SlowRecords) -> None:
        deployment = asyncio.ensure_future(LocalTarget(records).deploy_environment(BASE, print))
        await asyncio.to_thread(records.begun.wait, 10)
        assert not deployment.done()
        records.release.set()
        await deployment

    asyncio.run(scenario(SlowRecords()))


def test_a_cancelled_deployment_finishes_its_write() -> None:
    """A write that has begun cannot be stopped: it is waited for, so that what is told and what is there agree."""

    async def scenario(records: SlowRecords) -> None:
        deployment = asyncio.ensure_future(LocalTarget(records).deploy_environment(BASE, print))
        await asyncio.to_thread(records.begun.wait, 10)
        for _ in range(2):
            deployment.cancel()
            await asyncio.sleep(0)
            assert not deployment.done()
        records.release.set()
        await asyncio.wait([deployment])
        assert not deployment.cancelled()

    records = SlowRecords()
    asyncio.run(scenario(records))
    assert list(records.content) == ["base"]


def test_a_failed_write_fails_the_deployment() -> None:
    """What could not be recorded is not deployed."""

    class Full(SlowRecords):
        def write(self, bundle: Bundle) -> None:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        asyncio.run(LocalTarget(Full()).deploy_environment(BASE, print))
