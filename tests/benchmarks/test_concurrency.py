"""Many calls at once under one root, watched in a notebook, beside asyncio.gather of the bare coroutines.

Not part of the default run:

    pytest -o addopts=--import-mode=importlib tests/benchmarks/test_concurrency.py
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.kernel.notebook import Notebook

ROUNDS = 15

SETUP = """
%load_ext flyte_nb
import asyncio, gc, tracemalloc, flyte_nb as flyte
from time import perf_counter
N = 10_000
env = flyte.TaskEnvironment("env")
async def bare():
    return 1
noop = env.task(bare)
async def rate(call):
    begun = perf_counter()
    await asyncio.gather(*(call() for _ in range(N)))
    return N / (perf_counter() - begun)
@env.task
async def watched(rest: float) -> float:
    await asyncio.sleep(rest)  # the view is on screen when the calls begin, and is updated while they go on
    found = await rate(noop)
    await asyncio.sleep(rest)
    return found
gc.collect()
"""
HELD = """
await asyncio.sleep(1)  # what asyncio itself holds is let go; the history has written what it needs
gc.collect()
held = tracemalloc.get_traced_memory()[0]
"""


@pytest.fixture
def kernel(fresh_kernel: Notebook) -> Notebook:
    fresh_kernel.ok(SETUP)
    return fresh_kernel


def test_ten_thousand_at_once(kernel: Notebook, capsys: Any) -> None:
    """With the live view and the history on, at least 0.4 of the rate of the bare coroutines."""
    ratios = []
    for _ in range(ROUNDS):
        kernel.ok("plain = await rate(bare)")
        shown = kernel.ok("tracked = %flyte_run watched(0.4)")
        assert any(message["msg_type"] == "comm_msg" for message in shown.messages), "there was no live view"
        ratios.append(kernel.value("tracked / plain"))
    with capsys.disabled():
        print(f"\nrate of tracked over bare: median {median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}")
    assert median(ratios) >= 0.4


def test_memory_of_ten_thousand(kernel: Notebook, capsys: Any) -> None:
    """A finished call that is kept, with all that its view on screen holds, takes at most 1.5 KiB."""
    kernel.ok("tracemalloc.start()\ntracked = %flyte_run watched(0.4)")  # what the first run brings stays for all
    kernel.ok(f"{HELD}before = held")
    kernel.ok("tracked = %flyte_run watched(0.4)")
    kernel.ok(HELD)
    each = kernel.value("(held - before) / N")
    with capsys.disabled():
        print(f"\n{each:.0f} bytes a call")
    assert 100 <= each <= 1.5 * 1024
