"""Planning is linear: a chain, a graph with three edges for each environment, and a ladder of diamonds.

Not part of the default run:

    pytest -o addopts=--import-mode=importlib tests/benchmarks
"""

from __future__ import annotations

import random
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pytest

import flyte_nb

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = 100_000
EDGES_EACH = 3
DIAMONDS = 1_000
GENEROUS = 3.5  # a linear operation has 2, a bit more where memory is slower than the cache; a quadratic one has 4

FLYTE_LADDER = """
import json, time
import flyte
from flyte._deploy import plan_deploy  # what flyte.deploy does first; it has no public name

def ladder(depth):
    top = flyte.TaskEnvironment("top0")
    for level in range(1, depth + 1):
        sides = [flyte.TaskEnvironment(f"{side}{level}", depends_on=[top]) for side in ("left", "right")]
        top = flyte.TaskEnvironment(f"top{level}", depends_on=sides)
    begun = time.perf_counter()
    plan_deploy(top)
    return time.perf_counter() - begun

print(json.dumps({depth: ladder(depth) for depth in (14, 16, 18, 20)}))
"""


def chain(size: int) -> None:
    """Define a chain."""
    for index in range(size):
        flyte_nb.TaskEnvironment(f"n{index}", depends_on=[f"n{index - 1}"] if index else ())


def graph(size: int) -> None:
    """Define environments that each depend on up to three earlier ones, the same at every run."""
    chosen = random.Random(1)  # noqa: S311
    for index in range(size):
        dependencies = [f"n{chosen.randrange(index)}" for _ in range(min(index, EDGES_EACH))]
        flyte_nb.TaskEnvironment(f"n{index}", depends_on=dependencies)


def ladder(diamonds: int) -> None:
    """Define diamonds one above the other: 2 ** diamonds paths from the top to the bottom."""
    flyte_nb.TaskEnvironment("top0")
    for level in range(1, diamonds + 1):
        for side in ("left", "right"):
            flyte_nb.TaskEnvironment(f"{side}{level}", depends_on=[f"top{level - 1}"])
        flyte_nb.TaskEnvironment(f"top{level}", depends_on=[f"left{level}", f"right{level}"])


SHAPES = pytest.mark.parametrize("shape", [chain, graph], ids=lambda shape: shape.__name__)


@SHAPES
def test_defining(growth: Callable[..., float], shape: Callable[[int], None]) -> None:
    """Twice as many environments take twice as long to define."""
    sizes: list[int] = []

    def prepare(size: int) -> None:
        flyte_nb.reset()
        sizes.append(size)

    assert growth(prepare, lambda: shape(sizes[-1]), SIZE) < GENEROUS


def define_anew(shape: Callable[[int], None]) -> Callable[[int], None]:
    """Return what makes the session hold `shape` of a size and nothing else."""

    def prepare(size: int) -> None:
        if len(flyte_nb.registry()) != size:
            flyte_nb.reset()
            shape(size)

    return prepare


@SHAPES
def test_ordering(growth: Callable[..., float], shape: Callable[[int], None]) -> None:
    """Twice as many environments take twice as long to order."""
    # At half the size much of it fits the processor's cache, which is not what is measured here.
    assert growth(define_anew(shape), flyte_nb.deployment_order, 2 * SIZE) < GENEROUS


@SHAPES
def test_planning(growth: Callable[..., float], shape: Callable[[int], None]) -> None:
    """Twice as many environments take twice as long to plan."""
    assert growth(define_anew(shape), flyte_nb.plan, SIZE) < GENEROUS


def test_a_ladder_of_diamonds(benchmark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A ladder of 1,000 diamonds plans in well under a second."""
    ladder(DIAMONDS)
    plan = benchmark.pedantic(flyte_nb.plan, rounds=5)
    assert plan.order[0] == "top0"
    assert plan.order[-1] == f"top{DIAMONDS}"
    assert len(plan.waves) == 2 * DIAMONDS + 1
    with capsys.disabled():
        print(f"\n{DIAMONDS} diamonds: {benchmark.stats.stats.median:.3f} s")
    assert benchmark.stats.stats.median < 0.5


def test_a_ladder_of_diamonds_in_flytes_sdk(
    flyte_process: Callable[[str], dict[str, float]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Flyte's SDK doubles its time with each diamond; here the same twenty take less than its fourteen."""
    seconds = flyte_process(FLYTE_LADDER)
    ladder(20)
    begun = perf_counter()
    flyte_nb.plan()
    ours = perf_counter() - begun
    with capsys.disabled():
        told = ", ".join(f"{depth} diamonds {value:.4f} s" for depth, value in seconds.items())
        print(f"\nFlyte's SDK: {told}; flyte_nb: 20 diamonds {ours:.4f} s")
    assert seconds["20"] / seconds["16"] > 8  # four levels: 16 if it doubles with each
    assert ours < seconds["20"]
