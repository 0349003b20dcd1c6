"""What running in a worker costs, beside bare sockets, an IPython kernel and dask.distributed, in one run.

Not part of the default run:

    pytest -o addopts=--import-mode=importlib tests/benchmarks/test_workers.py

What is compared takes turns, block by block, and medians count: other work on the machine hits all alike. dask is that
of this Python, or of the one that FLYTE_NB_DASK_PYTHON names.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import pickle
import struct
import subprocess
import sys
from contextlib import contextmanager, suppress
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from jupyter_client.manager import start_new_kernel

import flyte_nb
from flyte_nb.session import session
from tests.places.made import defined_in, deploy, made_wheel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    Way = Callable[[], Awaitable[object]]

BLOCKS, CALLS = 9, 200
SHORT_BLOCKS, SHORT_CALLS = 41, 60
VALUE = {"lr": 0.1, "layers": [64, 32, 16], "name": "small", "seed": None}

SOURCE = """
import asyncio
import os
import time
import flyte_nb as flyte

a = flyte.TaskEnvironment("bench-a")
b = flyte.TaskEnvironment("bench-b")

@a.task
async def echo(value: object) -> object:
    return value

@a.task
async def process() -> int:
    return os.getpid()

@b.task
async def double(number: int) -> int:
    return 2 * number

@b.task
async def echo_b(value: object) -> object:
    return value

@a.task
async def gathers(count: int) -> float:
    begun = time.perf_counter()
    assert await asyncio.gather(*(double(n) for n in range(count))) == [2 * n for n in range(count)]
    return time.perf_counter() - begun

@a.task
async def one_by_one(count: int) -> float:
    begun = time.perf_counter()
    for n in range(count):
        await double(n)
    return time.perf_counter() - begun

@a.task
async def holds_the_gil(count: int) -> int:
    return sum(range(count))
"""

SERVER = """
import asyncio, pickle, struct, sys

async def serve(reader, writer):
    while head := await reader.read(4):
        (length,) = struct.unpack("<I", head)
        answer = pickle.dumps(pickle.loads(await reader.readexactly(length)), 5)
        writer.write(struct.pack("<I", len(answer)) + answer)

async def main():
    async with await asyncio.start_unix_server(serve, sys.argv[1]) as server:
        print("ready", flush=True)
        await server.serve_forever()

asyncio.run(main())
"""

DASK = """
import json, sys, time
from distributed import Client, LocalCluster

def echo(value):
    return value

if __name__ == "__main__":
    value = json.loads(sys.argv[1])
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            client.submit(echo, value, pure=False).result()
            print("ready", flush=True)
            for line in sys.stdin:
                seconds = []
                for _ in range(int(line)):
                    begun = time.perf_counter()
                    client.submit(echo, value, pure=False).result()
                    seconds.append(time.perf_counter() - begun)
                print(sorted(seconds)[len(seconds) // 2], flush=True)
"""


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The tasks, deployed; their workers end with the test."""
    monkeypatch.setenv("FLYTE_NB_HOME", str(tmp_path / "home"))
    defined_in(SOURCE, tmp_path, monkeypatch, "benched")
    deploy()
    yield sys.modules["benched"]
    session().rest()


@contextmanager
def _on_local() -> Iterator[None]:
    with session().runner.collecting("local"):
        yield


async def _p50(way: Way, calls: int = CALLS) -> float:
    """Return the median seconds of a call."""
    seconds = []
    for _ in range(calls):
        begun = perf_counter()
        await way()
        seconds.append(perf_counter() - begun)
    return median(seconds)


async def _in_turn(ways: dict[str, tuple[Way, int]]) -> dict[str, float]:
    """Return the median over all blocks of what each way takes."""
    blocks: dict[str, list[float]] = {name: [] for name in ways}
    for way, _ in ways.values():
        await _p50(way, 3)
    gc.collect()
    for _ in range(BLOCKS):
        for name, (way, calls) in ways.items():
            blocks[name].append(await _p50(way, calls))
    return {name: median(block) for name, block in blocks.items()}


class _Echo:
    """A bare echo over a unix socket of asyncio's, in another process."""

    def __init__(self, folder: Path) -> None:
        self._path = str(folder / "echo")
        self.process = subprocess.Popen([sys.executable, "-c", SERVER, self._path], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_unix_connection(self._path)

    async def __call__(self) -> object:
        asked = pickle.dumps(VALUE, 5)
        self._writer.write(struct.pack("<I", len(asked)) + asked)
        (length,) = struct.unpack("<I", await self._reader.readexactly(4))
        given: object = pickle.loads(await self._reader.readexactly(length))  # noqa: S301 - from a process of ours
        return given

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    def end(self) -> None:
        self.process.terminate()
        self.process.communicate()


@contextmanager
def _on_cores(*others: int) -> Iterator[None]:
    """Keep this process on one core and others together on another: where they happen to be counts for half of it."""
    cores = sorted(os.sched_getaffinity(0))
    threads = [int(name) for name in os.listdir("/proc/self/task")]
    if len(cores) > 1:
        for thread in threads:
            os.sched_setaffinity(thread, cores[:1])
        for other in others:
            os.sched_setaffinity(other, cores[1:2])
    try:
        yield
    finally:
        for thread in threads:
            with suppress(ProcessLookupError):
                os.sched_setaffinity(thread, cores)


def test_a_warm_call_beside_a_bare_echo(tasks: Any, tmp_path: Path, capsys: Any) -> None:
    """At most twice what the same value takes there and back over a unix socket, pickled and unpickled twice."""

    async def measured() -> list[tuple[float, float]]:
        await echo.open()
        try:
            with _on_local():
                worker = await tasks.process()
                await _p50(lambda: tasks.echo(VALUE))
                with _on_cores(worker, echo.process.pid):
                    return [
                        (await _p50(lambda: tasks.echo(VALUE), SHORT_CALLS), await _p50(echo, SHORT_CALLS))
                        for _ in range(SHORT_BLOCKS)
                    ]
        finally:
            await echo.close()

    echo = _Echo(tmp_path)
    try:
        blocks = asyncio.run(measured())
    finally:
        echo.end()
    call, bare = (median(column) for column in zip(*blocks, strict=True))
    ratio = median(ours / theirs for ours, theirs in blocks)
    with capsys.disabled():
        print(f"\nwarm call {call * 1e6:.0f} us, bare echo {bare * 1e6:.0f} us, ratio {ratio:.2f}")
    assert ratio <= 2.0


def test_a_warm_call_beside_an_ipython_kernel(tasks: Any, capsys: Any) -> None:
    """At least five times faster than a kernel that evaluates an expression and returns its value."""
    manager, client = start_new_kernel()

    async def evaluated() -> object:
        sent = client.execute("", silent=True, user_expressions={"value": f"echo({VALUE!r})"})
        while True:
            reply = client.get_shell_msg(timeout=20)
            if reply["parent_header"].get("msg_id") == sent:
                return reply["content"]["user_expressions"]["value"]

    async def measured() -> dict[str, float]:
        with _on_local():
            return await _in_turn({"call": (lambda: tasks.echo(VALUE), CALLS), "kernel": (evaluated, 30)})

    try:
        client.execute_interactive("def echo(value): return value", timeout=20)
        took = asyncio.run(measured())
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    ratio = took["kernel"] / took["call"]
    with capsys.disabled():
        print(f"\nwarm call {took['call'] * 1e6:.0f} us, ipykernel {took['kernel'] * 1e6:.0f} us, {ratio:.1f} times")
    assert ratio >= 5.0


def test_a_warm_call_beside_dask(tasks: Any, tmp_path: Path, capsys: Any) -> None:
    """At least twenty times faster than dask.distributed with one process."""
    python = os.environ.get("FLYTE_NB_DASK_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import distributed"], capture_output=True, check=False).returncode:
        pytest.skip("dask.distributed is not installed: pip install 'flyte_nb[bench]'")
    script = tmp_path / "with_dask.py"
    script.write_text(DASK)
    dask = subprocess.Popen(
        [python, str(script), json.dumps(VALUE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert dask.stdin
    assert dask.stdout
    assert dask.stdout.readline() == "ready\n"

    async def measured() -> tuple[float, float]:
        assert dask.stdin
        assert dask.stdout
        ours, theirs = [], []
        with _on_local():
            await _p50(lambda: tasks.echo(VALUE), 20)
            for _ in range(BLOCKS):
                ours.append(await _p50(lambda: tasks.echo(VALUE)))
                dask.stdin.write("20\n")
                dask.stdin.flush()
                theirs.append(float(dask.stdout.readline()))
        return median(ours), median(theirs)

    try:
        call, other = asyncio.run(measured())
    finally:
        dask.stdin.close()
        dask.wait(30)
        dask.stdout.close()
    with capsys.disabled():
        print(f"\nwarm call {call * 1e6:.0f} us, dask.distributed {other * 1e6:.0f} us, {other / call:.1f} times")
    assert other >= 20 * call


def test_five_hundred_nested_calls(tasks: Any, capsys: Any) -> None:
    """At once they take less than a tenth of a second."""

    async def measured() -> tuple[float, float]:
        with _on_local():
            await tasks.gathers(500)
            return (
                median([await tasks.gathers(500) for _ in range(BLOCKS)]),
                median([await tasks.one_by_one(500) for _ in range(3)]),
            )

    together, after_each_other = asyncio.run(measured())
    with capsys.disabled():
        print(f"\n500 nested calls: {together * 1e3:.0f} ms at once, {after_each_other * 1e3:.0f} ms one by one")
    assert together < 0.1


def test_a_large_array_there_and_back(tasks: Any, capsys: Any) -> None:
    """100 MB take at most twice as long as copying them twice in memory, to where nothing was before.

    What is told beside it are copies of numpy's own: it asks for huge pages, which no shared memory without a name has
    unless the machine's administrator wants it, and which are three to five times quicker to come by.
    """
    array = np.random.default_rng(1).random(100_000_000 // 8)

    async def copied() -> object:
        return bytearray(memoryview(bytearray(memoryview(array).cast("B"))))

    async def copied_by_numpy() -> object:
        return array.copy().copy()

    async def measured() -> dict[str, float]:
        with _on_local():
            given = await tasks.echo(array)
            assert np.array_equal(given, array)
            ways: dict[str, tuple[Way, int]] = {"call": (lambda: tasks.echo(array), 3), "copies": (copied, 3)}
            return await _in_turn({**ways, "numpy": (copied_by_numpy, 3)})

    took = asyncio.run(measured())
    ratio = took["call"] / took["copies"]
    with capsys.disabled():
        copies = f"two copies {took['copies'] * 1e3:.0f} ms, ratio {ratio:.2f}; numpy's {took['numpy'] * 1e3:.0f} ms"
        print(f"\n100 MB: {took['call'] * 1e3:.0f} ms, {copies}")
    assert ratio <= 2.0


def test_the_loop_while_a_worker_holds_its_gil(tasks: Any, capsys: Any) -> None:
    """It stalls for at most 50 ms, though the worker is sent large messages, and others send some: median of rounds."""
    array = np.zeros(10_000_000 // 8)

    async def longest() -> float:
        ticker = asyncio.ensure_future(_longest_gap())
        busy = asyncio.ensure_future(tasks.holds_the_gil(30_000_000))
        waiting = []
        while not busy.done():
            waiting.append(asyncio.ensure_future(tasks.echo(array)))
            await tasks.echo_b(array)
            await asyncio.sleep(0.05)
        await asyncio.gather(*waiting)
        ticker.cancel()
        return await ticker

    async def measured() -> list[float]:
        with _on_local():
            await asyncio.gather(tasks.echo(1), tasks.echo_b(array))
            gc.collect()
            return sorted([await longest() for _ in range(BLOCKS)])

    gaps = asyncio.run(measured())
    with capsys.disabled():
        print(f"\nlongest stall {median(gaps) * 1e3:.1f} ms, at worst {gaps[-1] * 1e3:.1f} ms, of {BLOCKS} rounds")
    assert median(gaps) <= 0.05


async def _longest_gap() -> float:
    longest, last = 0.0, perf_counter()
    try:
        while True:
            await asyncio.sleep(0.001)
            now = perf_counter()
            longest, last = max(longest, now - last - 0.001), now
    except asyncio.CancelledError:
        return longest


def _defines(name: str, wheel: str, folder: Path, patch: pytest.MonkeyPatch) -> Any:
    source = f"""
import flyte_nb as flyte
{name} = flyte.TaskEnvironment("{name}", image=flyte.Image.from_debian_base().with_pip_packages({wheel!r}))

@{name}.task
async def version() -> str:
    import tiny
    return tiny.VERSION
"""
    defined_in(source, folder, patch, f"defines_{name}")
    return sys.modules[f"defines_{name}"].version


def test_a_second_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """From its deployment to its first result it takes less than two seconds; what it installs is in uv's cache."""
    monkeypatch.setenv("FLYTE_NB_HOME", str(tmp_path / "home"))
    wheels = [made_wheel(tmp_path, "tiny", number) for number in ("1.0", "2.0")]

    async def first_result(task: Any) -> object:
        await flyte_nb.deploy(task.environment)
        return (await flyte_nb.run(task, on="local")).result

    try:
        assert asyncio.run(first_result(_defines("first", wheels[0], tmp_path, monkeypatch))) == "1.0"
        task = _defines("second", wheels[1], tmp_path, monkeypatch)
        begun = perf_counter()
        assert asyncio.run(first_result(task)) == "2.0"
        took = perf_counter() - begun
    finally:
        session().rest()
    with capsys.disabled():
        print(f"\na second environment: {took:.2f} s from its deployment to its first result")
    assert took < 2.0


def test_four_environments_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Built in parallel, they take less time than one after the other."""

    def deployed(round_number: int, concurrency: int) -> float:
        monkeypatch.setenv("FLYTE_NB_HOME", str(tmp_path / f"home-{round_number}-{concurrency}"))
        begun = perf_counter()
        asyncio.run(flyte_nb.deploy(max_concurrency=concurrency)).raise_if_failed()
        return perf_counter() - begun

    for number in range(4):
        _defines(f"env{number}", made_wheel(tmp_path, "tiny", f"{number}.0"), tmp_path, monkeypatch)
    rounds = [(deployed(number, 4), deployed(number, 1)) for number in range(3)]
    together, after_each_other = (median(column) for column in zip(*rounds, strict=True))
    session().rest()
    with capsys.disabled():
        print(f"\nfour environments: {together:.2f} s at once, {after_each_other:.2f} s one after the other")
    assert together < after_each_other
