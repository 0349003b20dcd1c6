"""A thousand calls over four environments, while workers are killed and calls are cancelled and fail at random."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import signal
import sys
import tempfile
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flyte_nb.errors import WorkerDiedError
from flyte_nb.execution.node import RunState
from flyte_nb.machine.detect import this_machine
from flyte_nb.session import session

from .made import defined_in, deploy, made_wheel
from .watching import marked_processes, wait_until

if TYPE_CHECKING:
    from types import ModuleType

    from flyte_nb.execution.node import Node

SEEDS = (1, 2)
ROOTS, AT_ONCE, KILLS, DEPTH = 700, 60, 20, 3
KINDS = ("old", "old_sync", "new", "new_sync", "claiming", "claiming_sync", "plain", "plain_sync")
ENDS = {RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}

SOURCE = """
import asyncio
import random
import time
import flyte_nb as flyte

old_env = flyte.TaskEnvironment("old-env", image=flyte.Image.from_debian_base().with_pip_packages({old!r}))
new_env = flyte.TaskEnvironment("new-env", image=flyte.Image.from_debian_base().with_pip_packages({new!r}))
claiming_env = flyte.TaskEnvironment("claiming", resources=flyte.Resources(cpu=1, memory="300Mi"))
plain_env = flyte.TaskEnvironment("plain")

def plan(number, depth):
    dice = random.Random(number)
    fails, goes_on = dice.random() < 0.05, depth and dice.random() < 0.5
    other, seconds = dice.randrange(8), dice.random() / 50
    return fails, (other, number * 8 + other + 1) if goes_on else None, seconds

async def act(number, depth):
    fails, below, seconds = plan(number, depth)
    print("at", number)
    await asyncio.sleep(seconds)
    if fails:
        raise ValueError(number)
    if below is None:
        return number
    other, next_number = below
    task = TASKS[other]()
    given = task(next_number, depth - 1) if other % 2 == 0 else task.aio(next_number, depth - 1)
    return number + await given

def act_sync(number, depth):
    fails, below, seconds = plan(number, depth)
    time.sleep(seconds)
    if fails:
        raise ValueError(number)
    if below is None:
        return number
    other, next_number = below
    if other % 2:
        return number + TASKS[other]()(next_number, depth - 1)
    async def awaited():
        return await TASKS[other]()(next_number, depth - 1)
    return number + asyncio.run(awaited())
"""
TASK = """
@{name}_env.task
async def {name}(number: int, depth: int) -> int:
    {check}
    return await act(number, depth)

@{name}_env.task
def {name}_sync(number: int, depth: int) -> int:
    {check}
    return act_sync(number, depth)
"""


def _source(old: str, new: str) -> str:
    checks = {"old": "import tiny; assert tiny.VERSION == '1.0'", "new": "import tiny; assert tiny.VERSION == '2.0'"}
    names = ("old", "new", "claiming", "plain")
    tasks = "".join(TASK.format(name=name, check=checks.get(name, "pass")) for name in names)
    table = "".join(f"    lambda: {kind},\n" for kind in KINDS)
    return SOURCE.format(old=old, new=new) + tasks + f"\nTASKS = [\n{table}]\n"


@dataclass
class Seen:
    """What was seen from outside.

    Attributes:
        ends: How often each call was told to have ended.
        calls: Every call, as it stood last.
        outcomes: How each root has ended.
        kills: How many workers were killed.
    """

    ends: Counter[int] = field(default_factory=Counter)
    calls: dict[int, Node] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, node: Node) -> None:
        with self.lock:
            self.calls[node.id] = node
            self.ends[node.id] += node.ended is not None


def _expected(module: ModuleType, number: int, depth: int) -> int | None:
    """Return what a call gives if nobody disturbs it; None if it, or one below, fails."""
    fails, below, _ = module.plan(number, depth)
    if fails:
        return None
    if below is None:
        return number
    under = _expected(module, below[1], depth - 1)
    return None if under is None else number + under


async def _root(module: ModuleType, number: int, dice: random.Random, seen: Seen) -> None:
    kind = dice.randrange(len(KINDS))
    task = module.TASKS[kind]()
    call = asyncio.ensure_future(task(number, DEPTH) if kind % 2 == 0 else task.aio(number, DEPTH))
    if dice.random() < 0.08:
        asyncio.get_running_loop().call_later(dice.random() / 20, call.cancel)
    expected = _expected(module, number, DEPTH)
    try:
        assert await call == expected
        outcome = "succeeded"
    except asyncio.CancelledError:
        outcome = "cancelled"
    except WorkerDiedError:
        outcome = "died"
    except ValueError:
        assert expected is None
        outcome = "failed"
    seen.outcomes[outcome] += 1


async def _killing(dice: random.Random, seen: Seen) -> None:
    pool = session().embedded.place.pool
    while seen.kills < KILLS:
        await asyncio.sleep(dice.random() / 10)
        busy = [worker for worker in list(pool.workers) if worker.users and worker.is_ready]
        if busy:
            with suppress(ProcessLookupError):
                os.kill(dice.choice(busy).pid, signal.SIGKILL)
                seen.kills += 1


async def _all(module: ModuleType, dice: random.Random, seen: Seen) -> None:
    """Make all calls, so many at once, until enough was killed as well."""
    numbers = iter(range(1, 10**6))
    killing = asyncio.ensure_future(_killing(dice, seen))

    async def some() -> None:
        for number in numbers:
            await _root(module, number, dice, seen)
            if number >= ROOTS and killing.done():
                return

    with session().runner.collecting("local"):
        await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    await killing


def _descriptors() -> int:
    session().rest()
    return len(os.listdir("/proc/self/fd"))


def _left_behind() -> list[str]:
    folders = (Path(tempfile.gettempdir()), Path("/dev/shm"))  # noqa: S108 - where shared memory with names would be
    return [str(path) for folder in folders for path in folder.glob("*flyte_nb-worker*")]


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_thousand_calls(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each ends once; what succeeds has the right value; nothing is left; no budget is exceeded; then all works."""
    monkeypatch.setenv("XDG_MARK", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    wheels = [made_wheel(tmp_path, "tiny", number) for number in ("1.0", "2.0")]
    source = _source(*wheels)
    defined_in(source, tmp_path, monkeypatch, "stressed")
    module: Any = sys.modules["stressed"]
    deploy()
    dice, seen = random.Random(seed), Seen()  # noqa: S311 - any will do, if it is the same again

    async def each() -> list[int]:
        with session().runner.collecting("local"):
            given = [task()(1, 0) if at % 2 == 0 else task().aio(1, 0) for at, task in enumerate(module.TASKS)]
            return list(await asyncio.gather(*given))

    assert asyncio.run(each()) == [1] * len(KINDS)
    before = _descriptors()
    end = session().runner.subscribe(seen.note)
    try:
        asyncio.run(_all(module, dice, seen))
        admission = session().embedded.place.admission
        wait_until(lambda: set(seen.ends) == {call for call, count in seen.ends.items() if count})
        assert asyncio.run(each()) == [1] * len(KINDS)
    finally:
        end()
    states = Counter(node.state for node in seen.calls.values())
    print(f"seed {seed}: {len(seen.calls)} calls, {dict(seen.outcomes)}, {seen.kills} kills")  # noqa: T201 - told if it fails
    assert len(seen.calls) >= 1_000
    assert set(seen.ends.values()) == {1}
    assert set(states) <= ENDS
    assert {"succeeded", "cancelled", "died", "failed"} == set(seen.outcomes)
    machine, peak = this_machine(), admission.peak
    assert peak.cores <= machine.cores
    assert peak.memory <= machine.memory
    assert admission.used.cores == admission.used.memory == admission.used.processes == 0
    assert _descriptors() <= before
    wait_until(lambda: [pid for pid in marked_processes(tmp_path) if pid != os.getpid()] == [])
    assert _left_behind() == []
    gc.collect()
    assert caplog.messages == []  # of asyncio: nothing was left waiting, and no error was heard by nobody
