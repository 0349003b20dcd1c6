"""The way back: exactly the versions that an earlier deployment had, in order, by the same engine."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flyte_nb as flyte
from flyte_nb.deployment import origin
from flyte_nb.deployment.applying.apply import Policy
from flyte_nb.deployment.deployments import Deployments
from flyte_nb.deployment.keeping.history import DeploymentHistory
from flyte_nb.deployment.keeping.state import DeploymentState
from flyte_nb.deployment.rollback import plan_rollback
from flyte_nb.errors import (
    DeploymentBlockedError,
    DeploymentFailedError,
    InvalidTypeError,
    InvalidValueError,
    TargetError,
    UnknownDeploymentError,
    UnknownTargetError,
)
from flyte_nb.session import session

from .places import Graph, MemoryTarget, making

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyte_nb.deployment.applying.status import Deployment

NAMES = ("a", "b", "c", "d", "e")


@st.composite
def series(draw: st.DrawFn) -> list[tuple[Graph, dict[str, str], frozenset[str]]]:
    """Return deployments: the edges, the version of each name, and which names fail."""
    deployments = []
    for _ in range(draw(st.integers(1, 5))):
        names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
        edges = {
            name: tuple(sorted(draw(st.sets(st.sampled_from(names[:at]), max_size=2)))) if at else ()
            for at, name in enumerate(names)
        }
        versions = {name: f"{draw(st.integers(1, 3))}{''.join(edges[name])}" for name in names}
        deployments.append((edges, versions, draw(st.frozensets(st.sampled_from(NAMES), max_size=2))))
    return deployments


def content(target: MemoryTarget) -> dict[str, str]:
    return {name: deployed.fingerprint for name, deployed in target.content.items()}


@settings(max_examples=60)
@given(series=series(), back_to=st.integers(0, 4))
def test_any_deployment_can_be_gone_back_to(
    series: list[tuple[Graph, dict[str, str], frozenset[str]]], back_to: int
) -> None:
    """After any deployments, some failing, each environment that one of them deployed has that version again.

    What it did not deploy is as it was, nothing is deployed before what it depends on, and nothing twice.
    """
    with tempfile.TemporaryDirectory() as home:
        state, target = DeploymentState(Path(home)), MemoryTarget()
        deployments = Deployments(state, "")
        history = DeploymentHistory(state, lambda _: target.observe())
        had: list[dict[str, str]] = []
        for edges, versions, failing in series:
            target.failing = set(failing)
            done = asyncio.run(deployments.deploy(target, making(target, edges, versions), Policy(2)))
            succeeded = {name for name, ended in done.states.items() if ended in ("succeeded", "unchanged")}
            had.append({name: version for name, version in content(target).items() if name in succeeded})
        chosen = back_to % len(series)
        before, target.failing, target.begun = content(target), set(), []
        recorded = history.deployment(f"d{chosen + 1}")
        done = asyncio.run(
            deployments.deploy(
                target, lambda: plan_rollback(recorded, state, target.observe()), Policy(2), kind="rollback"
            )
        )
        assert done.succeeded
        assert content(target) == {**before, **had[chosen]}
        assert sorted(target.begun) == sorted(n for n, version in had[chosen].items() if before.get(n) != version)
        edges = series[chosen][0]
        for name in target.begun:
            assert set(edges[name]) & set(target.begun) <= set(target.begun[: target.begun.index(name)])
        latest = history.deployments()[0]
        assert (latest.kind, latest.status) == ("rollback", "succeeded")
        assert {one.name: one.fingerprint for one in latest.environments} == had[chosen]


def deploy(*names: str) -> Deployment:
    return asyncio.run(flyte.deploy(*names))


def images() -> Mapping[str, str]:
    deployed = session().target("local").observe()
    return {name: one.specification["image"] for name, one in deployed.items()}


def define(version: str) -> None:
    flyte.reset()
    flyte.TaskEnvironment("base", image=f"base:{version}")
    flyte.TaskEnvironment("ml", image=f"ml:{version}", depends_on=["base"])


def test_the_session_goes_back_and_forth() -> None:
    """`rollback` restores the versions of a deployment, also of one that was a rollback, whatever is defined now."""
    for version in ("1", "2"):
        define(version)
        deploy()
    flyte.reset()
    done = asyncio.run(flyte.rollback("d1"))
    assert (done.name, done.order) == ("d3", ["base", "ml"])
    assert images() == {"base": "base:1", "ml": "ml:1"}
    asyncio.run(flyte.rollback("d2"))
    assert images() == {"base": "base:2", "ml": "ml:2"}
    asyncio.run(flyte.rollback("d3"))
    assert images() == {"base": "base:1", "ml": "ml:1"}
    assert [one.kind for one in flyte.deployments()] == ["rollback"] * 3 + ["deploy"] * 2
    assert asyncio.run(flyte.rollback("d3")).states == {"base": "unchanged", "ml": "unchanged"}


def test_secrets_are_restored_as_stored() -> None:
    """What was masked when it was stored stays masked, and counts as the version that it was."""
    flyte.TaskEnvironment("base", env_vars={"API_TOKEN": "hunter2"})
    deploy()
    flyte.TaskEnvironment("base", env_vars={"API_TOKEN": "hunter3"})
    deploy()
    asyncio.run(flyte.rollback("d1"))
    assert session().target("local").observe()["base"].specification["env_vars"] == {"API_TOKEN": "***"}
    flyte.TaskEnvironment("base", env_vars={"API_TOKEN": "hunter2"})
    assert flyte.plan().actions == {"base": "unchanged"}


def test_a_deployment_that_nobody_knows() -> None:
    """The name is refused with what there is."""
    define("1")
    with pytest.raises(UnknownDeploymentError, match="no deployments yet"):
        asyncio.run(flyte.rollback("d1"))
    deploy()
    with pytest.raises(UnknownDeploymentError, match=r"no deployment 'd11' in the history\. Did you mean 'd1'\?"):
        asyncio.run(flyte.rollback("d11"))


def test_a_target_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment to a target of another session cannot be gone back to here."""
    monkeypatch.setitem(session()._targets, "memory", MemoryTarget)
    define("1")
    asyncio.run(flyte.deploy(target="memory"))
    monkeypatch.delitem(session()._targets, "memory")
    with pytest.raises(UnknownTargetError, match="memory"):
        asyncio.run(flyte.rollback("d1"))


def test_a_rollback_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a deployment like any other: what fails stops what depends on it."""
    target = MemoryTarget()
    monkeypatch.setitem(session()._targets, "memory", lambda: target)
    for version in ("1", "2"):
        define(version)
        asyncio.run(flyte.deploy(target="memory"))
    target.failing = {"base"}
    done = asyncio.run(flyte.rollback("d1"))
    assert done.states == {"base": "failed", "ml": "skipped"}
    with pytest.raises(DeploymentFailedError):
        done.raise_if_failed()


def test_prune_removes_only_what_was_deployed_from_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another notebook has deployed, and this one does not define, stays."""
    monkeypatch.delattr("__main__.__file__", raising=False)  # as in a kernel
    monkeypatch.setenv("JPY_SESSION_NAME", "/work/other.ipynb")
    flyte.TaskEnvironment("theirs")
    deploy()
    monkeypatch.setenv("JPY_SESSION_NAME", "/work/churn.ipynb")
    define("1")
    deploy()
    flyte.reset()
    flyte.TaskEnvironment("base", image="base:1")
    assert asyncio.run(flyte.deploy()).states == {"base": "unchanged"}
    assert asyncio.run(flyte.deploy(prune=True)).states == {"base": "unchanged", "ml": "removed"}
    assert set(images()) == {"theirs", "base"}
    assert asyncio.run(flyte.deploy(prune=True)).states == {"base": "unchanged"}


def test_where_nothing_tells_the_notebook_the_folder_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is executed headless in one folder prunes its own, and nothing that another folder has deployed."""
    monkeypatch.delattr("__main__.__file__", raising=False)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        origin._folder.cache_clear()
        flyte.TaskEnvironment(name)
        flyte.TaskEnvironment(f"{name}-base")
        deploy()
        flyte.reset()
    flyte.TaskEnvironment("other")
    assert asyncio.run(flyte.deploy(prune=True)).states == {"other": "unchanged", "other-base": "removed"}
    origin._folder.cache_clear()


def test_a_version_that_is_gone_is_refused() -> None:
    """What cannot be brought back is told before anything is, instead of being left out."""
    define("1")
    deploy()
    define("2")
    deploy()
    now = images()
    session()._deployment_state().writes.submit(
        lambda connection: connection.execute("DELETE FROM version WHERE name = 'ml' AND specification LIKE '%:1%'")
    ).result(10)
    with pytest.raises(DeploymentBlockedError, match="'ml' is no longer kept"):
        asyncio.run(flyte.rollback("d1"))
    assert images() == now
    assert [deployment.name for deployment in flyte.deployments()] == ["d2", "d1"]


def test_prune_leaves_what_another_notebook_deploys_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It found it unchanged, and relies on it."""
    monkeypatch.delattr("__main__.__file__", raising=False)  # as in a kernel
    monkeypatch.setenv("JPY_SESSION_NAME", "/work/churn.ipynb")
    define("1")
    deploy()
    monkeypatch.setenv("JPY_SESSION_NAME", "/work/other.ipynb")
    assert asyncio.run(flyte.deploy("base")).states == {"base": "unchanged"}
    monkeypatch.setenv("JPY_SESSION_NAME", "/work/churn.ipynb")
    flyte.reset()
    assert asyncio.run(flyte.deploy(prune=True)).states == {"ml": "removed"}
    assert set(images()) == {"base"}


def test_prune_after_a_rollback_leaves_what_others_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    """To bring back what another notebook has deployed does not make it one's own."""
    monkeypatch.delattr("__main__.__file__", raising=False)  # as in a kernel
    monkeypatch.setenv("JPY_SESSION_NAME", "/work/other.ipynb")
    for version in ("1", "2"):
        define(version)
        deploy()
    monkeypatch.setenv("JPY_SESSION_NAME", "/work/churn.ipynb")
    flyte.reset()
    asyncio.run(flyte.rollback("d1"))
    assert flyte.plan(prune=True).actions == {}
    monkeypatch.setenv("JPY_SESSION_NAME", "/work/other.ipynb")
    assert set(flyte.plan(prune=True).actions.values()) == {"remove"}


@pytest.mark.parametrize("deployment", [1, None])
def test_what_is_no_name_is_refused(deployment: object) -> None:
    """The error says what to give."""
    with pytest.raises(InvalidTypeError, match=r'rollback\("d12"\)'):
        asyncio.run(flyte.rollback(deployment))  # type: ignore[arg-type]


def test_a_rollback_has_a_timeout_and_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are those of a deployment."""
    target = MemoryTarget()
    monkeypatch.setitem(session()._targets, "memory", lambda: target)
    for version in ("1", "2"):
        define(version)
        asyncio.run(flyte.deploy(target="memory"))
    target.failing = {"base"}
    done = asyncio.run(flyte.rollback("d1", timeout=5, retries=1))
    assert {one.name: one.attempt for one in done.environments}["base"] == 2
    with pytest.raises(InvalidValueError, match="timeout"):
        asyncio.run(flyte.rollback("d1", timeout=0))


def test_a_target_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plan, deployment and rollback end with one line, in which nothing is secret."""
    target = MemoryTarget()
    monkeypatch.setitem(session()._targets, "memory", lambda: target)
    define("1")
    asyncio.run(flyte.deploy(target="memory"))

    def unreachable() -> NoReturn:
        raise ConnectionError("no route to https://me:hunter2@cluster")

    monkeypatch.setattr(target, "observe", unreachable)
    said = r"'memory' does not say what is deployed there: ConnectionError: no route to https://\*\*\*@cluster\. Try"
    with pytest.raises(TargetError, match=said):
        flyte.plan(target="memory")
    with pytest.raises(TargetError, match=said):
        asyncio.run(flyte.deploy(target="memory"))
    with pytest.raises(TargetError, match=said):
        asyncio.run(flyte.rollback("d1"))
