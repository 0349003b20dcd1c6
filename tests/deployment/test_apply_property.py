"""Whatever depends on whatever, fails, hangs, is tried again or cancelled: the order holds and the truth is told."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flyte_nb.bundle.content import Bundle
from flyte_nb.deployment.applying.apply import Policy, apply_plan
from flyte_nb.deployment.applying.status import State
from flyte_nb.deployment.planning.making import make_plan
from flyte_nb.model.policies import Backoff
from tests.deployment.fakes import Memory, VirtualTime, deployed, there

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flyte_nb.deployment.planning.plan import Plan
    from flyte_nb.targets.protocol import Deployed

GRAPHS = 10_000

KINDS = ("new", "changed", "same", "gone")
# How an attempt goes: "rude" and "stubborn" ones hang, and fail or succeed once they are cancelled.
MANNERS = ("good", "good", "good", "bad", "hangs", "rude", "stubborn")
POSSIBLE_ENDS = {
    "new": {"succeeded", "failed", "timed out", "skipped", "cancelled", "lost"},
    "changed": {"succeeded", "failed", "timed out", "skipped", "cancelled", "lost"},
    "same": {"unchanged", "skipped", "cancelled"},
    "gone": {"removed", "failed", "timed out", "skipped", "cancelled", "lost"},
}


@dataclass(frozen=True)
class Node:
    """An environment: what becomes of it, what it needs now and needed when it was deployed, and how attempts go."""

    name: str
    kind: str
    needs: tuple[str, ...]
    needed: tuple[str, ...]
    manners: tuple[str, ...]
    seconds: int


@dataclass(frozen=True)
class Scenario:
    nodes: tuple[Node, ...]
    policy: Policy
    cancel_at: tuple[float, ...]
    durations: Mapping[str, float]

    @property
    def session(self) -> dict[str, tuple[str, ...]]:
        """What the session defines, with what it depends on."""
        return {node.name: node.needs for node in self.nodes if node.kind != "gone"}


# Two numbers for each node, which say what it needs and needed, and all else: it is drawing that takes the time.
NUMBERS = st.lists(
    st.tuples(st.integers(0, 256 * 256 - 1), st.integers(0, len(KINDS) * len(MANNERS) ** 2 * 5 - 1)),
    min_size=1,
    max_size=9,
)


def drawn_node(edges: int, rest: int) -> tuple[int, int, str, tuple[str, str], int]:
    """Return which nodes it needs and needed, its kind, how two attempts go, and how long they take."""
    rest, seconds = divmod(rest, 5)
    rest, second = divmod(rest, len(MANNERS))
    kind, first = divmod(rest, len(MANNERS))
    return *divmod(edges, 256), KINDS[kind], (MANNERS[first], MANNERS[second]), seconds


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Return any scenario of up to nine environments."""
    drawn = [drawn_node(*numbers) for numbers in draw(NUMBERS)]
    cancel_at = draw(st.lists(st.integers(0, 14), max_size=2))
    timeout = draw(st.sampled_from([None, 2.5]))
    kinds = {f"n{at}": kind for at, (_, _, kind, _, _) in enumerate(drawn)}
    nodes = []
    for at, (needs, needed, kind, manners, seconds) in enumerate(drawn):
        earlier = [f"n{other}" for other in range(at)]
        now = tuple(name for bit, name in enumerate(earlier) if needs >> bit & 1 and kinds[name] != "gone")
        before = tuple(name for bit, name in enumerate(earlier) if needed >> bit & 1 and kinds[name] != "new")
        if timeout is None and not cancel_at and manners != ("good", "good"):
            manners = ("bad", "bad")  # what hangs would do so for good
        nodes.append(Node(f"n{at}", kind, now, now if kind == "same" else before, manners, seconds))
    policy = Policy(draw(st.integers(1, 4)), timeout, draw(st.integers(0, 2)), Backoff(1))
    known = draw(st.integers(0, 511))
    durations = {node.name: float(node.seconds) for at, node in enumerate(nodes) if known >> at & 1}
    return Scenario(tuple(nodes), policy, tuple(sorted(at + 0.25 for at in cancel_at)), durations)


@dataclass
class Cluster:
    """A target that deploys as it is told to, and looks at the order itself."""

    nodes: Mapping[str, Node]
    has: dict[str, Deployed] = field(default_factory=dict)
    effects: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    running: set[str] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)  # of the order
    most_running: int = 0
    is_well: bool = False
    name = "cluster"

    @classmethod
    def of(cls, scenario: Scenario) -> Cluster:
        old = {"changed": "old", "gone": "old", "same": "new"}
        has = {n.name: there(n.name, n.needed, old[n.kind]) for n in scenario.nodes if n.kind in old}
        return cls({node.name: node for node in scenario.nodes}, has)

    def observe(self) -> Mapping[str, Deployed]:
        return dict(self.has)

    def remarks(self, spec: object) -> tuple[str, ...]:
        return ()

    def refusals(self, bundles: object) -> dict[str, Any]:
        return {}

    async def deploy_environment(self, bundle: Bundle, log: object) -> None:
        needs = self.nodes[bundle.name].needs
        self.violations += [need for need in needs if need not in self.has or self.has[need].fingerprint != "new"]
        with self._attempt(bundle.name):
            await self._work(bundle.name)
            self.has[bundle.name] = deployed(bundle)
            self.effects[bundle.name] += 1

    async def remove_environment(self, name: str, log: object) -> None:
        self.violations += [user for user, found in self.has.items() if name in found.specification["depends_on"]]
        with self._attempt(name):
            await self._work(name)
            del self.has[name]
            self.effects[name] += 1

    @contextmanager
    def _attempt(self, name: str) -> Iterator[None]:
        self.attempts[name] += 1
        self.running.add(name)
        self.most_running = max(self.most_running, len(self.running))
        try:
            yield
        finally:
            self.running.remove(name)

    async def _work(self, name: str) -> None:
        node = self.nodes[name]
        manner = "good" if self.is_well else dict(enumerate(node.manners, start=1)).get(self.attempts[name], "good")
        if manner in ("good", "bad"):
            if node.seconds:
                await asyncio.sleep(node.seconds)
            if manner == "bad":
                raise RuntimeError("cannot be done")
            return
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if manner == "hangs":
                raise
            await asyncio.sleep(node.seconds)
            if manner == "rude":
                raise RuntimeError("was interrupted") from None


def planned(scenario: Scenario, cluster: Cluster) -> tuple[Plan, dict[str, Bundle]]:
    """Return the plan of the session, with pruning, for what the cluster has now."""
    session = scenario.session
    bundles = {name: Bundle(name, {"depends_on": list(needs)}, {}, "new") for name, needs in session.items()}
    plan = make_plan(
        "cluster", list(session), session, bundles, cluster.observe(), removable=set(cluster.nodes),
        durations=scenario.durations,
    )  # fmt: skip
    return plan, bundles


async def apply_and_cancel(scenario: Scenario, cluster: Cluster, record: Memory) -> None:
    """Apply the plan, cancelling it when the scenario wants that, and wait until nothing is under way."""
    plan, bundles = planned(scenario, cluster)
    deployment = asyncio.ensure_future(apply_plan(plan, bundles, cluster, scenario.policy, record))
    begun = asyncio.get_running_loop().time()
    for at in scenario.cancel_at:
        await asyncio.wait([deployment], timeout=begun + at - asyncio.get_running_loop().time())
        if deployment.cancel():
            await asyncio.sleep(0)
    with suppress(asyncio.CancelledError):
        result = await deployment
        assert {status.name: status for status in result.environments} == {e.name: e for e in record.events}
        assert result.succeeded == all(State(state).is_success for state in record.last().values())
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others)  # what was cancelled twice goes on


def check_told(scenario: Scenario, cluster: Cluster, record: Memory) -> None:
    """Each environment got exactly one final state, and that is what became of it on the target."""
    assert record.settled == 1
    assert not cluster.violations
    assert cluster.most_running <= scenario.policy.max_concurrency
    lives = record.lives()
    assert set(lives) == set(cluster.nodes)
    for name, life in lives.items():
        *before, last = life
        assert last.is_final
        assert not any(state.is_final for state in before)
        assert last.value in POSSIBLE_ENDS[cluster.nodes[name].kind]
        tries = before.count(State.RUNNING)
        assert tries == cluster.attempts[name] or (last is State.CANCELLED and tries == cluster.attempts[name] + 1)
        assert tries <= scenario.policy.retries + 1
        if last is not State.LOST:
            assert (last in (State.SUCCEEDED, State.REMOVED)) == (cluster.effects[name] == 1)


async def check_rerun(scenario: Scenario, cluster: Cluster) -> None:
    """Planned again, what is left is done, nothing is repeated, and the target has what the session defines."""
    done = set(cluster.effects)
    cluster.is_well = True
    plan, bundles = planned(scenario, cluster)
    assert not done & {step.name for step in plan.steps if step.action.is_work}
    result = await apply_plan(plan, bundles, cluster, Policy(scenario.policy.max_concurrency), Memory())
    assert result.succeeded
    assert not cluster.violations
    assert set(cluster.has) == set(scenario.session)
    assert {found.fingerprint for found in cluster.has.values()} <= {"new"}
    assert all(cluster.effects[node.name] == (node.kind != "same") for node in scenario.nodes)


@pytest.mark.slow
def test_ten_thousand_graphs(capsys: pytest.CaptureFixture[str]) -> None:
    """No order is violated, each environment gets one true final state, and a second deployment does just the rest."""
    seen: Counter[str] = Counter()
    loop = VirtualTime()

    @settings(max_examples=GRAPHS, database=None, suppress_health_check=list(HealthCheck))
    @given(scenarios())
    def check(scenario: Scenario) -> None:
        cluster, record = Cluster.of(scenario), Memory()
        loop.run_until_complete(apply_and_cancel(scenario, cluster, record))
        check_told(scenario, cluster, record)
        loop.run_until_complete(check_rerun(scenario, cluster))
        seen.update(["graphs"], environments=len(scenario.nodes), **{"cancelled deployments": bool(scenario.cancel_at)})
        seen.update(record.last().values())

    try:
        check()
    finally:
        loop.close()
    with capsys.disabled():
        print("\n" + ", ".join(f"{count:,} {what}" for what, count in seen.most_common()))  # noqa: T201
    assert seen["graphs"] >= GRAPHS
    assert all(seen[state] for state in set.union(*POSSIBLE_ENDS.values()))
