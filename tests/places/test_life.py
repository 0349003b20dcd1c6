"""Workers live as long as they are of use, and never longer than the kernel, however that ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from flyte_nb.session import session
from flyte_nb.workers import pool

from .watching import is_alive, marked_processes, number_in, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

    Run = Callable[..., Any]

BEGINNING = """
import asyncio, multiprocessing, os, sys, threading, time
import flyte_nb

def start(task, *args):
    return flyte_nb.run(flyte_nb.deployed(task), *args)

def in_thread(task, *args):
    threading.Thread(target=lambda: asyncio.run(start(task, *args)), daemon=True).start()

folder = sys.argv[1]
def here(name):
    return os.path.join(folder, name)
def leave(name, number):
    with open(here(name), "w") as file:
        file.write(str(number))
"""
# The ways in which a worker may be when the kernel ends; each leaves a file with its process.
WAYS = {
    "idle": "leave('idle', asyncio.run(start('b.who_b')).result)",
    "idle sync": "leave('idle sync', asyncio.run(start('a.who_sync')).result)",
    "awaiting": "in_thread('a.awaits', here('awaiting'))",
    "in a loop": "in_thread('a.loops_sync', here('in a loop'))",
    "holding the GIL": "in_thread('a.holds_the_gil_sync', here('holding the GIL'))",
    "with a child": "in_thread('a.with_child', here('with a child'))",
    "printing": "in_thread('a.prints_for_ever', here('printing'))",
}


class Kernel:
    """A process of its own that uses the deployed environments.

    Attributes:
        folder: For what it and its tasks leave.
        process: It.
    """

    def __init__(self, folder: Path, home: Path, code: str) -> None:
        self.folder = folder
        self._mark, self._temporary = folder / "mark", folder / "temporary"
        self._temporary.mkdir()
        changed = {"FLYTE_NB_HOME": home, "XDG_MARK": self._mark, "TMPDIR": self._temporary}
        variables = {**os.environ, **{name: str(path) for name, path in changed.items()}}
        variables["PYTHONPATH"] = os.pathsep.join(sys.path)
        command = [sys.executable, "-c", BEGINNING + code, str(folder)]
        self.process = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def number(self, name: str) -> int:
        """Return the number that something has left under a name."""
        assert self.process.poll() is None
        return number_in(self.folder / name)

    def guards(self) -> list[psutil.Process]:
        """Return the processes that end the workers when it is killed."""
        found = []
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.Error):  # it has ended meanwhile
                if is_alive(child.pid) and any(part.endswith("guard.py") for part in child.cmdline()):
                    found.append(child)
        return found

    def left(self) -> list[int]:
        """Return the processes that are left, but for it."""
        return [pid for pid in marked_processes(self._mark) if pid != self.process.pid and is_alive(pid)]

    def leaves_nothing(self) -> bool:
        """Say whether no process and no file is left."""
        return not self.left() and not list(self._temporary.iterdir())


@pytest.fixture
def kernel(home: Path, tmp_path: Path) -> Iterator[Callable[[str], Kernel]]:
    """What starts a kernel; whatever is left of it in the end is killed."""
    kernels: list[Kernel] = []

    def start(code: str) -> Kernel:
        kernels.append(Kernel(tmp_path, home, code))
        return kernels[-1]

    yield start
    for each in kernels:
        each.process.kill()
        each.process.communicate()
        for pid in each.left():
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("pass", 0),
        ("sys.exit(3)", 3),
        ("raise ValueError('on purpose')", 1),
        ("os.kill(os.getpid(), 15)", -15),
        ("os.kill(os.getpid(), 9)", -9),
        ("os._exit(4)", 4),
    ],
)
def test_workers_end_with_the_kernel(kernel: Callable[[str], Kernel], end: str, code: int) -> None:
    """Whatever it does when it ends, and whatever they do then: no process and no folder is left."""
    started = kernel("\n".join(WAYS.values()) + f"\nwhile not os.path.exists(here('end')): time.sleep(0.01)\n{end}\n")
    processes = {started.number(way) for way in WAYS}
    child = started.number("with a child.child")
    assert {*processes, child} <= set(started.left())
    (started.folder / "end").touch()
    assert started.process.wait(30) == code
    wait_until(started.leaves_nothing)


@pytest.mark.slow
def test_workers_end_with_a_kernel_whose_guard_was_killed(kernel: Callable[[str], Kernel]) -> None:
    """Those that can look themselves do so; for the others there is another guard after a while."""
    wait = "while not os.path.exists(here('go on')): time.sleep(0.01)"
    loop = "flyte_nb.session.session().embedded.place.pool.loop"
    later = f"{wait}\n{loop}.call_soon_threadsafe(leave, 'told', 1)\ntime.sleep(600)\n"
    started = kernel("\n".join([*WAYS.values(), later]))
    for way in WAYS:
        started.number(way)
    (guard,) = started.guards()
    guard.kill()
    wait_until(lambda: any(each.pid != guard.pid for each in started.guards()))
    (started.folder / "go on").touch()
    assert started.number("told")  # on the loop that starts a guard and tells it of the workers at one go
    started.process.kill()
    wait_until(started.leaves_nothing)


@pytest.mark.slow
def test_a_process_that_the_kernel_has_forked_keeps_no_worker_alive(kernel: Callable[[str], Kernel]) -> None:
    """It has a pool of its own, if it wants one; that of the kernel is not disturbed."""
    code = """
leave("idle", asyncio.run(start("a.who")).result[0])
in_thread("a.holds_the_gil_sync", here("busy"))
while not os.path.exists(here("busy")):
    time.sleep(0.01)
forked = os.fork()
if forked == 0:
    leave("forked", os.getpid())
    leave("of the forked", asyncio.run(start("b.who_b")).result)
    time.sleep(600)
with multiprocessing.get_context("fork").Pool(2) as processes:
    assert processes.map(abs, [-1, -2]) == [1, 2]
leave("afterwards", asyncio.run(start("b.who_b")).result)
time.sleep(600)
"""
    started = kernel(code)
    forked, own = started.number("forked"), started.number("of the forked")
    idle, busy, afterwards = (started.number(name) for name in ("idle", "busy", "afterwards"))
    assert is_alive(idle)
    assert own != afterwards
    started.process.kill()
    wait_until(lambda: not any(map(is_alive, (idle, busy, afterwards))))
    assert is_alive(forked)
    assert is_alive(own)
    os.kill(forked, signal.SIGKILL)
    wait_until(started.leaves_nothing)


def test_unloading_the_extension_ends_workers(ip: InteractiveShell, home: Path) -> None:
    """Nothing is left of them, and they come again when they are needed."""
    for _ in range(2):
        ip.run_cell("run = await flyte.run(flyte.deployed('a.who'))").raise_error()
        assert marked_processes(home)
        ip.run_cell("%unload_ext flyte_nb")
        assert marked_processes(home) == []
        ip.run_cell("%load_ext flyte_nb").raise_error()


def test_another_home_ends_workers(ip: InteractiveShell, home: Path, tmp_path: Path) -> None:
    """What is deployed there is something else."""
    ip.run_cell("run = await flyte.run(flyte.deployed('a.who'))").raise_error()
    assert marked_processes(home)
    ip.run_cell(f"%config FlyteNB.home = {str(tmp_path)!r}").raise_error()
    ip.run_cell("e = flyte.TaskEnvironment('e')\n@e.task\nasync def t(): pass\nawait flyte.run(t, on='local')")
    assert marked_processes(home) == []


def test_idle_workers_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that nobody has used for a while; the next call has a new one."""
    session().rest()
    monkeypatch.setattr(pool, "_LOOK_SECONDS", 0.05)
    process = run("a.who").result[0]
    monkeypatch.setattr(session().embedded.place.pool, "_idle_seconds", 0.1)
    wait_until(lambda: not is_alive(process))
    assert run("a.who").result[0] != process
    session().rest()


def test_workers_leave_no_descriptor_open(start: Run) -> None:
    """Neither when they die nor when they end; nor do large values."""

    async def some() -> None:
        await asyncio.gather(*(start("a.echo", bytes(500_000)) for _ in range(5)), start("b.who_b"))
        with suppress(Exception):
            await start("a.dies", "kill -9")

    def descriptors() -> int:
        session().rest()
        return len(os.listdir("/proc/self/fd"))

    asyncio.run(some())
    before = descriptors()
    for _ in range(3):
        asyncio.run(some())
    assert descriptors() == before


def test_more_large_values_than_files_may_be_open(kernel: Callable[[str], Kernel]) -> None:
    """Each needs an open file while it is under way; there are only so many."""
    code = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
async def many():
    return await asyncio.gather(*(start("a.echo", bytes([number % 256]) * 300_000) for number in range(400)))
results = [run.result for run in asyncio.run(many())]
assert results == [bytes([number % 256]) * 300_000 for number in range(400)]
leave("done", 1)
time.sleep(600)
"""
    started = kernel(code)
    wait_until(lambda: started.process.poll() is not None or (started.folder / "done").exists())
    assert started.process.poll() is None, started.process.stderr.read()[-2000:]
