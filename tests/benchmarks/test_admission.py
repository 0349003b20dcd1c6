"""What admission costs: a call that claims nothing, and ten thousand that wait.

Not part of the default run:

    pytest -o addopts=--import-mode=importlib tests/benchmarks/test_admission.py
"""

from __future__ import annotations

import asyncio
import gc
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pytest

from flyte_nb.machine.admission import Admission
from flyte_nb.machine.claims import Claim
from flyte_nb.machine.detect import Gpu, Machine

if TYPE_CHECKING:
    from collections.abc import Callable

MACHINE = Machine(8.0, 2**36, tuple(Gpu(str(index), "Tesla T4") for index in range(4)))
CALLS, WAITING, ROUNDS = 20_000, 10_000, 5
SAME = [Claim(cores=4, memory=2**30)]
VARIED = [
    Claim(1 + index / WAITING, index % 7 << 28, index % 3, "T4" if index % 3 else "", index % 2)
    for index in range(WAITING)
]


def ignore(words: str) -> None:
    """Do nothing with what is told."""


def test_claiming_nothing(capsys: Any) -> None:
    """A call that claims nothing spends at most a fifth on it of what one step of the loop takes."""

    async def measure() -> float:
        admission, claim = Admission(MACHINE, 2), Claim()
        begun = perf_counter()
        for _ in range(CALLS):
            admission.release(await admission.acquire(claim, "env.task", ignore))
        admitted = perf_counter()
        for _ in range(CALLS):
            await asyncio.sleep(0)
        return (admitted - begun) / (perf_counter() - admitted)

    ratio = min(asyncio.run(measure()) for _ in range(ROUNDS))
    with capsys.disabled():
        print(f"\nclaiming nothing over one step of the loop: {ratio:.2f}")
    assert ratio <= 0.2


async def all_in_turn(claims: list[Claim], size: int) -> None:
    """Let `size` tasks come at once that each begin when their turn comes, and end one step later."""
    admission = Admission(MACHINE, 2)

    async def task(number: int) -> None:
        grant = await admission.acquire(claims[number % len(claims)], "env.task", ignore)
        await asyncio.sleep(0)
        admission.release(grant)

    await asyncio.gather(*map(task, range(size)))


@pytest.mark.parametrize("claims", [SAME, VARIED], ids=["one claim", "ten thousand claims"])
def test_ten_thousand_wait(growth: Callable[..., float], claims: list[Claim]) -> None:
    """Twice as many that wait take about twice as long: a turn costs the same however many are behind."""
    sizes: list[int] = []
    ratio = growth(sizes.append, lambda: asyncio.run(all_in_turn(claims, sizes[-1])), WAITING)
    assert ratio <= 2.8


def test_a_turn_costs_as_much_with_many_behind(capsys: Any) -> None:
    """Of ten thousand that wait, each costs at most twice what it does among a hundred."""

    def each(size: int) -> float:
        gc.collect()
        begun = perf_counter()
        for _ in range(WAITING // size):
            asyncio.run(all_in_turn(SAME, size))
        return (perf_counter() - begun) / WAITING

    few, many = (min(each(size) for _ in range(ROUNDS)) for size in (100, WAITING))
    with capsys.disabled():
        print(f"\na turn: {few * 1e6:.0f} us among 100, {many * 1e6:.0f} us among {WAITING:,}")
    assert many <= 2 * few
