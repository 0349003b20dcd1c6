"""Applying a plan: order, limits, failures, cancellation and events, against a target that notes all."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyte_nb.bundle.content import Bundle
from flyte_nb.deployment.apply import Policy, apply_plan
from flyte_nb.deployment.planning import make_plan
from flyte_nb.deployment.status import EnvironmentStatus, State
from flyte_nb.errors import DeploymentFailedError
from flyte_nb.graph import closure
from flyte_nb.targets.protocol import Deployed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from flyte_nb.deployment.plan import Plan
    from flyte_nb.deployment.status import Deployment

Graph = dict[str, tuple[str, ...]]

CHAIN: Graph = {"base": (), "ml": ("base",), "api": ("ml",)}
LONG_CHAIN = 20_000
POSSIBLE_LIVES = {
    (State.UNCHANGED,),
    (State.SKIPPED,),
    (State.CANCELLED,),
    (State.RUNNING, State.SUCCEEDED),
    (State.RUNNING, State.FAILED),
    (State.RUNNING, State.CANCELLED),
}


async def nothing(name: str) -> None:
    """Deploy in no time."""


class NotingTarget:
    """Deploys by calling `work`, and notes what began and what ended how."""

    name = "noting"

    def __init__(self, work: Callable[[str], Awaitable[None]] = nothing) -> None:
        self.work = work
        self.log: list[tuple[str, str]] = []
        self.running: set[str] = set()
        self.most_running = 0

    def observe(self) -> Mapping[str, Deployed]:
        """Nothing is deployed."""
        return {}

    async def deploy_environment(self, bundle: Bundle, log: object) -> None:
        """Call `work`."""
        self.running.add(bundle.name)
        self.most_running = max(self.most_running, len(self.running))
        self.log.append((bundle.name, "begun"))
        outcome = "cancelled"
        try:
            await self.work(bundle.name)
            outcome = "succeeded"
        except Exception:
            outcome = "failed"
            raise
        finally:
            self.running.remove(bundle.name)
            self.log.append((bundle.name, outcome))


@dataclass
class Memory:
    """A record that keeps what it is told."""

    events: list[EnvironmentStatus] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    settled: int = 0
    name = "d1"

    def note(self, status: EnvironmentStatus) -> None:
        self.events.append(status)

    def log(self, name: str, line: str) -> None:
        self.lines.append((name, line))

    async def settle(self) -> None:
        self.settled += 1


@dataclass
class Applied:
    """A plan that is applied to a noting target, and the statuses that were sent."""

    edges: Graph
    target: NotingTarget
    unchanged: frozenset[str] = frozenset()
    limit: int = 8
    events: list[EnvironmentStatus] = field(default_factory=list)

    def start(self) -> Coroutine[None, None, Deployment]:
        plan, bundles = planned(self.edges, self.unchanged)
        return apply_plan(plan, bundles, self.target, Policy(self.limit), Memory(self.events))

    def lives(self) -> dict[str, tuple[State, ...]]:
        lives: dict[str, tuple[State, ...]] = defaultdict(tuple)
        for event in self.events:
            lives[event.name] += (event.state,)
        return dict(lives)


def planned(edges: Graph, unchanged: frozenset[str] = frozenset()) -> tuple[Plan, dict[str, Bundle]]:
    """Return a plan that creates everything but `unchanged`."""
    bundles = {name: Bundle(name, {}, {}, "new") for name in edges}
    deployed = {name: Deployed(name, "new", {}, {}, datetime.now(timezone.utc)) for name in unchanged}
    return make_plan("noting", list(edges), edges, bundles, deployed), bundles


@dataclass(frozen=True)
class Scenario:
    """A graph, how long each name takes, which fail, and when the deployment is cancelled, if it is."""

    edges: Graph
    steps: dict[str, int]
    failing: frozenset[str]
    unchanged: frozenset[str]
    limit: int
    cancel_after: int | None

    async def work(self, name: str) -> None:
        for _ in range(self.steps[name]):
            await asyncio.sleep(0)
        if name in self.failing:
            raise RuntimeError(f"{name} cannot be deployed")


@st.composite
def scenarios(draw: st.DrawFn, *, cancelled: bool) -> Scenario:
    """Return any scenario of up to eight environments."""
    names = [f"n{index}" for index in range(draw(st.integers(1, 8)))]
    edges = {
        name: tuple(draw(st.sets(st.sampled_from(names[:at]), max_size=3))) if at else ()
        for at, name in enumerate(names)
    }
    some = st.frozensets(st.sampled_from(names), max_size=3)
    return Scenario(
        {name: edges[name] for name in draw(st.permutations(names))},
        {name: draw(st.integers(0, 4)) for name in names},
        draw(some),
        draw(some),
        draw(st.integers(1, 4)),
        draw(st.integers(0, 12)) if cancelled else None,
    )


def check_order(applied: Applied, limit: int) -> None:
    """No environment began before all it depends on had ended well, nor more at once than allowed."""
    good = set(applied.unchanged)
    for name, what in applied.target.log:
        if what == "begun":
            assert good.issuperset(applied.edges[name])
        elif what == "succeeded":
            good.add(name)
    assert applied.target.most_running <= limit
    assert not applied.target.running


@settings(max_examples=300, deadline=None)
@given(scenarios(cancelled=False))
def test_any_deployment_that_may_fail(scenario: Scenario) -> None:
    """A failure skips exactly its dependents, all others finish, and events, states and order tell the same."""
    applied = Applied(scenario.edges, NotingTarget(scenario.work), scenario.unchanged, scenario.limit)
    result = asyncio.run(applied.start())

    check_order(applied, scenario.limit)
    reaches = {name: closure(scenario.edges[name], scenario.edges) for name in scenario.edges}
    would_fail = scenario.failing - scenario.unchanged
    for status in result.environments:
        name = status.name
        failed_below = would_fail & reaches[name]
        expected = (
            State.SKIPPED
            if failed_below
            else State.UNCHANGED
            if name in scenario.unchanged
            else State.FAILED
            if name in would_fail
            else State.SUCCEEDED
        )
        assert status.state is expected
        assert bool(status.error) == (expected in {State.FAILED, State.SKIPPED})
        assert (status.started is not None) == (expected in {State.SUCCEEDED, State.FAILED})
        if status.started and status.ended:
            assert result.started <= status.started <= status.ended <= result.ended
    lives = applied.lives()
    assert set(lives.values()) <= POSSIBLE_LIVES
    assert {event.name: event for event in applied.events} == {status.name: status for status in result.environments}
    deployed = [name for name, state in result.states.items() if state in {"succeeded", "unchanged"}]
    assert sorted(result.order) == sorted(deployed)
    assert all(result.order.index(d) < result.order.index(name) for name in deployed for d in scenario.edges[name])
    assert result.succeeded == (
        not would_fail or all(state in {"succeeded", "unchanged"} for state in result.states.values())
    )


@settings(max_examples=300, deadline=None)
@given(scenarios(cancelled=True))
def test_any_deployment_that_is_cancelled(scenario: Scenario) -> None:
    """Whenever it is cancelled, nothing runs on, each environment gets one final state, and that one is true."""
    applied = Applied(scenario.edges, NotingTarget(scenario.work), scenario.unchanged, scenario.limit)

    async def cancelled() -> bool:
        deployment = asyncio.ensure_future(applied.start())
        for _ in range(scenario.cancel_after or 0):
            await asyncio.sleep(0)
        deployment.cancel()
        await asyncio.wait([deployment])
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return deployment.cancelled()

    was_cancelled = asyncio.run(cancelled())
    check_order(applied, scenario.limit)
    lives = applied.lives()
    if was_cancelled and not applied.events:
        assert scenario.cancel_after == 0  # the deployment had not begun
        return
    assert set(lives) == set(scenario.edges)
    assert set(lives.values()) <= POSSIBLE_LIVES
    for name, what in applied.target.log:
        if what != "begun":
            assert lives[name][-1].value == what
    if not was_cancelled:
        assert State.CANCELLED not in {life[-1] for life in lives.values()}


def test_what_is_ready_does_not_wait_for_its_wave() -> None:
    """While one environment of the first wave is still being deployed, the second and third wave of another begin."""

    async def scenario() -> list[str]:
        last_begun = asyncio.Event()

        async def work(name: str) -> None:
            if name == "slow":
                await last_begun.wait()
            elif name == "api":
                last_begun.set()

        return (await Applied({"slow": (), **CHAIN}, NotingTarget(work)).start()).order

    assert asyncio.run(asyncio.wait_for(scenario(), 10)) == ["base", "ml", "api", "slow"]


def test_all_that_is_ready_runs_at_once() -> None:
    """Eight environments that wait for each other are deployed, so all eight were begun together."""

    async def scenario() -> Deployment:
        begun: set[str] = set()
        all_begun = asyncio.Event()

        async def work(name: str) -> None:
            begun.add(name)
            if len(begun) == 8:
                all_begun.set()
            await all_begun.wait()

        return await Applied({f"n{index}": () for index in range(8)}, NotingTarget(work), limit=8).start()

    assert asyncio.run(asyncio.wait_for(scenario(), 10)).succeeded


def test_a_place_that_becomes_free_is_used_at_once() -> None:
    """With a limit of two, the third begins when one of the first two ends, though the other goes on."""

    async def scenario() -> list[str]:
        third_begun = asyncio.Event()

        async def work(name: str) -> None:
            if name == "first":
                await third_begun.wait()
            elif name == "third":
                third_begun.set()

        edges: Graph = {"first": (), "second": (), "third": ()}
        return (await Applied(edges, NotingTarget(work), limit=2).start()).order

    assert asyncio.run(asyncio.wait_for(scenario(), 10)) == ["second", "third", "first"]


@pytest.mark.parametrize("slow", ["base", "ml", "api"])
def test_order_is_enforced_when_one_is_slow(slow: str) -> None:
    """The timestamps show each environment begun after the one it depends on had ended, whichever is slow."""

    async def work(name: str) -> None:
        await asyncio.sleep(0.03 if name == slow else 0)

    result = asyncio.run(Applied(CHAIN, NotingTarget(work)).start())
    base, ml, api = result.environments
    assert result.order == ["base", "ml", "api"]
    assert base.ended <= ml.started
    assert ml.ended <= api.started


def test_what_is_unchanged_is_not_deployed_and_takes_no_place() -> None:
    """Environments that are deployed already let their dependents begin at once and do not count for the limit."""
    applied = Applied(CHAIN, NotingTarget(), frozenset({"base", "ml"}), limit=1)
    result = asyncio.run(applied.start())
    assert result.states == {"base": "unchanged", "ml": "unchanged", "api": "succeeded"}
    assert applied.target.log == [("api", "begun"), ("api", "succeeded")]


def test_a_failure_is_told_with_its_reason() -> None:
    """The failed one shows the error, the skipped ones what stopped them, and raise_if_failed both."""

    async def work(name: str) -> None:
        if name == "base":
            raise ConnectionError("registry unreachable")

    result = asyncio.run(Applied({**CHAIN, "other": ()}, NotingTarget(work)).start())
    errors = {status.name: status.error for status in result.environments}
    assert errors["base"] == "ConnectionError: registry unreachable"
    assert errors["ml"] == errors["api"] == "'base' failed"
    assert result.states["other"] == "succeeded"
    with pytest.raises(DeploymentFailedError, match="'base' failed: ConnectionError: registry unreachable") as caught:
        result.raise_if_failed()
    assert caught.value.failed == {"base": "ConnectionError: registry unreachable"}
    assert caught.value.skipped == ("ml", "api")


def test_a_target_that_fails_before_it_awaits_is_a_failure_like_others() -> None:
    """A target whose method is not even a coroutine function fails one environment, not the deployment."""

    class Broken(NotingTarget):
        def deploy_environment(self, bundle: Bundle, log: object) -> None:  # type: ignore[override]
            raise ValueError

    result = asyncio.run(Applied(CHAIN, Broken()).start())
    assert result.states == {"base": "failed", "ml": "skipped", "api": "skipped"}
    assert result.environments[0].error == "ValueError"


def test_a_target_that_cancels_itself_is_a_failure() -> None:
    """CancelledError out of a target, while nobody cancelled the deployment, does not end the others."""

    async def work(name: str) -> None:
        if name == "base":
            raise asyncio.CancelledError

    result = asyncio.run(Applied({**CHAIN, "other": ()}, NotingTarget(work)).start())
    assert result.states == {"base": "failed", "ml": "skipped", "api": "skipped", "other": "succeeded"}


def test_cancelling_waits_for_what_must_be_finished() -> None:
    """What finishes although it was cancelled counts as deployed, and what waited for it never begins."""

    async def scenario(applied: Applied) -> None:
        begun = asyncio.Event()

        async def work(_: str) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.sleep(0)  # a write that cannot be stopped

        applied.target.work = work
        deployment = asyncio.ensure_future(applied.start())
        await begun.wait()
        deployment.cancel()
        await asyncio.wait([deployment])
        assert deployment.cancelled()

    applied = Applied(CHAIN, NotingTarget())
    asyncio.run(asyncio.wait_for(scenario(applied), 10))
    assert applied.lives()["base"][-1] is State.SUCCEEDED
    assert {applied.lives()[name] for name in ("ml", "api")} == {(State.CANCELLED,)}


def test_cancelling_twice_ends_a_deployment_that_will_not_stop() -> None:
    """A second interrupt does not wait any longer, and still each environment gets a final state."""

    async def scenario(applied: Applied) -> None:
        begun, stubborn, release = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def work(_: str) -> None:
            begun.set()
            try:
                await release.wait()
            except asyncio.CancelledError:
                stubborn.set()
                await release.wait()

        applied.target.work = work
        deployment = asyncio.ensure_future(applied.start())
        await begun.wait()
        deployment.cancel()
        await stubborn.wait()
        deployment.cancel()
        await asyncio.wait([deployment])
        assert deployment.cancelled()
        release.set()
        await asyncio.sleep(0)

    applied = Applied(CHAIN, NotingTarget())
    asyncio.run(asyncio.wait_for(scenario(applied), 10))
    assert {name: life[-1].value for name, life in applied.lives().items()} == {
        "base": "lost",
        "ml": "cancelled",
        "api": "cancelled",
    }


def test_a_failure_just_before_the_cancellation_is_told_as_one() -> None:
    """What failed and what was cancelled are not confused, also when both happen at once."""

    async def scenario(applied: Applied) -> None:
        deployment = asyncio.ensure_future(applied.start())

        async def work(name: str) -> None:
            if name == "base":
                deployment.cancel()
                raise ConnectionError("registry unreachable")
            await asyncio.Event().wait()

        applied.target.work = work
        await asyncio.wait([deployment])

    applied = Applied({**CHAIN, "other": ()}, NotingTarget())
    asyncio.run(asyncio.wait_for(scenario(applied), 10))
    last = {name: life[-1].value for name, life in applied.lives().items()}
    assert last == {"base": "failed", "ml": "skipped", "api": "skipped", "other": "cancelled"}


def test_a_long_chain_neither_recurses_nor_slows_down() -> None:
    """A chain of 20,000 is deployed, and a failure at its bottom skips all of it."""
    edges: Graph = {f"n{index}": (f"n{index - 1}",) if index else () for index in range(LONG_CHAIN)}
    result = asyncio.run(Applied(edges, NotingTarget(), frozenset(edges) - {"n0"}).start())
    assert result.order == list(edges)

    async def fail(_: str) -> None:
        raise RuntimeError

    result = asyncio.run(Applied(edges, NotingTarget(fail)).start())
    assert list(result.states.values()) == ["failed"] + ["skipped"] * (LONG_CHAIN - 1)
