"""What it costs that calls are tracked, beside asyncio's own tasks and Flyte's local run.

Not part of the default run:

    pytest -o addopts=--import-mode=importlib tests/benchmarks/test_calls.py
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any

import flyte_nb
from flyte_nb.session import session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    import pytest

CALLS, ROUNDS = 20_000, 11

FLYTE_RUN = """
import json, time
import flyte
env = flyte.TaskEnvironment("bench")

@env.task
async def nothing() -> int:
    return 1

@env.task
async def many(n: int) -> float:
    begun = time.perf_counter()
    for _ in range(n):
        await nothing()
    return (time.perf_counter() - begun) / n

flyte.init()
flyte.with_runcontext(mode="local").run(many, 20)
print(json.dumps(flyte.with_runcontext(mode="local").run(many, 500).outputs().o0))
"""


async def bare() -> int:
    """Do nothing."""
    return 1


def _tracked() -> Callable[[], Awaitable[int]]:
    task: Any = flyte_nb.TaskEnvironment("bench").task(bare)
    return task


async def _seconds(call: Callable[[], Awaitable[int]]) -> float:
    begun = perf_counter()
    for _ in range(CALLS):
        await call()
    return (perf_counter() - begun) / CALLS


async def _three_ways(tracked: Callable[[], Awaitable[int]]) -> tuple[float, float, float]:
    """Return the least seconds a call takes bare, as an asyncio task, and tracked; in turn, so that noise hits all."""
    ways: tuple[Callable[[], Awaitable[int]], ...] = (bare, lambda: asyncio.create_task(bare()), tracked)
    rounds = [[await _seconds(way) for way in ways] for _ in range(ROUNDS)]
    least = [min(column) for column in zip(*rounds, strict=True)]
    return least[0], least[1], least[2]


def test_a_tracked_await_beside_asyncios_own_tasks(capsys: Any) -> None:
    """Over the bare coroutine it costs at most 0.6 of what create_task and await cost."""
    plain, created, tracked = asyncio.run(_three_ways(_tracked()))
    ratio = (tracked - plain) / created
    with capsys.disabled():
        print(
            f"\nbare {plain * 1e6:.2f} us, create_task {created * 1e6:.2f} us, tracked {tracked * 1e6:.2f} us; "
            f"tracking costs {ratio:.2f} of create_task"
        )
    assert ratio <= 0.6


def test_a_recorded_await_beside_asyncios_own_tasks(
    capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the history on, as in a notebook, calls by themselves cost at most 0.6 of what create_task costs."""
    monkeypatch.setenv("FLYTE_NB_HOME", str(tmp_path))
    session().history.start()
    try:
        plain, created, recorded = asyncio.run(_three_ways(_tracked()))
    finally:
        session().history.stop()
        assert session().history.flush()
    ratio = (recorded - plain) / created
    with capsys.disabled():
        print(f"\nrecorded {recorded * 1e6:.2f} us; tracking and recording cost {ratio:.2f} of create_task")
    assert ratio <= 0.6


def test_a_tracked_await_beside_flytes_local_run(flyte_process: Callable[[str], Any], capsys: Any) -> None:
    """At least 100 times less than the same call in Flyte's local run."""
    flyte_seconds = float(flyte_process(FLYTE_RUN))
    plain, _, tracked = asyncio.run(_three_ways(_tracked()))
    with capsys.disabled():
        print(f"\nFlyte's local run {flyte_seconds * 1e6:.0f} us a call, ours {tracked * 1e6:.2f} us")
    assert flyte_seconds >= 100 * (tracked - plain)
