"""Environments for tests of workers: what tasks do well, and what they do badly. Its text is deployed."""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import flyte_nb as flyte

a = flyte.TaskEnvironment("a", env_vars={"WHOSE": "a"})
b = flyte.TaskEnvironment("b", env_vars={"WHOSE": "b"})
c = flyte.TaskEnvironment("c", resources=flyte.Resources(memory="256Mi"))


@dataclass
class Point:
    x: int
    y: int


class OwnError(Exception):
    def __init__(self, number: int, reason: str) -> None:
        self.number = number
        super().__init__(number, reason)


# What comes back


@a.task
async def echo(value: Any) -> Any:
    return value


@a.task
def echo_sync(value: Any) -> Any:
    return value


@a.task
async def who() -> tuple[int, int, int]:
    """Return the id of this process, that of its group, and that of its session."""
    return os.getpid(), os.getpgrp(), os.getsid(0)


@a.task
def who_sync() -> int:
    return os.getpid()


@b.task
async def who_b() -> int:
    return os.getpid()


@a.task
async def point(number: int) -> Point:
    return Point(number, number + 1)


def _deeper(number: int) -> None:
    raise OwnError(number, "on purpose")


@a.task
async def fails(number: int) -> None:
    _deeper(number)


@b.task
async def fails_below(number: int) -> None:
    await fails(number)


@a.task
async def cannot_cross() -> Any:
    return threading.Lock()


@a.task
async def big(count: int) -> bytes:
    return bytes(count)


@a.task
async def exits(code: int) -> None:
    sys.exit(code)


@a.task
async def exits_in_a_child() -> None:
    async def child() -> None:
        sys.exit(3)

    await asyncio.create_task(child())


@a.task
def interrupts() -> None:
    raise KeyboardInterrupt


# What is written


@a.task
async def speaks() -> None:
    print("no end", end="")
    print(" of line", flush=True)
    sys.stderr.write("to stderr\n")
    logging.getLogger("spoken").warning("a warning of logging")
    logging.getLogger("spoken").error("an error of logging")
    warnings.warn("a warning of Python", stacklevel=1)
    print("the last without its end", end="")


@a.task
async def speaks_below() -> None:
    os.write(1, b"by os.write\n")
    sys.stdout.buffer.write(b"by the buffer\n")
    subprocess.run([sys.executable, "-c", "print('by a process')"], check=True)
    libc = ctypes.CDLL(None)
    libc.dprintf(2, b"by C\n")


@a.task
async def speaks_at_last(text: str) -> None:
    os.write(1, text.encode())


@a.task
async def speaks_in_threads() -> None:
    with ThreadPoolExecutor() as threads:
        list(threads.map(print, ["in a thread"] * 4))
    await asyncio.to_thread(print, "in a thread with context")


@a.task
async def counts(lines: int) -> None:
    for number in range(lines):
        print(number)


@b.task
async def speaks_with_others(lines: int) -> None:
    async def own() -> None:
        for number in range(lines):
            print("b", number)
            await asyncio.sleep(0)

    await asyncio.gather(own(), *(speaks_a_lot(lines) for _ in range(3)))


@a.task
async def speaks_a_lot(lines: int) -> None:
    for number in range(lines):
        print("a", number)
        await asyncio.sleep(0)


# Calls in calls


@a.task
async def ping(depth: int) -> int:
    return 1 + await pong(depth - 1) if depth else 0


@b.task
async def pong(depth: int) -> int:
    return 1 + await ping(depth - 1) if depth else 0


@a.task
def ping_sync(depth: int) -> int:
    return 1 + pong_sync(depth - 1) if depth else 0


@b.task
def pong_sync(depth: int) -> int:
    return 1 + ping_sync(depth - 1) if depth else 0


@a.task
async def ping_blocking(depth: int) -> int:
    """Call a sync task directly, which blocks this worker's loop; what that calls comes back to this environment."""
    return 1 + pong_running(depth - 1) if depth else 0


@b.task
def pong_running(depth: int) -> int:
    return 1 + asyncio.run(_ping_blocking(depth - 1)) if depth else 0


async def _ping_blocking(depth: int) -> int:
    return await ping_blocking(depth)


@a.task
async def in_threads(count: int) -> list[int]:
    given = await asyncio.gather(*(asyncio.to_thread(double_sync, number) for number in range(count)))
    with ThreadPoolExecutor() as threads:
        given += threads.map(double_sync, range(count))
        context = contextvars.copy_context()
        given.append(threads.submit(context.run, double_sync, count).result())
    return given


@b.task
def double_sync(number: int) -> int:
    return 2 * number


@b.task
async def double(number: int) -> int:
    return 2 * number


@a.task
async def maps(count: int) -> list[int]:
    return list(await flyte.map(double, range(count)))


@b.task
async def waits_for(number: int, gate: str) -> int:
    while number and not os.path.exists(gate):
        await asyncio.sleep(0.01)
    return number


@a.task
async def maps_slowly(count: int, gate: str) -> int:
    return len(await flyte.map(waits_for, range(count), [gate] * count, concurrency=3))


@a.task(retries=1)
async def dies_in_a_map(gate: str, mark: str) -> int:
    is_first = not os.path.exists(mark)
    open(mark, "w").close()
    if is_first:
        await flyte.map(double, [1])
        asyncio.get_running_loop().call_later(0.5, os._exit, 3)
    return len(await flyte.map(waits_for, range(1, 41), [gate] * 40, concurrency=3))


@a.task
async def gathers(count: int) -> list[int]:
    return await asyncio.gather(*(double(number) for number in range(count)))


@a.task
async def meets(folder: str, own: str, other: str) -> str:
    """Leave a file for the other, and wait for its."""
    open(os.path.join(folder, own), "w").close()
    while not os.path.exists(os.path.join(folder, other)):
        await asyncio.sleep(0.001)
    return own


@b.task
def meets_sync(folder: str, own: str, other: str) -> str:
    open(os.path.join(folder, own), "w").close()
    while not os.path.exists(os.path.join(folder, other)):
        time.sleep(0.001)
    return own


@a.task
async def meets_elsewhere(folder: str) -> list[str]:
    return list(await asyncio.gather(meets(folder, "1", "2"), meets_sync.aio(folder, "2", "1")))


_kept: set[Any] = set()


@a.task
async def forgets(file: str) -> str:
    _kept.add(asyncio.ensure_future(writes(file)))
    await asyncio.sleep(0)
    return "done"


@b.task
async def writes(file: str) -> None:
    await asyncio.sleep(0.05)
    open(file, "w").close()


@a.task
def leaves_a_loop() -> str:
    """Run a loop that is closed while a call of it is under way."""
    loop = asyncio.new_event_loop()
    pending = loop.create_task(_slowly())
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()
    _kept.add(pending)
    return "done"


async def _slowly() -> None:
    await slow_b(0.2)


@b.task
async def slow_b(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


# What does not stop by itself: each leaves a file when it begins


def _begun(file: str) -> None:
    with open(file, "w") as opened:
        opened.write(str(os.getpid()))


@a.task
async def awaits(file: str) -> None:
    _begun(file)
    await asyncio.sleep(600)


@a.task
async def loops(file: str) -> None:
    _begun(file)
    while True:
        pass


@a.task
def loops_sync(file: str) -> None:
    _begun(file)
    while True:
        pass


@a.task
async def sleeps(file: str) -> None:
    _begun(file)
    time.sleep(600)


@a.task
def sleeps_sync(file: str) -> None:
    _begun(file)
    time.sleep(600)


@a.task
async def holds_the_gil(file: str) -> None:
    """Be in C code that neither returns nor lets Python do anything."""
    _begun(file)
    sum(range(10**13))


@a.task
def holds_the_gil_sync(file: str) -> None:
    _begun(file)
    sum(range(10**13))


@a.task
def prints_for_ever(file: str) -> None:
    _begun(file)
    while True:
        print("x" * 100_000)


@b.task
async def waits_for_awaits(file: str) -> None:
    await awaits(file)


@a.task
async def waits_for_itself(file: str) -> None:
    """Wait for a task of this environment, by way of another."""
    await waits_for_awaits(file)


@b.task
def waits_for_sleeps_sync(file: str) -> None:
    sleeps_sync(file)


@b.task
async def waits_in_a_thread(file: str) -> None:
    await asyncio.to_thread(sleeps_sync, file)


@a.task
async def cleans_up(file: str) -> None:
    _begun(file)
    try:
        await asyncio.sleep(600)
    finally:
        await asyncio.sleep(0.6)
        _begun(f"{file}.cleaned")


@a.task
def cleans_up_sync(file: str) -> None:
    _begun(file)
    try:
        time.sleep(600)
    finally:
        time.sleep(0.6)
        _begun(f"{file}.cleaned")


@a.task
async def with_child(file: str) -> None:
    child = subprocess.Popen(["sleep", "600"])
    _begun(file)
    with open(f"{file}.child", "w") as opened:
        opened.write(str(child.pid))
    await asyncio.sleep(600)


# What ends the process


@a.task
async def dies(how: str) -> None:
    if how == "os._exit":
        os._exit(3)
    if how == "kill -9":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "segfault":
        ctypes.string_at(0)
    if how == "closed":
        os.closerange(3, 256)
        await asyncio.sleep(600)
    ctypes.CDLL(None).abort()


@a.task
async def recurses() -> None:
    await recurses.function()


@a.task(retries=3)
async def dies_first(folder: str) -> int:
    attempt = len(os.listdir(folder))
    _begun(os.path.join(folder, str(attempt)))
    if attempt < 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return attempt


@a.task(retries=1, timeout=0.5)
def too_slow(folder: str) -> None:
    _begun(os.path.join(folder, str(len(os.listdir(folder)))))
    sum(range(10**13))


# What a worker has


@a.task
async def surroundings() -> dict[str, Any]:
    descriptors = os.listdir("/proc/self/fd")
    return {
        "variables": dict(os.environ),
        "folder": os.getcwd(),
        "path": sys.path,
        "descriptors": [os.readlink(f"/proc/self/fd/{n}") for n in descriptors if os.path.exists(f"/proc/self/fd/{n}")],
        "flags": (sys.flags.isolated, sys.flags.utf8_mode),
        "version": tuple(sys.version_info[:2]),
        "families": [family.name for family in (socket.AF_UNIX,)],
    }


@b.task
async def whose() -> str | None:
    return os.environ.get("WHOSE")


@a.task
async def writes_files() -> str:
    open("here", "w").close()
    return os.path.abspath("here")


@a.task
def reads(file: str) -> str:
    try:
        with open(file) as opened:
            return opened.read()
    except OSError as error:
        error.__notes__ = ["the task's own note"]
        raise


@a.task
def starts_program(name: str) -> None:
    subprocess.run([name], check=True)


@a.task
async def runs_in_a_task() -> None:
    await flyte.run(who)


# Memory


@c.task
async def holds(mebibytes: int, seconds: float) -> int:
    held = bytearray(mebibytes * 2**20)
    held[::4096] = b"x" * len(held[::4096])
    await asyncio.sleep(seconds)
    return mebibytes


@c.task
def holds_shortly(mebibytes: int) -> int:
    for _ in range(2):
        held = bytearray(mebibytes * 2**20)
        del held
    return mebibytes


@c.task
def holds_in_a_child(mebibytes: int) -> None:
    code = f"import time; held = b'x' * {mebibytes * 2**20}; time.sleep(600)"
    subprocess.run([sys.executable, "-c", code], check=True)


# Processes that are forked


@a.task
async def forks(file: str) -> None:
    if os.fork() == 0:
        time.sleep(600)
    _begun(file)
    await asyncio.sleep(600)


def _squared(number: int) -> int:
    print("child", number)
    return number * number


@a.task
def forks_and_waits() -> list[int]:
    import multiprocessing

    print("parent")
    with multiprocessing.get_context("fork").Pool(2) as processes:
        squares = processes.map(_squared, range(3))
        processes.close()
        processes.join()
    return squares


# Processes that are started


def _greeted(number: int) -> tuple[str, int]:
    return flyte.TaskEnvironment.__module__, number


def _called(number: int) -> int:
    return double_sync(number)


def _called_own(number: int) -> int:
    return who_sync()


@a.task
def starts(how: str) -> list[tuple[str, int]]:
    import multiprocessing

    with multiprocessing.get_context(how).Pool(2) as processes:
        return processes.map(_greeted, range(3))


@a.task
def starts_what_calls(own: bool) -> list[int]:
    import multiprocessing

    with multiprocessing.get_context("spawn").Pool(1) as processes:
        return processes.map(_called_own if own else _called, range(1))
