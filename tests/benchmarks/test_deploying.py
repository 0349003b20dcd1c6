"""How close a deployment comes to the shortest time there can be, and what one costs that has nothing to do.

Not part of the default run:

    pytest -o addopts=--import-mode=importlib tests/benchmarks/test_deploying.py
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pytest

import flyte_nb
from flyte_nb.bundle.content import Bundle
from flyte_nb.deployment.applying.apply import Policy, apply_plan
from flyte_nb.deployment.planning.making import make_plan
from flyte_nb.graph import longest_ways, ordered, waves
from tests.deployment.fakes import deployed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flyte_nb.deployment.applying.status import EnvironmentStatus
    from flyte_nb.deployment.planning.plan import Plan

ENVIRONMENTS = 1_000
# Seconds that an environment takes.
WORK: dict[str, Callable[[], float]] = {
    "10 ms each": lambda: 0.01,
    "up to 20 ms": partial(random.Random(1).uniform, 0, 0.02),  # noqa: S311
}
UNBOUNDED, LIMITED = ENVIRONMENTS, 8
LAYERS = (20, 30, 40, 50)
GRAPHS_EACH = 2
WORST = 1.05  # times the shortest there can be
UNCHANGED = 5_000
INSTANT = 5_000

Graph = dict[str, tuple[str, ...]]
Deploy = Callable[[Graph, "Sleeper", int], Awaitable[None]]


def layered(size: int, layers: int, seed: int) -> Graph:
    """Return environments in layers of random sizes, each of which depends on one to three of the layer before."""
    chosen = random.Random(seed)  # noqa: S311
    names = [f"n{index}" for index in range(size)]
    cuts = [0, *sorted(chosen.sample(range(1, size), layers - 1)), size]
    edges: Graph = {}
    before: list[str] = []
    for first, end in pairwise(cuts):
        layer = names[first:end]
        for name in layer:
            edges[name] = tuple(chosen.sample(before, min(len(before), chosen.randint(1, 3))))
        before = layer
    return edges


class Silent:
    """A record that keeps nothing."""

    name = "d1"

    def note(self, status: EnvironmentStatus) -> None:
        pass

    def log(self, name: str, line: str) -> None:
        pass

    async def settle(self) -> None:
        pass


@dataclass
class Sleeper:
    """A target whose work is to sleep; it measures how long that took each time."""

    seconds: Callable[[], float]
    took: dict[str, float] = field(default_factory=dict)
    name = "sleeper"

    def observe(self) -> dict[str, Any]:
        return {}

    def remarks(self, spec: object) -> tuple[str, ...]:
        return ()

    def refusals(self, bundles: object) -> dict[str, Any]:
        return {}

    async def deploy_environment(self, bundle: Bundle, log: object) -> None:
        await self.deploy(bundle.name)

    async def remove_environment(self, name: str, log: object) -> None:
        await self.deploy(name)

    async def deploy(self, name: str) -> None:
        begun = perf_counter()
        if seconds := self.seconds():
            await asyncio.sleep(seconds)
        self.took[name] = perf_counter() - begun


def creating(edges: Graph) -> tuple[Plan, dict[str, Bundle]]:
    bundles = {name: Bundle(name, {}, {}, "new") for name in edges}
    return make_plan("sleeper", list(edges), edges, bundles, {}), bundles


async def ours(edges: Graph, target: Sleeper, limit: int) -> None:
    """Deploy with the engine, from the plan to the result."""
    plan, bundles = creating(edges)
    begun = perf_counter()
    assert (await apply_plan(plan, bundles, target, Policy(limit), Silent())).succeeded
    target.took["all"] = perf_counter() - begun


async def by_waves(edges: Graph, target: Sleeper, limit: int) -> None:
    """Deploy one wave after the other, each at once up to the limit."""
    begun = perf_counter()
    places = asyncio.Semaphore(limit)

    async def deploy(name: str) -> None:
        async with places:
            await target.deploy(name)

    for wave in waves(list(edges), edges):
        await asyncio.gather(*map(deploy, wave))
    target.took["all"] = perf_counter() - begun


async def one_by_one(edges: Graph, target: Sleeper, limit: int) -> None:
    """Deploy one environment after the other, as Flyte's SDK has to if the order is to hold."""
    begun = perf_counter()
    for name in ordered(list(edges), edges):
        await target.deploy(name)
    target.took["all"] = perf_counter() - begun


def ratio(edges: Graph, limit: int, work: str, deploy: Deploy) -> float:
    """Return how many times as long it takes as what no schedule can beat.

    That is the longest way through the graph, or all the work divided by the limit (Graham 1969), whichever is longer,
    by what the pieces of work really took.
    """
    target = Sleeper(WORK[work])
    asyncio.run(deploy(edges, target, limit))
    seconds = target.took.pop("all")
    ways, _ = longest_ways(ordered(list(edges), edges), edges, target.took)
    return seconds / max(max(ways.values()), sum(target.took.values()) / limit)


@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize("limit", [UNBOUNDED, LIMITED], ids=["unbounded", "at most 8"])
def test_makespan(limit: int, work: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A thousand environments take at most 1.05 times as long as they have to, in the median of the graphs."""
    graphs = [layered(ENVIRONMENTS, layers, seed) for layers in LAYERS for seed in range(GRAPHS_EACH)]
    found = [ratio(edges, limit, work, ours) for edges in graphs]
    waiting = [ratio(edges, limit, work, by_waves) for edges in graphs]
    sequential = ratio(graphs[-1], limit, work, one_by_one)  # one graph is enough, as it takes so long
    with capsys.disabled():
        print(f"\ntimes the shortest there can be: {told(found)}; wave by wave {told(waiting)}; ", end="")
        print(f"one by one {sequential:.1f}")
    assert median(found) <= WORST
    assert median(waiting) < sequential


def told(ratios: Sequence[float]) -> str:
    return f"median {median(ratios):.3f}, {min(ratios):.3f} to {max(ratios):.3f}"


@pytest.mark.parametrize("shape", ["flat", "chain"])
def test_overhead(shape: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What takes no time is deployed in far less than a millisecond each."""
    edges: Graph = {f"n{at}": (f"n{at - 1}",) if at and shape == "chain" else () for at in range(INSTANT)}
    target = Sleeper(lambda: 0.0)
    asyncio.run(ours(edges, target, LIMITED))
    each = target.took["all"] / INSTANT
    with capsys.disabled():
        print(f"\n{shape}: {each * 1e6:.0f} µs for each environment")
    assert each < 0.001


async def train(epochs: int = 1) -> int:
    """Stand for the work of an environment."""
    return epochs


def test_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """Five thousand environments that are deployed as they are defined: planned and deployed in under a second each."""
    for name, needs in layered(UNCHANGED, 50, 1).items():
        flyte_nb.TaskEnvironment(name, depends_on=needs).task(train)
    asyncio.run(flyte_nb.deploy())
    begun = perf_counter()
    plan = flyte_nb.plan()
    planned = perf_counter()
    result = asyncio.run(flyte_nb.deploy())
    ended = perf_counter()
    with capsys.disabled():
        print(f"\n{UNCHANGED:,} unchanged: planned in {planned - begun:.3f} s, deployed in {ended - planned:.3f} s")
    assert set(plan.actions.values()) == {"unchanged"}
    assert set(result.states.values()) == {"unchanged"}
    assert planned - begun < 1
    assert ended - planned < 1


def test_planning_and_applying_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Of that, the plan and its application, without reading code and state, take a fraction."""
    edges = layered(UNCHANGED, 50, 1)
    bundles = {name: Bundle(name, {"depends_on": list(needs)}, {}, "same") for name, needs in edges.items()}
    has = {name: deployed(bundle) for name, bundle in bundles.items()}
    begun = perf_counter()
    plan = make_plan("sleeper", list(edges), edges, bundles, has)
    planned = perf_counter()
    asyncio.run(apply_plan(plan, bundles, Sleeper(lambda: 0.0), Policy(), Silent()))
    applied = perf_counter()
    with capsys.disabled():
        print(f"\nwithout code and state: {planned - begun:.3f} s and {applied - planned:.3f} s")
    assert planned - begun < 0.25
    assert applied - planned < 0.5
