"""How long a kernel takes from an interrupt until it is idle again, in a real kernel.

Not part of the default run:

    pytest -o addopts=--import-mode=importlib tests/benchmarks/test_interrupts.py
"""

from __future__ import annotations

import random
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.kernel.notebook import Notebook

TRIES = 50

SETUP = """
%load_ext flyte_nb
import asyncio, threading, time, flyte_nb as flyte
env = flyte.TaskEnvironment("env")
@env.task
async def awaiting():
    print("running", flush=True)
    await asyncio.sleep(60)
@env.task
async def computing():
    print("running", flush=True)
    while True:
        sum(range(1000))
@env.task
def looping():
    print("running", flush=True)
    while True:
        sum(range(1000))
"""


@pytest.fixture
def kernel(fresh_kernel: Notebook) -> Notebook:
    fresh_kernel.ok(SETUP)
    return fresh_kernel


@pytest.mark.parametrize("call", ["awaiting()", "computing()", "looping.aio()"])
def test_interrupt_to_idle(kernel: Notebook, call: str, capsys: Any) -> None:
    """The 99th percentile is under a second, whatever the work does, and no thread or process is left."""
    kernel.ok("x = %flyte_run asyncio.sleep(0)\nawait asyncio.to_thread(int)")
    threads = kernel.value("threading.active_count()")
    took = sorted(_interrupt(kernel, f"result = %flyte_run {call}") for _ in range(TRIES))
    with capsys.disabled():
        print(f"\n{call}: median {took[TRIES // 2]:.3f} s, p99 {took[-1]:.3f} s, of {TRIES} tries")
    assert took[-1] < 1.0
    # An executor keeps its threads for the next work; none of them may be busy.
    executor_threads = kernel.value("asyncio.get_running_loop()._default_executor._max_workers") + 1
    assert kernel.value("threading.active_count()") <= threads + executor_threads
    busy = "await asyncio.wait_for(asyncio.gather(*(asyncio.to_thread(int) for _ in range(100))), 5)"
    kernel.ok(busy)
    kernel.ok(
        "import subprocess, os\nchildren = subprocess.run(['pgrep', '-P', str(os.getpid())], capture_output=True)"
    )
    assert kernel.value("len(children.stdout.split())") <= 1  # pgrep itself


def _interrupt(kernel: Notebook, cell: str) -> float:
    """Run a cell, interrupt it some time later, and return the seconds from the interrupt until the kernel is idle."""
    request = kernel.submit(cell)
    kernel.wait_for(request, "running")
    sleep(random.uniform(0.0, 1.0))  # noqa: S311 - any phase of the work's heartbeat
    begun = perf_counter()
    kernel.interrupt()
    (result,) = kernel.results(request)
    assert result.ename == "KeyboardInterrupt"
    return perf_counter() - begun
