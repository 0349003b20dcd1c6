"""The embedded target: it records what it deploys, and an interrupt does not make it tell less than it did."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import flyte_nb as flyte
from flyte_nb.bundle.content import Bundle
from flyte_nb.deployment.keeping.state import DeploymentState
from flyte_nb.model.spec import EnvironmentSpec
from flyte_nb.session import session
from flyte_nb.settings import Settings
from flyte_nb.targets.local import LocalTarget
from flyte_nb.targets.protocol import Deployed
from flyte_nb.targets.unused_venvs import collect_unused_venvs
from flyte_nb.venvs.specification import VenvSpec, venv_spec
from flyte_nb.venvs.venvs import Venvs
from tests.venvs.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

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
    asyncio.run(LocalTarget(DeploymentState(tmp_path), Venvs(tmp_path)).deploy_environment(BASE, print))
    (deployed,) = LocalTarget(DeploymentState(tmp_path), Venvs(tmp_path)).observe().values()
    assert (deployed.name, deployed.fingerprint) == ("base", "f1")


def test_recording_does_not_block_the_loop() -> None:
    """While the disk is slow, other work of the loop goes on."""

    async def scenario(records: SlowRecords) -> None:
        deployment = asyncio.ensure_future(LocalTarget(records, Venvs(Path())).deploy_environment(BASE, print))
        await asyncio.to_thread(records.begun.wait, 10)
        assert not deployment.done()
        records.release.set()
        await deployment

    asyncio.run(scenario(SlowRecords()))


def test_a_cancelled_deployment_finishes_its_write() -> None:
    """A write that has begun cannot be stopped: it is waited for, so that what is told and what is there agree."""

    async def scenario(records: SlowRecords) -> None:
        deployment = asyncio.ensure_future(LocalTarget(records, Venvs(Path())).deploy_environment(BASE, print))
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
        asyncio.run(LocalTarget(Full(), Venvs(Path())).deploy_environment(BASE, print))


def bundle_of(image: flyte.Image, name: str = "base") -> Bundle:
    """Return what a session that defines it with `image` would deploy."""
    flyte.TaskEnvironment(name, image=image)
    bundles, _ = session().bundles([name])
    return bundles[name]


def test_what_it_runs_in_is_built_before_it_is_recorded(tmp_path: Path) -> None:
    """An image that names packages has a virtual environment; one that is a container has none."""
    venvs, said = Venvs(tmp_path / "venvs"), list[str]()
    target = LocalTarget(DeploymentState(tmp_path), venvs)
    wheel = make_wheel(tmp_path / "wheels", "alpha")
    image = flyte.Image.from_base("one:1").with_pip_packages(str(wheel))
    asyncio.run(target.deploy_environment(bundle_of(image), said.append))
    assert [line.partition(" ")[0] for line in said][-3:] == ["built", "runs", "recorded"]
    spec = venv_spec(image)
    assert spec
    assert venvs.find(spec)
    asyncio.run(target.deploy_environment(BASE, said.append))
    assert venvs.collect((), 0) == [spec.key]


def test_what_cannot_be_built_is_not_recorded(tmp_path: Path) -> None:
    """The environment fails; what was deployed before stays."""
    target = LocalTarget(DeploymentState(tmp_path), Venvs(tmp_path / "venvs"))
    with pytest.raises(flyte.VenvError, match="nowhere"):
        asyncio.run(
            target.deploy_environment(
                bundle_of(flyte.Image.from_base("one:1").with_pip_packages("/nowhere/x.whl")), print
            )
        )
    assert target.observe() == {}


@pytest.mark.parametrize("defined", ["the same", "other", "none"])
def test_credentials_come_from_the_definition(tmp_path: Path, defined: str) -> None:
    """They are not in what is deployed; the definition has them, if it is still the one that is deployed."""
    wanted: list[VenvSpec] = []

    class Watched(Venvs):
        async def ensure(self, spec: VenvSpec, log: Callable[[str], None]) -> Path:
            wanted.append(spec)
            return Path()

    image = flyte.Image.from_base("one:1").with_pip_packages("alpha @ https://robot:hunter2@host/alpha.whl")
    other = flyte.Image.from_base("one:1").with_pip_packages("beta @ https://robot:hunter2@host/beta.whl")
    bundle = bundle_of(image)
    specs = {"the same": EnvironmentSpec("base", image), "other": EnvironmentSpec("base", other), "none": None}
    target = LocalTarget(DeploymentState(tmp_path), Watched(tmp_path), lambda name: specs[defined])
    asyncio.run(target.deploy_environment(bundle, print))
    (spec,) = wanted
    secret = "robot:hunter2" if defined == "the same" else "***"
    assert spec.packages == (f"alpha @ https://{secret}@host/alpha.whl",)


def test_after_a_deployment_what_nothing_needs_is_collected(tmp_path: Path) -> None:
    """Unused for so many days, unless something deployed needs it; a week by default."""
    first, second = (flyte.Image.from_base("one:1").with_pip_packages(str(make_wheel(tmp_path, name))) for name in "ab")

    def deploy(image: flyte.Image) -> list[bool]:
        flyte.TaskEnvironment("base", image=image)
        assert asyncio.run(flyte.deploy()).succeeded
        return [bool(session().embedded.venvs.find(spec)) for spec in map(venv_spec, (first, second)) if spec]

    assert deploy(first) == [True, False]
    assert deploy(second) == [True, True]
    session().settings.keep_venvs = 0
    try:
        assert deploy(second) == [False, True]
        assert asyncio.run(flyte.rollback("d2")).succeeded
        assert deploy(second) == [False, True]
    finally:
        session().settings.keep_venvs = Settings().keep_venvs


def test_damaged_records_do_not_cost_a_virtual_environment(tmp_path: Path) -> None:
    """What is deployed cannot be told: nothing is collected."""
    venvs = Venvs(tmp_path / "venvs")
    spec = venv_spec(flyte.Image.from_debian_base())
    assert spec
    asyncio.run(venvs.ensure(spec, print))

    class Damaged(SlowRecords):
        def deployed(self, target: str) -> Mapping[str, Deployed]:
            raise flyte.StateError(tmp_path, "damaged")

    with pytest.raises(flyte.StateError):
        collect_unused_venvs(venvs, Damaged(), "local", 0)
    assert venvs.find(spec)
