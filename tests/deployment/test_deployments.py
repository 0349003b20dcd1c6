"""Deployments are kept as they happen: whatever becomes of them, the record and the target tell the same."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from flyte_nb.deployment.applying.apply import Policy
from flyte_nb.deployment.deployments import Deployments
from flyte_nb.deployment.keeping.history import DeploymentHistory
from flyte_nb.deployment.keeping.state import DeploymentState
from flyte_nb.deployment.planning.making import make_plan
from flyte_nb.deployment.planning.plan import Plan
from flyte_nb.errors import StateError, UnknownDeploymentError

from .places import CHAIN, MemoryTarget, Noting, bundle, making, until

if TYPE_CHECKING:
    from pathlib import Path

    from flyte_nb.deployment.applying.status import Deployment
    from flyte_nb.deployment.keeping.recorded import RecordedDeployment


class Place:
    """A target in memory, and the deployments to it."""

    def __init__(self, home: Path, origin: str = "/work/churn.ipynb") -> None:
        self.target = MemoryTarget()
        self.state = DeploymentState(home)
        self.deployments = Deployments(self.state, origin)
        self.history = DeploymentHistory(self.state, lambda _: self.target.observe())

    async def deploy(self, version: str = "1", watcher: Any = None, **options: Any) -> Deployment:
        make = making(self.target, versions=version)
        return await self.deployments.deploy(self.target, make, Policy(2), watcher, **options)

    @property
    def last(self) -> RecordedDeployment:
        return self.history.deployments()[0]

    def locks(self) -> int:
        with closing(sqlite3.connect(self.state.path)) as connection:
            return int(connection.execute("SELECT count(*) FROM lock").fetchone()[0])


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_deployment_is_kept_whole(place: Place) -> None:
    """Its name, target, kind, origin, times, plan, environments with versions, and log are in the history."""
    watcher = Noting()
    deployment = asyncio.run(place.deploy(watcher=watcher))
    assert deployment.name == "d1"
    assert watcher.names == ["d1"]
    (recorded,) = DeploymentHistory(DeploymentState(place.state.home), lambda _: None).deployments()
    assert (recorded.name, recorded.target, recorded.kind) == ("d1", "memory", "deploy")
    assert (recorded.origin, recorded.status, recorded.counts) == ("/work/churn.ipynb", "succeeded", {"succeeded": 3})
    assert recorded.started <= deployment.started <= deployment.ended <= recorded.ended
    assert recorded.duration >= deployment.duration
    for told, kept in zip(deployment.environments, recorded.environments, strict=True):
        for field in ("name", "state", "started", "ended", "error", "attempt"):
            assert getattr(told, field) == getattr(kept, field)
    assert [(one.action, one.previous, one.fingerprint) for one in recorded.environments] == [
        ("create", "", f"{name}-1") for name in CHAIN
    ]
    assert [(line.environment, line.text) for line in recorded.logs] == [(n, f"deploying {n}") for n in CHAIN]
    assert watcher.lines == [(n, f"deploying {n}") for n in CHAIN]
    assert recorded.plan.actions == dict.fromkeys(CHAIN, "create")


def test_versions_are_never_overwritten(place: Place) -> None:
    """Every version that was to be deployed is kept whole, whatever took its place."""
    for version in ("1", "2", "3"):
        asyncio.run(place.deploy(version))
    kept = place.state.versions("memory", [("ml", "ml-1"), ("api", "api-2"), ("api", "api-9")])
    assert kept == {"ml": bundle("ml", "1", ("base",)), "api": bundle("api", "2", ("ml",))}
    assert [one.previous for one in place.last.environments] == ["base-2", "ml-2", "api-2"]


def test_a_failure_is_kept_without_credentials(place: Place) -> None:
    """What failed has its error, what depends on it is skipped, and the deployment has failed."""
    place.target.failing = {"ml"}
    assert not asyncio.run(place.deploy()).succeeded
    assert place.last.status == "failed"
    assert place.last.counts == {"succeeded": 1, "failed": 1, "skipped": 1}
    error = place.last.environments[1].error
    assert "no room for ml" in error
    assert "abcdef123" not in error


def test_deploying_again_completes_it(place: Place) -> None:
    """The next deployment does what is left, and nothing twice."""
    place.target.failing = {"ml"}
    asyncio.run(place.deploy())
    place.target.failing = set()
    assert asyncio.run(place.deploy()).states == {"base": "unchanged", "ml": "succeeded", "api": "succeeded"}
    assert place.target.begun == ["base", "ml", "ml", "api"]
    assert [deployment.name for deployment in place.history.deployments()] == ["d2", "d1"]


@pytest.mark.parametrize("times", [1, 2])
def test_a_cancelled_deployment_is_kept_and_goes_on_cancelled(place: Place, times: int) -> None:
    """What was under way is cancelled in the record, the lock is given back, and the caller is cancelled."""
    place.target.released = {"base"}

    async def scenario() -> None:
        work = asyncio.ensure_future(place.deploy())
        await until(lambda: "ml" in place.target.begun)
        for _ in range(times):
            work.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(scenario())
    assert place.last.status == "cancelled"
    assert [one.state.value for one in place.last.environments] == ["succeeded", "cancelled", "cancelled"]
    assert place.locks() == 0
    place.target.released = None
    assert asyncio.run(place.deploy()).succeeded


def test_a_target_that_wants_the_process_to_end(place: Place) -> None:
    """SystemExit goes through the loop to the caller, and the deployment has an end in the history."""

    async def leave(bundle: object, log: object) -> None:
        raise SystemExit(3)

    place.target.deploy_environment = leave  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        asyncio.run(place.deploy())
    assert place.last.status == "failed"
    assert [one.state.value for one in place.last.environments] == ["failed", "skipped", "skipped"]
    assert place.locks() == 0


def test_a_plan_that_is_refused_leaves_nothing(place: Place) -> None:
    """If no plan can be made, its error is raised, nothing is recorded, and the lock is given back."""

    def refuse() -> Any:
        raise UnknownDeploymentError("d9", ["d1"])

    with pytest.raises(UnknownDeploymentError):
        asyncio.run(place.deployments.deploy(place.target, refuse, Policy()))
    assert place.history.deployments() == []
    assert place.locks() == 0


def test_the_plan_is_recorded_before_anything_begins(place: Place) -> None:
    """When the watcher hears that a deployment begins, it is in the database, all of it pending."""

    class Checking(Noting):
        found: tuple[str, dict[str, int]] = ("", {})

        def begun(self, plan: object, name: str) -> None:
            recorded = place.history.deployment(name)
            self.found = recorded.status, dict(recorded.counts)

    watcher = Checking()
    asyncio.run(place.deploy(watcher=watcher))
    assert watcher.found == ("running", {"pending": 3})


def test_a_watcher_that_fails_does_not_stop_the_work(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """What a view raises is logged."""

    class Failing(Noting):
        def changed(self, status: object) -> None:
            raise RuntimeError("cannot draw")

    with caplog.at_level(logging.ERROR, "flyte_nb"):
        assert asyncio.run(place.deploy(watcher=Failing())).succeeded
    assert "a listener failed" in caplog.text


def test_a_database_that_fails_stops_the_deployment(place: Place) -> None:
    """What can no longer be kept is not done: what runs is cancelled, and the error says why. Later it is told lost."""
    place.target.released = {"base"}

    async def scenario() -> None:
        work = asyncio.ensure_future(place.deploy())
        await until(lambda: "ml" in place.target.begun)
        await until(lambda: place.last.counts == {"succeeded": 1, "running": 1, "pending": 1})
        with closing(sqlite3.connect(place.state.path, isolation_level=None)) as connection:
            connection.execute("ALTER TABLE deployment_environment RENAME TO gone")
            place.target.released = {"base", "ml"}
            with pytest.raises(StateError, match="no such table"):
                await work
            connection.execute("ALTER TABLE gone RENAME TO deployment_environment")

    asyncio.run(scenario())
    assert "api" not in place.target.content
    assert place.last.status == "lost"
    assert {one.name: one.state.value for one in place.last.environments} == {
        "base": "succeeded",
        "ml": "succeeded",
        "api": "cancelled",
    }
    place.target.released = None
    assert asyncio.run(place.deploy()).states == {"base": "unchanged", "ml": "unchanged", "api": "succeeded"}


def test_durations_are_the_median_of_the_last_successes(place: Place) -> None:
    """Each environment is expected to take what it took the last five times; failures do not count."""
    asyncio.run(place.deploy())
    took = [100.0, 1.0, 9.0, 2.0, 8.0, 3.0]
    for version in range(2, 7):
        asyncio.run(place.deploy(str(version)))
    place.target.failing = {"base"}
    asyncio.run(place.deploy("7"))
    with closing(sqlite3.connect(place.state.path, isolation_level=None)) as connection:
        for number, seconds in enumerate(took, start=1):
            connection.execute(
                "UPDATE deployment_environment SET ended = started + ? WHERE deployment = ? AND name = 'base'",
                (seconds, number),
            )
    assert place.history.durations("memory")["base"] == pytest.approx(3.0)
    assert set(place.history.durations("memory")) == set(CHAIN)
    assert place.history.durations("other") == {}


CHURN, OTHER = "/work/churn.ipynb", "/work/other.ipynb"


def test_origins_tell_who_deployed_what_is_there(place: Place) -> None:
    """They are the notebook that deployed it last, and those that found it unchanged since."""
    asyncio.run(place.deploy())
    other = Place(place.state.home, OTHER)
    other.target = place.target
    make = making(place.target, versions={"base": "2", "ml": "1", "api": "1"})
    asyncio.run(other.deployments.deploy(place.target, make, Policy()))
    assert place.history.origins("memory") == {"base": {OTHER}, "ml": {CHURN, OTHER}, "api": {CHURN, OTHER}}
    assert place.history.origins("other") == {}


def test_a_rollback_takes_nothing_from_who_deployed_it(place: Place) -> None:
    """Whoever goes back to what another notebook has deployed does not become the one that deployed it."""
    asyncio.run(place.deploy())
    other = Place(place.state.home, OTHER)
    other.target = place.target
    make = making(place.target, versions=dict.fromkeys(CHAIN, "2"))
    asyncio.run(other.deployments.deploy(place.target, make, Policy(), kind="rollback"))
    assert place.history.origins("memory") == {name: {CHURN} for name in CHAIN}


def test_the_history_is_listed_by_target_and_limit(place: Place) -> None:
    """The newest first."""
    other = MemoryTarget("other")
    for target in (place.target, other, place.target):
        asyncio.run(place.deployments.deploy(target, making(target), Policy()))
    assert [one.name for one in place.history.deployments()] == ["d3", "d2", "d1"]
    assert [one.name for one in place.history.deployments("memory")] == ["d3", "d1"]
    assert [one.name for one in place.history.deployments(limit=1)] == ["d3"]
    assert place.history.deployments("moon") == []


@pytest.mark.parametrize("name", ["d9", "d", "", "9", "d-1", "d1 ", "d²", "d" + "9" * 40])
def test_a_name_that_no_deployment_has(place: Place, name: str) -> None:
    """The error says which there are, or that there are none yet."""
    with pytest.raises(UnknownDeploymentError, match="no deployments yet"):
        place.history.deployment(name)
    asyncio.run(place.deploy())
    with pytest.raises(UnknownDeploymentError, match="%flyte_deployments"):
        place.history.deployment(name)


def test_looking_creates_nothing(tmp_path: Path) -> None:
    """Without a database there are no deployments, and looking does not create one."""
    history = DeploymentHistory(DeploymentState(tmp_path / "home"), lambda _: None)
    assert history.deployments() == []
    assert history.durations("local") == history.origins("local") == {}
    assert not (tmp_path / "home").exists()


def test_a_clock_that_was_set_back_is_no_negative_time(place: Place) -> None:
    """What seems to have ended before it began took no time, and plans that expect so can be read again."""
    asyncio.run(place.deploy())
    place.state.writes.submit(
        lambda connection: connection.execute("UPDATE deployment_environment SET ended = started - 5")
    ).result(10)
    durations = place.history.durations("memory")
    assert durations == dict.fromkeys(CHAIN, 0.0)
    bundles = {name: bundle(name, "2", depends_on) for name, depends_on in CHAIN.items()}
    plan = make_plan("memory", list(CHAIN), CHAIN, bundles, place.target.observe(), durations=durations)
    assert Plan.from_json(plan.to_json()) == plan
