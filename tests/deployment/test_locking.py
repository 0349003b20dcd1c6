"""One deployment to a target at a time: others wait, or are told who holds it; the lock of the dead is taken over."""

from __future__ import annotations

import asyncio
import gc
import re
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from flyte_nb.deployment.applying.apply import Policy
from flyte_nb.deployment.deployments import Deployments
from flyte_nb.deployment.keeping import locking
from flyte_nb.deployment.keeping.history import DeploymentHistory
from flyte_nb.deployment.keeping.locking import TargetLock
from flyte_nb.deployment.keeping.state import DeploymentState
from flyte_nb.deployment.watching import Nobody
from flyte_nb.errors import DeploymentLockedError, DeploymentOvertakenError
from flyte_nb.liveness import SessionRecord

from .places import MemoryTarget, Noting, making, until

if TYPE_CHECKING:
    from pathlib import Path

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.deployment.planning.plan import Plan


@pytest.fixture
def state(tmp_path: Path) -> DeploymentState:
    return DeploymentState(tmp_path)


@pytest.fixture
def deployments(state: DeploymentState) -> Deployments:
    return Deployments(state, "/work/churn.ipynb")


def locks(state: DeploymentState) -> list[str]:
    with closing(sqlite3.connect(state.path)) as connection:
        return [target for (target,) in connection.execute("SELECT target FROM lock")]


def hold(state: DeploymentState, *, machine: str | None = None, pid: int | None = None, sign: float = 0.0) -> None:
    """Hold the lock as another session does, which gave its last sign so many seconds ago."""
    here = SessionRecord.of_this_process("")
    row = (machine or here.machine, pid or here.pid, here.began, time.time() - sign, "/work/other.ipynb", time.time())
    state.writes.submit(
        lambda connection: connection.execute(
            "INSERT OR REPLACE INTO lock VALUES ('memory', 'other', ?, ?, ?, ?, ?, ?)", row
        )
    ).result(10)


def test_the_second_waits_for_the_first(deployments: Deployments, state: DeploymentState) -> None:
    """It begins when the first has ended, plans against what that left, and was told once who it waits for."""
    target, watcher = MemoryTarget(), Noting()
    target.released = set()

    async def scenario() -> None:
        first = asyncio.ensure_future(deployments.deploy(target, making(target), Policy()))
        await until(lambda: target.begun)
        second = asyncio.ensure_future(deployments.deploy(target, making(target), Policy(), watcher))
        await until(lambda: watcher.waited)
        await asyncio.sleep(0.5)
        assert watcher.names == []
        target.released = None
        assert (await first).states == dict.fromkeys(("base", "ml", "api"), "succeeded")
        assert (await second).states == dict.fromkeys(("base", "ml", "api"), "unchanged")

    asyncio.run(scenario())
    (told,) = watcher.waited
    assert re.fullmatch(r"churn\.ipynb \(pid \d+\) has been deploying to memory since \d\d:\d\d:\d\d UTC", told)
    assert target.begun == ["base", "ml", "api"]
    assert locks(state) == []


def test_who_does_not_want_to_wait_is_told_who_deploys(deployments: Deployments, state: DeploymentState) -> None:
    """The error names the notebook, its process and since when, and what to do; nothing is left behind."""
    target = MemoryTarget()
    target.released = set()

    async def scenario() -> DeploymentLockedError:
        first = asyncio.ensure_future(deployments.deploy(target, making(target), Policy()))
        await until(lambda: target.begun)
        with pytest.raises(DeploymentLockedError) as refused:
            await deployments.deploy(target, making(target), Policy(), wait=False)
        assert locks(state) == ["memory"]
        target.released = None
        await first
        return refused.value

    error = asyncio.run(scenario())
    assert error.target == "memory"
    assert re.fullmatch(r"churn\.ipynb \(pid \d+\)", error.holder)
    assert error.holder in str(error)
    assert "Deploy again" in str(error)
    assert len(str(error).splitlines()) == 1


def test_targets_do_not_wait_for_each_other(deployments: Deployments) -> None:
    """Deployments to two targets go on at once."""
    slow, other = MemoryTarget(), MemoryTarget("other")
    slow.released = set()

    async def scenario() -> None:
        first = asyncio.ensure_future(deployments.deploy(slow, making(slow), Policy()))
        await until(lambda: slow.begun)
        assert (await deployments.deploy(other, making(other), Policy(), wait=False)).succeeded
        slow.released = None
        await first

    asyncio.run(scenario())


def test_cancelling_who_waits_leaves_nothing_behind(deployments: Deployments, state: DeploymentState) -> None:
    """A deployment that is cancelled while it waits is in no record, and does not hold the lock afterwards."""
    target, watcher = MemoryTarget(), Noting()
    target.released = set()

    async def scenario() -> None:
        first = asyncio.ensure_future(deployments.deploy(target, making(target), Policy()))
        await until(lambda: target.begun)
        second = asyncio.ensure_future(deployments.deploy(target, making(target), Policy(), watcher))
        await until(lambda: watcher.waited)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        target.released = None
        await first

    asyncio.run(scenario())
    assert watcher.names == []
    assert locks(state) == []
    with closing(sqlite3.connect(state.path)) as connection:
        assert connection.execute("SELECT count(*) FROM deployment").fetchone() == (1,)


@pytest.mark.parametrize("rounds", [1, 2, 5, 20, 60, 200])
def test_cancelling_while_the_lock_is_taken_gives_it_back(state: DeploymentState, rounds: int) -> None:
    """Whatever moment a cancellation comes at, the lock is free afterwards, and what was recorded is told so."""
    target = MemoryTarget()
    target.released = set()

    async def scenario() -> None:
        work = asyncio.ensure_future(Deployments(state, "").deploy(target, making(target), Policy()))
        for _ in range(rounds):
            await asyncio.sleep(0)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(scenario())
    assert locks(state) == []
    for deployment in DeploymentHistory(state, lambda _: target.observe()).deployments():
        assert deployment.status == "cancelled"
        assert deployment.counts == {"cancelled": 3}


def test_cancelling_while_the_beginning_is_written(state: DeploymentState) -> None:
    """A deployment that is cancelled between its record and its first step is told as cancelled, not as lost."""
    target = MemoryTarget()

    async def scenario() -> None:
        work = asyncio.ensure_future(Deployments(state, "").deploy(target, make, Policy()))
        with pytest.raises(asyncio.CancelledError):
            await work

    def make() -> tuple[Plan, dict[str, Bundle]]:
        task = asyncio.current_task()
        assert task
        task.get_loop().call_soon(task.cancel)  # heard while what comes next is written
        return making(target)()

    asyncio.run(scenario())
    (deployment,) = DeploymentHistory(state, lambda _: target.observe()).deployments()
    assert (deployment.status, deployment.counts) == ("cancelled", {"cancelled": 3})
    assert deployment.ended is not None
    assert target.begun == []
    assert locks(state) == []


@pytest.mark.parametrize(
    ("holder", "gone"),
    [
        ({"machine": "elsewhere boot", "sign": 5.0}, False),
        ({"machine": "elsewhere boot", "sign": 300.0}, True),
        ({"pid": 2**22 + 1}, True),
        ({"sign": 300.0}, True),  # this process, which does not know of it: it could not be given back
    ],
)
def test_the_lock_of_the_dead_is_taken_over(
    state: DeploymentState, deployments: Deployments, holder: dict[str, float], gone: bool
) -> None:
    """On this machine the process tells whether the holder lives; elsewhere its last sign of life does."""
    hold(state, **holder)  # type: ignore[arg-type]
    target = MemoryTarget()
    work = deployments.deploy(target, making(target), Policy(), wait=False)
    if gone:
        assert asyncio.run(work).succeeded
        assert locks(state) == []
    else:
        with pytest.raises(DeploymentLockedError, match=r"other\.ipynb \(pid \d+ on elsewhere\)"):
            asyncio.run(work)
        assert locks(state) == ["memory"]


def test_signs_of_life_are_given(state: DeploymentState, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a deployment goes on its sign of life is renewed, for those who cannot see the process."""
    monkeypatch.setattr(locking, "SIGN_SECONDS", 0.01)

    def sign() -> float:
        with closing(sqlite3.connect(state.path)) as connection:
            return float(connection.execute("SELECT sign FROM lock").fetchone()[0])

    async def scenario() -> None:
        async with TargetLock(state, "memory", "") as lock:
            await lock.acquire(Nobody(), wait=False)
            first = sign()
            with lock.signing(lambda error: None):
                await until(lambda: sign() > first)

    asyncio.run(scenario())
    assert locks(state) == []


def test_who_was_taken_for_dead_stops(state: DeploymentState, monkeypatch: pytest.MonkeyPatch) -> None:
    """If another has taken the lock over, as after a long sleep of the machine, the deployment ends."""
    monkeypatch.setattr(locking, "SIGN_SECONDS", 0.01)
    target = MemoryTarget()
    target.released = set()

    async def scenario() -> None:
        work = asyncio.ensure_future(Deployments(state, "").deploy(target, making(target), Policy()))
        await until(lambda: target.begun)
        hold(state, machine="elsewhere boot")
        with pytest.raises(DeploymentLockedError, match="on elsewhere"):
            await work

    asyncio.run(scenario())
    assert locks(state) == ["memory"]


def test_who_was_overtaken_stops_too(state: DeploymentState, monkeypatch: pytest.MonkeyPatch) -> None:
    """If another has taken the lock over and has given it back already, the deployment does not go on beside others."""
    monkeypatch.setattr(locking, "SIGN_SECONDS", 0.01)
    target = MemoryTarget()
    target.released = set()

    async def scenario() -> None:
        work = asyncio.ensure_future(Deployments(state, "").deploy(target, making(target), Policy()))
        await until(lambda: target.begun)
        hold(state, machine="elsewhere boot")
        state.writes.submit(lambda connection: connection.execute("DELETE FROM lock")).result(10)
        with pytest.raises((DeploymentOvertakenError, DeploymentLockedError), match="eploy again"):
            await asyncio.wait_for(work, 20)

    asyncio.run(scenario())
    assert target.begun == ["base"]


def test_a_loop_that_is_closed_gives_the_lock_back(state: DeploymentState) -> None:
    """The deployment it went on in is told as lost, not as failed, and the same process can deploy at once."""
    target = MemoryTarget()
    target.released = {"base"}
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)  # asyncio says that tasks were destroyed
    deployments = Deployments(state, "")
    work = loop.create_task(deployments.deploy(target, making(target), Policy()))
    loop.run_until_complete(until(lambda: "ml" in target.begun))
    loop.close()
    del work
    for _ in range(2):  # the writer may still have what it wrote last, and then writes what it is given
        state.writes.submit(lambda connection: None).result(10)
        gc.collect()
    state.writes.submit(lambda connection: None).result(10)
    history = DeploymentHistory(state, lambda _: target.observe())
    (lost,) = history.deployments()
    assert (lost.status, lost.counts) == ("lost", {"succeeded": 1, "lost": 1, "cancelled": 1})
    target.released = None
    again = asyncio.run(deployments.deploy(target, making(target), Policy(), wait=False))
    assert again.states == {"base": "unchanged", "ml": "succeeded", "api": "succeeded"}
