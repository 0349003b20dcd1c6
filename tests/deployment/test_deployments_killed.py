"""kill -9 at any moment of a deployment: what was reported is true, the rest is told truthfully, and is completed."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from flyte_nb.deployment.keeping.history import DeploymentHistory
from flyte_nb.deployment.keeping.state import DeploymentState

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

    from flyte_nb.deployment.keeping.recorded import RecordedDeployment

NAMES = [f"n{index:02}" for index in range(20)]

# Forks a process for each line it reads, "<first version> <how many> <seed>", which deploys that many versions of
# twenty environments, one after the other, and reports all that it is told.
FORKING = """
import asyncio, os, random, sys
from pathlib import Path
from flyte_nb.bundle.content import Bundle
from flyte_nb.deployment.applying.apply import Policy
from flyte_nb.deployment.deployments import Deployments
from flyte_nb.deployment.planning.making import make_plan
from flyte_nb.deployment.keeping.state import DeploymentState
from flyte_nb.targets.local import LocalTarget
from flyte_nb.venvs.venvs import Venvs

NAMES = [f"n{index:02}" for index in range(20)]
EDGES = {name: tuple({NAMES[at // 2], NAMES[at // 3]} - {name}) if at else () for at, name in enumerate(NAMES)}

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

class Telling:
    def waiting(self, holder): say("waiting", holder)
    def begun(self, plan, name): say("begun", name)
    def changed(self, status):
        if status.state.is_final: say("ended", status.name, status.state.value)
    def said(self, environment, line): pass

class Slow(LocalTarget):
    async def deploy_environment(self, bundle, log):
        await asyncio.sleep(random.uniform(0, 0.004))
        await super().deploy_environment(bundle, log)
        await asyncio.sleep(random.uniform(0, 0.002))

async def deploy(home, version):
    state = DeploymentState(home)
    target = Slow(state, Venvs(home / "venvs"))
    bundles = {n: Bundle(n, {"depends_on": list(EDGES[n])}, {}, f"{n} {version}", "#" * 5_000) for n in NAMES}
    make = lambda: (make_plan("local", NAMES, EDGES, bundles, target.observe()), bundles)
    deployment = await Deployments(state, "notebook.ipynb").deploy(target, make, Policy(4), Telling())
    say("done", deployment.name, deployment.succeeded)

say("ready")
for line in sys.stdin:
    first, count, seed = map(int, line.split())
    child = os.fork()
    if child == 0:
        random.seed(seed)
        say("pid", os.getpid())
        for version in range(first, first + count):
            asyncio.run(deploy(Path(sys.argv[1]), version))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    say("over", status)
"""


class Forking:
    """The process that forks off those who deploy."""

    def __init__(self, home: Path) -> None:
        command = [sys.executable, "-c", FORKING, str(home)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        assert self.line() == ["ready"]

    def line(self) -> list[str]:
        return self._pipe(self.process.stdout).readline().split()

    def _pipe(self, pipe: IO[str] | None) -> IO[str]:
        assert pipe
        return pipe

    def begin(self, version: int, count: int, seed: int) -> int:
        """Have `count` versions deployed, and return the process that does."""
        self._pipe(self.process.stdin).write(f"{version} {count} {seed}\n")
        word, pid = self.line()
        assert word == "pid"
        return int(pid)

    def reports(self) -> list[list[str]]:
        """Return all that was reported until the end of the process."""
        lines = []
        while (line := self.line())[0] != "over":
            lines.append(line)
        return lines

    def close(self) -> None:
        self.process.communicate()


class Checked:
    """Checks what is left after a kill, and counts what it has seen."""

    def __init__(self, home: Path) -> None:
        self.state = DeploymentState(home)
        self.history = DeploymentHistory(self.state, self.state.deployed)
        self.seen: Counter[str] = Counter()
        self.deployments = 0
        # Every effect on the target, noted in the very transaction that has it.
        self.state.writes.submit(
            lambda connection: connection.execute("CREATE TABLE effect (name TEXT, fingerprint TEXT)")
        ).result()
        self.state.writes.submit(
            lambda connection: connection.execute(
                "CREATE TRIGGER effects AFTER INSERT ON environment "
                "BEGIN INSERT INTO effect VALUES (new.name, new.fingerprint); END"
            )
        ).result()

    def effects(self) -> Counter[tuple[str, str]]:
        with closing(sqlite3.connect(self.state.path)) as connection:
            return Counter(connection.execute("SELECT name, fingerprint FROM effect").fetchall())

    def after_kill(self, version: int, reports: list[list[str]]) -> None:
        """Check that the database opens, that what was reported is true, and that the rest is told as it is.

        Args:
            version: The first that the killed process was to deploy.
            reports: What it reported.
        """
        with closing(sqlite3.connect(self.state.path)) as connection:
            assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
        told: dict[str, dict[str, str]] = {}
        for word, *rest in reports:
            if word == "begun":
                told[rest[0]] = {}
            elif word == "ended":
                list(told.values())[-1][rest[0]] = rest[1]
                self.seen["reports"] += 1
        new = self.history.deployments(limit=1_000)[: -self.deployments or None][::-1]
        self.deployments += len(new)
        self.seen["kills"] += 1
        names = [deployment.name for deployment in new]
        # One more may be recorded than was told.
        assert list(told) in (names, names[:-1])
        for at, deployment in enumerate(new):
            self._check(deployment, told.get(deployment.name, {}))
            if at == len(new) - 1:
                self._check_target(deployment, version + at)
        assert [deployment.status for deployment in new[:-1]] == ["succeeded"] * len(new[:-1])
        assert set(self.effects().values()) <= {1}

    def _check(self, deployment: RecordedDeployment, told: dict[str, str]) -> None:
        """Check that what was told is what is recorded, and that everything has an end."""
        self.seen[deployment.status] += 1
        for one in deployment.environments:
            state = one.state.value
            assert state in ("succeeded", "unchanged", "lost", "cancelled"), f"{one.name} is {state}"
            assert told.get(one.name, state) == state, f"{one.name} was reported as {told[one.name]} and is {state}"
            self.seen[f"environments {state}"] += 1
            self.seen["of them succeeded and not reported"] += one.name not in told and state == "succeeded"

    def _check_target(self, deployment: RecordedDeployment, version: int) -> None:
        """Check that what is told of the last deployment is what the target has."""
        deployed = {name: one.fingerprint for name, one in self.state.deployed("local").items()}
        there = {name for name in NAMES if deployed.get(name) == f"{name} {version}"}
        succeeded = {one.name for one in deployment.environments if one.state.value in ("succeeded", "unchanged")}
        assert succeeded == there


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
@pytest.mark.parametrize("seed", [20_240_607])
def test_kill_at_200_random_moments(tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    """After each kill all is as it is told; who deploys next completes it, each version of each environment once."""
    dice, checked = random.Random(seed), Checked(tmp_path)  # noqa: S311 - nothing is kept secret by it
    forking, version = Forking(tmp_path), 0
    try:
        for _ in range(200):
            pid = forking.begin(version, 1_000, dice.randrange(10**9))
            # A moment after so many reports: before the first, in any deployment, or between two.
            reports = [forking.line() for _ in range(dice.randrange(0, 45))]
            time.sleep(dice.uniform(0, 0.01))
            os.kill(pid, signal.SIGKILL)
            reports += forking.reports()
            checked.after_kill(version, reports)
            version += sum(line[0] == "done" for line in reports)
        forking.begin(version, 1, 0)
        last = forking.reports()
    finally:
        forking.close()
    assert last[-1][::2] == ["done", "True"]
    assert checked.effects() == {(name, f"{name} {each}"): 1 for name in NAMES for each in range(version + 1)}
    # Each deployment that was killed was closed by the next one: none goes on any more, whoever looks.
    with closing(sqlite3.connect(checked.state.path)) as connection:
        states = dict(connection.execute("SELECT state, count(*) FROM deployment GROUP BY state").fetchall())
        ends = dict(connection.execute("SELECT state, count(*) FROM deployment_environment GROUP BY state").fetchall())
    assert set(states) == {"lost", "succeeded"}
    assert set(ends) <= {"succeeded", "unchanged", "lost", "cancelled"}
    assert checked.seen["kills"] == 200
    assert checked.seen["lost"] > 100
    with capsys.disabled():
        print(f"\nkilled: {dict(checked.seen)}; deployments: {states}; their environments: {ends}")


DEPLOYING = """
import asyncio, os, sys
import flyte_nb as flyte
from flyte_nb.session import session
from flyte_nb.targets.local import LocalTarget

class Held(LocalTarget):
    async def deploy_environment(self, bundle, log):
        await asyncio.to_thread(sys.stdin.readline)
        await super().deploy_environment(bundle, log)

class Telling:
    def waiting(self, holder): print("waiting", holder, flush=True)
    def begun(self, plan, name): print("begun", name, flush=True)
    def said(self, environment, line): pass
    def changed(self, status):
        if status.state.value == "running": print("deploying", status.name, flush=True)

session()._targets["local"] = lambda: Held(session()._deployment_state(), session().embedded.venvs)
flyte.TaskEnvironment("base")
flyte.TaskEnvironment("ml", depends_on=["base"])

async def main():
    wait = sys.argv[1] == "wait"
    try:
        deployment = await session().deploy((), "local", wait=wait, watcher=Telling())
    except flyte.DeploymentLockedError as error:
        print("refused", error, flush=True)
    else:
        print(deployment.states, flush=True)

asyncio.run(main())
"""


class Kernel:
    """A process that deploys, and holds each environment until it is told to go on."""

    def __init__(self, home: Path, wait: str = "wait") -> None:
        settings = {**os.environ, "FLYTE_NB_HOME": str(home), "JPY_SESSION_NAME": "/work/churn.ipynb"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", DEPLOYING, wait],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env=settings,
        )

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def go_on(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("\n")

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def test_two_processes_deploy_one_after_the_other(tmp_path: Path) -> None:
    """The second waits and then finds nothing to do; a third that will not wait is told who deploys."""
    first = Kernel(tmp_path)
    kernels = [first]
    try:
        assert [first.line(), first.line()] == ["begun d1", "deploying base"]
        kernels += [second := Kernel(tmp_path), third := Kernel(tmp_path, "no")]
        holder = f"churn.ipynb (pid {first.process.pid}) has been deploying to local since "
        assert second.line().startswith(f"waiting {holder}")
        assert third.line().startswith(f"refused {holder}")
        first.go_on()
        assert first.line() == "deploying ml"
        first.go_on()
        assert first.line() == str({"base": "succeeded", "ml": "succeeded"})
        assert second.line() == "begun d2"
        assert second.line() == str({"base": "unchanged", "ml": "unchanged"})
    finally:
        for kernel in kernels:
            kernel.end()


def test_who_waits_takes_over_from_who_is_killed(tmp_path: Path) -> None:
    """After kill -9 of the holder what it did stands, its deployment is lost, and the one that waits completes it."""
    first = Kernel(tmp_path)
    kernels = [first]
    state = DeploymentState(tmp_path)
    history = DeploymentHistory(state, state.deployed)
    try:
        assert [first.line(), first.line()] == ["begun d1", "deploying base"]
        first.go_on()
        assert first.line() == "deploying ml"
        assert history.deployment("d1").status == "running"
        kernels.append(second := Kernel(tmp_path))
        assert second.line().startswith("waiting")
        first.end()
        assert [second.line(), second.line()] == ["begun d2", "deploying ml"]
        second.go_on()
        assert second.line() == str({"base": "unchanged", "ml": "succeeded"})
    finally:
        for kernel in kernels:
            kernel.end()
    lost = history.deployment("d1")
    assert (lost.status, lost.ended, lost.duration) == ("lost", None, None)
    assert {one.name: (one.state.value, one.error) for one in lost.environments} == {
        "base": ("succeeded", ""),
        "ml": ("lost", "the kernel ended while it was deployed"),
    }


def test_a_lost_deployment_is_told_as_lost_before_anybody_takes_over(tmp_path: Path) -> None:
    """Whoever looks sees what became of it; looking changes nothing."""
    kernel = Kernel(tmp_path)
    assert [kernel.line(), kernel.line()] == ["begun d1", "deploying base"]
    kernel.go_on()
    assert kernel.line() == "deploying ml"
    kernel.end()
    state = DeploymentState(tmp_path)
    for observe in (state.deployed, lambda _: None):
        lost = DeploymentHistory(state, observe).deployment("d1")
        assert lost.status == "lost"
        assert [one.state.value for one in lost.environments] == ["succeeded", "lost"]
        assert lost.counts == {"succeeded": 1, "lost": 1}
    with closing(sqlite3.connect(state.path)) as connection:
        assert connection.execute("SELECT state FROM deployment").fetchone() == ("running",)
