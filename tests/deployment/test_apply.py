"""Applying a plan: order, limits, failures, cancellation and events, against a target that notes all."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyte_nb.bundle.content import Bundle
from flyte_nb.deployment.applying.apply import Policy, apply_plan
from flyte_nb.deployment.applying.status import State
from flyte_nb.deployment.planning.making import make_plan
from flyte_nb.errors import DeploymentBlockedError, DeploymentFailedError, StateError
from flyte_nb.execution.stopping import Interrupted
from flyte_nb.graph import closure
from flyte_nb.model.policies import Backoff
from tests.deployment.fakes import Memory, VirtualTime, deployed, there

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from flyte_nb.deployment.applying.status import Deployment, EnvironmentStatus
    from flyte_nb.deployment.planning.plan import Plan
    from flyte_nb.targets.protocol import Deployed

T = TypeVar("T")
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

    def remarks(self, spec: object) -> tuple[str, ...]:
        return ()

    def refusals(self, bundles: object) -> dict[str, Any]:
        return {}

    async def deploy_environment(self, bundle: Bundle, log: object) -> None:
        """Call `work`."""
        await self._note(bundle.name)

    async def remove_environment(self, name: str, log: object) -> None:
        """Call `work`."""
        await self._note(name)

    async def _note(self, name: str) -> None:
        self.running.add(name)
        self.most_running = max(self.most_running, len(self.running))
        self.log.append((name, "begun"))
        outcome = "cancelled"
        try:
            await self.work(name)
            outcome = "succeeded"
        except Exception:
            outcome = "failed"
            raise
        finally:
            self.running.remove(name)
            self.log.append((name, outcome))


@dataclass
class Applied:
    """A plan that is applied to a noting target, and what the record is told."""

    edges: Graph
    target: NotingTarget
    unchanged: frozenset[str] = frozenset()
    limit: int = 8
    policy: Policy | None = None
    record: Memory = field(default_factory=Memory)

    def start(self) -> Coroutine[None, None, Deployment]:
        plan, bundles = planned(self.edges, self.unchanged)
        return apply_plan(plan, bundles, self.target, self.policy or Policy(self.limit), self.record)

    def lives(self) -> dict[str, tuple[State, ...]]:
        return self.record.lives()


def planned(edges: Graph, unchanged: frozenset[str] = frozenset()) -> tuple[Plan, dict[str, Bundle]]:
    """Return a plan that creates everything but `unchanged`."""
    bundles = {name: Bundle(name, {}, {}, "new") for name in edges}
    return make_plan(
        "noting", list(edges), edges, bundles, {name: deployed(bundles[name]) for name in unchanged}
    ), bundles


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
    assert {event.name: event for event in applied.record.events} == {
        status.name: status for status in result.environments
    }
    there = [name for name, state in result.states.items() if state in {"succeeded", "unchanged"}]
    assert sorted(result.order) == sorted(there)
    assert all(result.order.index(d) < result.order.index(name) for name in there for d in scenario.edges[name])
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
    if was_cancelled and not applied.record.events:
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


class Fails:
    """Work that goes wrong the first times, in the manners given, and well after that."""

    def __init__(self, *manners: str) -> None:
        self.manners = list(manners)

    async def __call__(self, name: str) -> None:
        manner = self.manners.pop(0) if self.manners else "well"
        if manner == "fails":
            raise ConnectionError("registry unreachable")
        if manner == "hangs":
            await asyncio.Event().wait()
        if manner == "finishes":
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        if manner == "gives up":
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise ConnectionError("gave up") from None


def virtually(work: Coroutine[None, None, T]) -> tuple[T, float]:
    """Return what comes of `work` in a loop in which waiting takes no time, and how long it would have taken."""
    loop = VirtualTime()
    try:
        return loop.run_until_complete(work), loop.now
    finally:
        loop.close()


RETRYING = Policy(retries=2, backoff=Backoff(10, factor=3, cap=1_000))


def test_what_failed_is_tried_again() -> None:
    """Each retry waits longer; the log tells each failure, and in the end nothing is left of them."""
    applied = Applied({"base": ()}, NotingTarget(Fails("fails", "fails")), policy=RETRYING)
    result, seconds = virtually(applied.start())
    assert seconds == pytest.approx(10 + 30)
    assert applied.lives() == {
        "base": (State.RUNNING, State.RETRYING, State.RUNNING, State.RETRYING, State.RUNNING, State.SUCCEEDED)
    }
    assert [line for _, line in applied.record.lines] == [
        "attempt 1 failed: ConnectionError: registry unreachable; next attempt in 10 s",
        "attempt 2 failed: ConnectionError: registry unreachable; next attempt in 30 s",
    ]
    assert [event.attempt for event in applied.record.events] == [1, 1, 2, 2, 3, 3]
    assert [bool(event.error) for event in applied.record.events] == [False, True, False, True, False, False]
    assert len({event.started for event in applied.record.events}) == 1
    begun = [event.begun for event in applied.record.events]
    assert begun[::2] == begun[1::2] == sorted(set(begun), key=begun.index)
    assert result.succeeded


def test_retries_come_to_an_end() -> None:
    """What fails each time has failed, with its last error, and its dependents are skipped only then."""
    applied = Applied(CHAIN, NotingTarget(Fails(*["fails"] * 3)), policy=RETRYING)
    result, _ = virtually(applied.start())
    assert result.states == {"base": "failed", "ml": "skipped", "api": "skipped"}
    assert result.environments[0].attempt == 3
    assert applied.record.lines[-1] == ("base", "attempt 3 failed: ConnectionError: registry unreachable")
    assert [event.state for event in applied.record.events[-3:]] == [State.FAILED, State.SKIPPED, State.SKIPPED]


def test_waiting_for_a_retry_takes_no_place() -> None:
    """With a limit of one, the other is deployed while the first waits for its next attempt."""
    policy = Policy(1, retries=1, backoff=Backoff(60))
    applied = Applied({"first": (), "second": ()}, NotingTarget(Fails("fails")), policy=policy)
    result, _ = virtually(applied.start())
    assert result.order == ["second", "first"]
    assert applied.target.most_running == 1


def test_what_takes_too_long_is_cancelled() -> None:
    """It has timed out, says after how long, and its dependents are skipped."""
    applied = Applied(CHAIN, NotingTarget(Fails("hangs")), policy=Policy(timeout=60))
    result, seconds = virtually(applied.start())
    assert seconds == pytest.approx(60)
    assert result.states == {"base": "timed out", "ml": "skipped", "api": "skipped"}
    assert [status.error for status in result.environments] == ["took longer than 60 s"] + ["'base' timed out"] * 2
    assert applied.target.log == [("base", "begun"), ("base", "cancelled")]
    with pytest.raises(DeploymentFailedError, match="'base' failed: took longer than 60 s"):
        result.raise_if_failed()


def test_the_timeout_is_for_each_attempt() -> None:
    """An attempt that hangs is followed by another, which has the same time."""
    applied = Applied({"base": ()}, NotingTarget(Fails("hangs", "hangs")), policy=Policy(timeout=60, retries=2))
    result, seconds = virtually(applied.start())
    assert result.succeeded
    assert seconds == pytest.approx(60 + 1 + 60 + 2)
    assert applied.record.lines[0] == ("base", "attempt 1 timed out: took longer than 60 s; next attempt in 1 s")


def test_what_a_target_says_after_the_timeout_counts() -> None:
    """What finishes although its time is up is deployed; what fails then has timed out, and says why."""
    result, _ = virtually(Applied({"a": ()}, NotingTarget(Fails("finishes")), policy=Policy(timeout=5)).start())
    assert result.states == {"a": "succeeded"}
    result, _ = virtually(Applied({"a": ()}, NotingTarget(Fails("gives up")), policy=Policy(timeout=5)).start())
    assert result.states == {"a": "timed out"}
    assert result.environments[0].error == "took longer than 5 s (ConnectionError: gave up)"


def test_the_time_of_one_environment_is_not_that_of_the_next() -> None:
    """Three that take 40 s each, one after the other, are all in time if each may take 60 s."""

    async def work(_: str) -> None:
        await asyncio.sleep(40)

    result, seconds = virtually(Applied(CHAIN, NotingTarget(work), policy=Policy(timeout=60)).start())
    assert result.succeeded
    assert seconds == 120


def test_what_has_timed_out_is_not_cancelled_again() -> None:
    """A target that finishes a write after its timeout is left to it, also when the deployment is cancelled."""

    async def scenario() -> None:
        deployment = asyncio.ensure_future(applied.start())
        await asyncio.sleep(8)
        deployment.cancel()
        await asyncio.wait([deployment])
        assert deployment.cancelled()

    async def work(_: str) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.sleep(10)

    applied = Applied(CHAIN, NotingTarget(work), policy=Policy(timeout=5))
    _, seconds = virtually(scenario())
    assert seconds == 15
    assert applied.record.last() == {"base": "succeeded", "ml": "cancelled", "api": "cancelled"}


def test_an_attempt_that_was_cancelled_leaves_nothing_to_the_next() -> None:
    """What a target does with timeouts and context variables of its own is not disturbed by what went before."""
    variable: ContextVar[str] = ContextVar("variable", default="untouched")
    found = []

    async def work(name: str) -> None:
        found.append(variable.get())
        if name == "b":
            variable.set(name)
        if name == "a":
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 1)
        if sys.version_info >= (3, 11):
            assert asyncio.current_task().cancelling() == (name == "a")

    edges: Graph = dict.fromkeys("abc", ())
    result, _ = virtually(Applied(edges, NotingTarget(work), policy=Policy(1, timeout=5)).start())
    assert [status.error for status in result.environments] == ["", "", ""]
    assert found == ["untouched"] * 3


def test_variables_of_targets_need_not_be_comparable() -> None:
    """Arrays and frames, of which nobody can say whether they are equal, do not stop a deployment."""

    class Frame:
        __hash__ = None  # type: ignore[assignment]  # as a DataFrame

        def __eq__(self, other: object) -> bool:
            raise ValueError("The truth value of a DataFrame is ambiguous")

    variable: ContextVar[Frame] = ContextVar("variable")

    async def scenario() -> Deployment:
        variable.set(Frame())
        return await Applied(dict.fromkeys("abc", ()), NotingTarget(work)).start()

    async def work(name: str) -> None:
        variable.set(Frame())

    assert asyncio.run(scenario()).states == dict.fromkeys("abc", "succeeded")


def test_the_longest_way_is_begun_first() -> None:
    """With one place, what most depends on goes before what was registered before it."""
    edges: Graph = {"side": (), "other": (), **CHAIN}
    applied = Applied(edges, NotingTarget(), limit=1)
    assert asyncio.run(applied.start()).order == ["base", "ml", "side", "other", "api"]


def removing(*gone: Deployed, session: Graph | None = None) -> tuple[Plan, dict[str, Bundle]]:
    """Return a plan that removes all that is deployed and not in `session`."""
    session = session or {}
    bundles = {name: Bundle(name, {"depends_on": list(needs)}, {}, "new") for name, needs in session.items()}
    has = {found.name: found for found in gone}
    return make_plan("noting", list(session), session, bundles, has, removable=set(has)), bundles


def test_removals_are_done_in_order() -> None:
    """What uses others is removed before them, it is told as removed, and it is not part of what is deployed."""
    plan, bundles = removing(there("base"), there("ml", ["base"]), session={"a": ()})
    target, record = NotingTarget(), Memory()
    result = asyncio.run(apply_plan(plan, bundles, target, Policy(), record))
    assert result.states == {"a": "succeeded", "ml": "removed", "base": "removed"}
    assert result.succeeded
    assert result.order == ["a"]
    assert target.log.index(("ml", "succeeded")) < target.log.index(("base", "begun"))


def test_what_is_still_used_is_not_removed() -> None:
    """If the update that ends its use fails, the removal is skipped."""

    async def work(name: str) -> None:
        if name == "ml":
            raise ConnectionError

    plan, bundles = removing(there("base"), there("ml", ["base"]), session={"ml": ()})
    result = asyncio.run(apply_plan(plan, bundles, NotingTarget(work), Policy(), Memory()))
    assert result.states == {"ml": "failed", "base": "skipped"}


def test_a_blocked_plan_is_refused() -> None:
    """Nothing is done if one step cannot be taken."""
    edges: Graph = {"base": (), "ml": ("bse",)}
    bundles = {name: Bundle(name, {}, {}, "new") for name in edges}
    plan, target, record = make_plan("noting", list(edges), edges, bundles, {}), NotingTarget(), Memory()
    with pytest.raises(DeploymentBlockedError, match="'bse' is not defined"):
        asyncio.run(apply_plan(plan, bundles, target, Policy(), record))
    assert (target.log, record.events, record.settled) == ([], [], 0)


def test_what_the_target_says_is_recorded() -> None:
    """Lines go to the record with the environment they are of, but for those that come when all is over."""
    logs = []

    class Talking(NotingTarget):
        async def deploy_environment(self, bundle: Bundle, log: Callable[[str], None]) -> None:  # type: ignore[override]
            await asyncio.to_thread(log, f"image of {bundle.name} is there")
            logs.append(log)

    applied = Applied(CHAIN, Talking())
    asyncio.run(applied.start())
    assert applied.record.lines == [(name, f"image of {name} is there") for name in CHAIN]
    logs[0]("too late")
    assert len(applied.record.lines) == 3


def test_no_credential_is_in_an_error() -> None:
    """What a target raises may hold a password; neither status nor log does."""

    async def work(_: str) -> None:
        raise ConnectionError("https://me:hunter2@host refused")

    applied = Applied(CHAIN, NotingTarget(work), policy=Policy(retries=1, backoff=Backoff(0)))
    result = asyncio.run(applied.start())
    assert "refused" in result.environments[0].error
    assert "hunter2" not in repr((result, applied.record))


@pytest.mark.parametrize("exit_", [KeyboardInterrupt, SystemExit])
def test_a_target_that_ends_the_process_leaves_nothing_half_done(exit_: type[BaseException]) -> None:
    """It failed, the rest is cancelled, the record settles, and only then the process may end."""
    begun = asyncio.Event()

    async def work(name: str) -> None:
        if name == "base":
            await begun.wait()
            raise exit_
        begun.set()
        await asyncio.Event().wait()

    applied = Applied({**CHAIN, "other": ()}, NotingTarget(work), policy=Policy(retries=3))
    with pytest.raises(exit_):
        asyncio.run(applied.start())
    assert applied.record.last() == {"base": "failed", "ml": "skipped", "api": "skipped", "other": "cancelled"}
    assert applied.record.settled == 1


class Broken(Memory):
    """A record that cannot take more than so many notes."""

    room = 3

    def note(self, status: EnvironmentStatus) -> None:
        if len(self.events) == self.room:
            raise StateError("state.sqlite3", "disk full")
        super().note(status)


def test_what_cannot_be_recorded_is_not_gone_on_with() -> None:
    """When the record fails, what runs is stopped, nothing else begins, and its error is raised."""
    begun = asyncio.Event()

    async def work(name: str) -> None:
        if name == "base":
            await begun.wait()
        else:
            begun.set()
            await asyncio.Event().wait()

    target = NotingTarget(work)
    with pytest.raises(StateError, match="disk full"):
        asyncio.run(asyncio.wait_for(Applied({"other": (), **CHAIN}, target, record=Broken()).start(), 10))
    assert target.log == [("base", "begun"), ("other", "begun"), ("base", "succeeded"), ("other", "cancelled")]


def test_a_record_that_does_not_settle_fails_the_deployment() -> None:
    """What is not durable is not reported as done."""

    class Unsettled(Memory):
        async def settle(self) -> None:
            raise StateError("state.sqlite3", "disk full")

    with pytest.raises(StateError, match="disk full"):
        asyncio.run(Applied(CHAIN, NotingTarget(), record=Unsettled()).start())


@pytest.mark.parametrize("times", [1, 3])
def test_the_record_settles_however_often_it_is_cancelled(times: int) -> None:
    """The cancellation goes on, but not before all that was told is durable."""

    class Slow(Memory):
        async def settle(self) -> None:
            for _ in range(times):
                deployment.cancel()
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            self.settled += 1

    async def scenario() -> None:
        nonlocal deployment
        deployment = asyncio.ensure_future(applied.start())
        await asyncio.wait([deployment])
        assert deployment.cancelled()

    deployment: asyncio.Future[Deployment]
    applied = Applied(CHAIN, NotingTarget(), record=Slow())
    asyncio.run(scenario())
    assert applied.record.settled == 1
    assert set(applied.record.last().values()) == {"succeeded"}


def test_cancelling_while_a_retry_is_waited_for() -> None:
    """It ends at once: the next attempt never begins, the last error is told, and no timer is left."""

    async def scenario() -> None:
        deployment = asyncio.ensure_future(applied.start())
        await asyncio.sleep(30)
        deployment.cancel()
        await asyncio.wait([deployment])
        assert deployment.cancelled()
        timers = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]
        assert all(timer.cancelled() for timer in timers)

    applied = Applied(CHAIN, NotingTarget(Fails("fails")), policy=Policy(retries=1, backoff=Backoff(60)))
    _, seconds = virtually(scenario())
    assert seconds == 30
    assert applied.record.last() == dict.fromkeys(CHAIN, "cancelled")
    (error,) = (event.error for event in applied.record.events if event.name == "base" and event.state.is_final)
    assert error == "cancelled before its next attempt; ConnectionError: registry unreachable"


def test_what_never_waits_can_be_cancelled() -> None:
    """A target that does not await gives way to others between two environments."""

    async def scenario() -> None:
        deployment = asyncio.ensure_future(applied.start())
        for _ in range(20):
            await asyncio.sleep(0)
        deployment.cancel()
        await asyncio.wait([deployment])
        assert deployment.cancelled()

    applied = Applied({f"n{number}": () for number in range(500)}, NotingTarget(), limit=1)
    asyncio.run(scenario())
    assert Counter(applied.record.last().values())["cancelled"] > 400


def test_a_loop_that_is_closed_over_a_deployment_makes_it_tell_nothing() -> None:
    """What became of it is not known then: nothing is told as failed or cancelled."""

    async def scenario() -> asyncio.Future[Deployment]:
        deployment = asyncio.ensure_future(applied.start())
        await begun.wait()
        return deployment

    async def work(_: str) -> None:
        begun.set()
        await asyncio.Event().wait()

    begun, applied = asyncio.Event(), Applied(CHAIN, NotingTarget(work))
    loop = asyncio.new_event_loop()
    left = [loop.run_until_complete(scenario()), *asyncio.all_tasks(loop)]
    loop.close()
    for task in left:
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        task.get_coro().close()  # type: ignore[attr-defined]
    assert applied.lives() == {"base": (State.RUNNING,)}


def test_what_an_interrupt_strikes_is_cancelled() -> None:
    """Raised in the code of a target that blocks, it stops the deployment: nothing failed, and nothing else begins."""

    async def blocked(name: str) -> None:
        raise Interrupted("interrupted")

    applied = Applied({**CHAIN, "other": ()}, NotingTarget(blocked), policy=Policy(1, retries=3))
    with pytest.raises(Interrupted):
        asyncio.run(applied.start())
    assert applied.target.log == [("base", "begun"), ("base", "cancelled")]
    assert applied.record.last() == dict.fromkeys(applied.edges, "cancelled")
    assert applied.record.events[-1].error != "CancelledError: cancelled by the target"


def test_remarks_are_logged_once() -> None:
    """What there is to remark on an environment is in its log before all else, however often it is tried."""
    calls = iter([RuntimeError("no"), RuntimeError("no"), None])

    async def third_time(name: str) -> None:
        if error := next(calls):
            raise error

    plan, bundles = planned({"base": ()})
    plan = replace(plan, steps=tuple(replace(step, remarks=("one", "two")) for step in plan.steps))
    record, policy = Memory(), Policy(1, retries=2, backoff=Backoff(0))
    assert asyncio.run(apply_plan(plan, bundles, NotingTarget(third_time), policy, record)).succeeded
    assert record.lines[:2] == [("base", "one"), ("base", "two")]
    assert [line for _, line in record.lines].count("one") == 1


def test_whatever_is_logged_becomes_text() -> None:
    """Targets are the code of others, and a log that is no text is no reason to fail."""

    class Counting(NotingTarget):
        async def deploy_environment(self, bundle: Bundle, log: Callable[[Any], None]) -> None:  # type: ignore[override]
            log(123)
            log(None)

    applied = Applied({"base": ()}, Counting())
    assert asyncio.run(applied.start()).succeeded
    assert applied.record.lines == [("base", "123"), ("base", "None")]
