"""The database of deployments: it survives kills and rivals, and holds no secret."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

import flyte_nb
from flyte_nb.bundle.content import Bundle
from flyte_nb.deployment.keeping.state import DeploymentState
from flyte_nb.errors import StateError
from flyte_nb.venvs.venvs import Venvs
from tests.files import files_with

if TYPE_CHECKING:
    from pathlib import Path

# Records without end, each under one of seven names, and tells each that is done.
WRITER = """
import os, sys
from itertools import count
from pathlib import Path
from flyte_nb.bundle.content import Bundle
from flyte_nb.deployment.keeping.state import DeploymentState

state = DeploymentState(Path(sys.argv[1]))
os.write(1, b"ready\\n")
for number in count():
    text = str(number)
    state.record("local", Bundle(f"n{number % 7}", {"number": number}, {"t": text * 20_000}, text)).result()
    os.write(1, f"{number}\\n".encode())
"""

# For each folder that it is told, records under names of its own and answers.
RIVAL = """
import sys
from pathlib import Path
from flyte_nb.bundle.content import Bundle
from flyte_nb.deployment.keeping.state import DeploymentState

print("ready", flush=True)
for line in sys.stdin:
    for number in range(5):
        name = f"{sys.argv[1]}-{number}"
        DeploymentState(Path(line.strip())).record("local", Bundle(name, {}, {}, name)).result()
    print("done", flush=True)
"""


def make(name: str = "base", fingerprint: str = "f1") -> Bundle:
    return Bundle(name, {"image": "python:3.12"}, {f"{name}.t": "def t(): ..."}, fingerprint)


def test_what_is_recorded_is_observed(tmp_path: Path) -> None:
    """A record is read back as it was written, by target, with the time in UTC."""
    state = DeploymentState(tmp_path / "home")
    state.record("local", make()).result()
    state.record("other", make("ml")).result()
    (deployed,) = DeploymentState(tmp_path / "home").deployed("local").values()
    assert (deployed.name, deployed.fingerprint) == ("base", "f1")
    assert (deployed.specification, deployed.sources) == ({"image": "python:3.12"}, {"base.t": "def t(): ..."})
    assert timedelta(0) <= datetime.now(timezone.utc) - deployed.deployed_at < timedelta(minutes=1)


def test_what_was_deployed_last_is_known(tmp_path: Path) -> None:
    """For each name one target, and what it has there; seen at once when it changes, also by another session."""
    state = DeploymentState(tmp_path)
    assert state.last_deployed() == {}
    state.record("local", make()).result()
    state.record("local", make("ml")).result()
    state.record("other", make(fingerprint="f2")).result()
    assert state.last_deployed() == {"base": ("other", "f2"), "ml": ("local", "f1")}
    DeploymentState(tmp_path).record("local", make(fingerprint="f3")).result()
    assert state.last_deployed() == {"base": ("local", "f3"), "ml": ("local", "f1")}


def test_a_later_record_replaces_an_earlier_one(tmp_path: Path) -> None:
    """There is one record for each name."""
    state = DeploymentState(tmp_path)
    state.record("local", make(fingerprint="f1")).result()
    state.record("local", make(fingerprint="f2")).result()
    assert {name: deployed.fingerprint for name, deployed in state.deployed("local").items()} == {"base": "f2"}


def test_reading_creates_nothing(tmp_path: Path) -> None:
    """Without a database nothing is deployed, and looking does not create one."""
    assert DeploymentState(tmp_path / "home").deployed("local") == {}
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("reported", [0, 1, 8, 25, 60])
def test_a_killed_process_leaves_what_it_reported(tmp_path: Path, reported: int) -> None:
    """After kill -9 in the middle of records the database has all that was reported, and at most one more."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    with writer.stdout as lines:
        for _ in range(reported + 1):
            lines.readline()
        os.kill(writer.pid, signal.SIGKILL)
        rest = lines.read().splitlines()
    assert writer.wait() == -signal.SIGKILL
    done = reported + len(rest)

    deployed = DeploymentState(tmp_path).deployed("local")
    numbers = sorted(int(entry.fingerprint) for entry in deployed.values())
    assert numbers in (list(range(max(0, done - 7), done)), list(range(max(0, done - 6), done + 1)))
    for entry in deployed.values():
        assert entry.specification == {"number": int(entry.fingerprint)}
        assert entry.sources == {"t": entry.fingerprint * 20_000}
    DeploymentState(tmp_path).record("local", make()).result()
    with sqlite3.connect(tmp_path / "state.sqlite3") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_rivals_may_write_at_once(tmp_path: Path) -> None:
    """Two processes that create and write one database at the same moment lose nothing, again and again."""
    rivals = [
        subprocess.Popen(
            [sys.executable, "-c", RIVAL, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        for name in ("a", "b")
    ]
    try:
        answers = [rival.stdout.readline() for rival in rivals if rival.stdout]
        for round_number in range(15):
            home = tmp_path / str(round_number)
            for rival in rivals:
                assert rival.stdin is not None
                rival.stdin.write(f"{home}\n")
            answers += [rival.stdout.readline() for rival in rivals if rival.stdout]
            assert set(DeploymentState(home).deployed("local")) == {f"{r}-{n}" for r in "ab" for n in range(5)}
    finally:
        for rival in rivals:
            rival.communicate()
    assert answers == ["ready\n"] * 2 + ["done\n"] * 30


def test_a_record_that_is_damaged_is_one_clear_error(tmp_path: Path) -> None:
    """Text that is no JSON is reported as a fault of the database."""
    DeploymentState(tmp_path).record("local", make()).result()
    connection = sqlite3.connect(tmp_path / "state.sqlite3", isolation_level=None)
    connection.execute("UPDATE version SET sources = '{'")
    connection.close()
    with pytest.raises(StateError):
        DeploymentState(tmp_path).deployed("local")


async def nothing_to_install(*_: object) -> None:
    """Stand for a virtual environment: what the test names cannot be downloaded."""


@pytest.mark.parametrize("secret", ["hunter2", "correct-horse"])
def test_secrets_are_not_in_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    """No byte of a secret reaches the disk, wherever an environment may hold one."""
    monkeypatch.setenv("FLYTE_NB_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(Venvs, "ensure", nothing_to_install)
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"--index-url https://robot:{secret}@pypi.example/simple\nnumpy\n")
    image = (
        flyte_nb.Image.from_base("python:3.12")
        .with_env_vars({"API_KEY": secret, "INDEX": f"https://u:{secret}@host"})
        .with_pip_packages(f"pkg @ git+https://{secret}@github.com/o/r")
        .with_requirements(requirements)
    )
    env = flyte_nb.TaskEnvironment(
        "base",
        image=image,
        env_vars={"DB_PASSWORD": secret, "DSN": f"postgres://u:{secret}@db/x"},
        description=f"see https://u:{secret}@wiki",
        secrets=flyte_nb.Secret("my-token", as_env_var="TOKEN"),
        flyte_options={"hook": {"access_token": secret}, "urls": [f"https://{secret}@host"]},
    )
    flyte_nb.TaskEnvironment("auto", image=f"https://u:{secret}@registry.example/image")

    @env.task
    async def told() -> None:
        """Do nothing."""

    for _ in range(2):
        assert asyncio.run(flyte_nb.deploy()).succeeded
        env.clone_with("other")  # the second deployment writes too
    assert files_with("my-token", tmp_path / "home")
    assert files_with(secret, tmp_path / "home") == []
    plan = flyte_nb.plan()
    assert secret not in repr(plan)
    assert plan.actions == {"base": "unchanged", "auto": "unchanged", "other": "unchanged"}
