"""Several processes at once, and processes that are killed: nothing is built twice, half or never."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from flyte_nb.errors import VenvError
from flyte_nb.venvs.venvs import Venvs

from .conftest import spec_of
from .test_building import processes_with
from .wheels import make_slow_source, make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


# Arguments: the folder, "build" or "use", and the packages.
OTHER = """
import asyncio, sys
from pathlib import Path
from flyte_nb.model.image import Image
from flyte_nb.venvs.specification import venv_spec
from flyte_nb.venvs.venvs import Venvs

folder, what, *packages = sys.argv[1:]
venvs, spec = Venvs(Path(folder)), venv_spec(Image.from_debian_base().with_pip_packages(*packages))
say = lambda line: print(line, flush=True)
if what == "use":
    lease = venvs.use(spec)
    say("used")
    sys.stdin.readline()
    lease.release()
else:
    asyncio.run(venvs.ensure(spec, say))
say("done")
"""
SEED = 20_261


@contextmanager
def other(home: Path, what: str, *packages: str) -> Iterator[subprocess.Popen[str]]:
    """Give another process that builds or uses an environment; it is killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(home), what, *packages],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(path: Path, *processes: subprocess.Popen[str]) -> None:
    """Wait until the file is there, which one of `processes` makes."""
    while not path.exists():
        assert None in [process.poll() for process in processes], "nobody makes it any more"
        time.sleep(0.005)


def is_whole(python: Path) -> bool:
    return subprocess.run([python, "-I", "-c", "import alpha"], check=False, capture_output=True).returncode == 0


def test_two_processes_build_one(home: Path, wheels: Path) -> None:
    """The second waits, says so, and takes what the first has built."""
    make_wheel(wheels, "alpha", files={"alpha.py": "import time; time.sleep(1)"})
    with other(home, "build", "alpha") as first, other(home, "build", "alpha") as second:
        said = [first.communicate()[0].splitlines(), second.communicate()[0].splitlines()]
    said.sort(key=len)
    assert said[0] == ["waiting: another environment or kernel builds it", "it is built", "done"]
    assert said[1][0].startswith("building")
    assert said[1][-1] == "done"


def test_in_one_process_one_is_built(home: Path, wheels: Path) -> None:
    """Environments with the same packages that deploy at once share one build, whatever loop they are in."""
    make_wheel(wheels, "alpha", files={"alpha.py": "import time; time.sleep(0.5)"})
    venvs, said = Venvs(home), [list[str]() for _ in range(4)]

    async def in_a_thread(log: list[str]) -> None:
        await asyncio.to_thread(asyncio.run, venvs.ensure(spec_of("alpha"), log.append))

    async def scenario() -> None:
        await asyncio.gather(
            *(venvs.ensure(spec_of("alpha"), log.append) for log in said[:2]), *map(in_a_thread, said[2:])
        )

    asyncio.run(scenario())
    assert sum(log[0].startswith("building") for log in said) == 1
    assert sum(log == ["waiting: another environment or kernel builds it", "it is built"] for log in said) == 3


def test_four_different_build_at_once(home: Path, wheels: Path, tmp_path: Path) -> None:
    """None waits for another: each is imported while all the others are."""
    names = ["alpha", "beta", "gamma", "delta"]
    meeting = (
        "import pathlib, time\nfolder = pathlib.Path({folder!r})\n(folder / {name!r}).touch()\n"
        "for _ in range(3000):\n    if len(list(folder.iterdir())) == 4: break\n    time.sleep(0.01)\n"
        "else: raise ImportError('nobody came')\n"
    )
    (tmp_path / "met").mkdir()
    for name in names:
        make_wheel(wheels, name, files={f"{name}.py": meeting.format(folder=str(tmp_path / "met"), name=name)})
    venvs = Venvs(home)

    async def scenario() -> list[Path]:
        return await asyncio.gather(*(venvs.ensure(spec_of(name), print) for name in names))

    assert len(set(asyncio.run(scenario()))) == 4


def test_who_waits_can_be_cancelled(home: Path, tmp_path: Path) -> None:
    """The build of the other goes on."""
    begun = tmp_path / "begun"
    source = str(make_slow_source(tmp_path / "slow", begun))
    with other(home, "build", source) as builder:
        wait_for(begun, builder)

        async def scenario() -> None:
            said: asyncio.Queue[str] = asyncio.Queue()
            waiting = asyncio.ensure_future(Venvs(home).ensure(spec_of(source), said.put_nowait))
            assert await said.get() == "waiting: another environment or kernel builds it"
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

        asyncio.run(scenario())
        assert builder.poll() is None
        assert processes_with(str(home))


def test_the_installer_ends_with_a_kernel_that_is_killed(home: Path, tmp_path: Path) -> None:
    """Nothing goes on behind it, and whoever builds it next finds no lock."""
    begun = tmp_path / "begun"
    source = make_slow_source(tmp_path / "slow", begun)
    with other(home, "build", str(source)) as builder:
        wait_for(begun, builder)
    while processes_with(str(home)):
        time.sleep(0.01)
    with pytest.raises(VenvError, match="Failed to build"):
        asyncio.run(Venvs(home).ensure(spec_of(str(source)), print))
    assert not list((home / "aside").iterdir())


def test_who_waits_for_one_that_is_killed_builds_it(home: Path, tmp_path: Path, wheels: Path) -> None:
    """The lock is free as soon as its holder is gone."""
    begun = tmp_path / "begun"
    slow = f"import pathlib, time\nif not pathlib.Path({str(begun)!r}).exists():\n"
    slow += f"    pathlib.Path({str(begun)!r}).touch()\n    time.sleep(600)\n"
    make_wheel(wheels, "alpha", files={"alpha.py": slow})
    with other(home, "build", "alpha") as killed, other(home, "build", "alpha") as waiting:
        wait_for(begun, killed, waiting)
        killed.kill() if builds(killed) else waiting.kill()
        survivor = waiting if killed.wait() else killed
        assert survivor.communicate()[0].splitlines()[-1] == "done"


@pytest.mark.slow
def test_killed_at_any_moment(home: Path, wheels: Path, tmp_path: Path) -> None:
    """What has its final name is whole, and the next one builds what is not there and removes what was left."""
    make_wheel(wheels, "alpha", requires="beta")
    make_wheel(wheels, "beta", files={f"beta/m{number}.py": "x = 1\n" * 100 for number in range(300)})
    chosen, spec, venvs = random.Random(SEED), spec_of("alpha"), Venvs(home)  # noqa: S311
    killed_in_the_middle = 0
    for _ in range(25):
        with other(home, "build", "alpha") as builder:
            assert builds(builder)
            time.sleep(chosen.uniform(0, 0.8))
        python = venvs.find(spec)
        assert python is None or is_whole(python)
        killed_in_the_middle += builder.returncode != 0 and python is None
        if python:
            assert venvs.collect((), 0) == [spec.key]
    assert killed_in_the_middle > 5
    assert is_whole(asyncio.run(venvs.ensure(spec, print)))
    assert not list((home / "aside").iterdir())
    while processes_with(str(home)):
        time.sleep(0.01)


def collected(venvs: Venvs) -> list[str]:
    return venvs.collect((), 0)


def test_what_is_used_is_not_collected(home: Path, wheels: Path) -> None:
    """Not even by another process; released, or its process killed, it is, and no trace of the lease stays."""
    make_wheel(wheels, "alpha")
    venvs, spec = Venvs(home), spec_of("alpha")
    for ends in ("released", "killed"):
        asyncio.run(venvs.ensure(spec, print))
        with other(home, "use", "alpha") as user:
            assert user.stdout
            assert user.stdout.readline() == "used\n"
            assert collected(venvs) == []
            if ends == "released":
                user.communicate("go on\n")
        assert collected(venvs) == [spec.key]
        assert venvs.find(spec) is None
        assert not list((home / "leases").iterdir())
        assert not list((home / "aside").iterdir())


def test_every_lease_counts(home: Path, wheels: Path) -> None:
    """Two workers run in one environment; it is kept until both have ended, and to release twice does nothing."""
    make_wheel(wheels, "alpha")
    venvs, spec = Venvs(home), spec_of("alpha")
    first = venvs.use(spec)
    with venvs.use(spec):
        asyncio.run(venvs.ensure(spec, print))
        first.release()
        first.release()
        assert collected(venvs) == []
    assert collected(venvs) == [spec.key]


def test_a_lease_is_taken_before_it_is_built(home: Path, wheels: Path) -> None:
    """So nobody collects what was just built for a worker that does not run yet."""
    make_wheel(wheels, "alpha")
    venvs, spec = Venvs(home), spec_of("alpha")
    with venvs.use(spec):
        asyncio.run(venvs.ensure(spec, print))
        assert collected(venvs) == []


def test_only_what_is_old_and_not_needed_is_collected(home: Path, wheels: Path) -> None:
    """Time counts from the last use."""
    for name in ("alpha", "beta", "gamma"):
        make_wheel(wheels, name)
    venvs, specs = Venvs(home), [spec_of(name) for name in ("alpha", "beta", "gamma")]
    for spec in specs:
        asyncio.run(venvs.ensure(spec, print))
    for spec in specs[:2]:
        os.utime(home / spec.key / "flyte_nb.used", (0, 0))
    assert set(venvs.unused(3600)) == {spec.key for spec in specs[:2]}
    assert venvs.collect({specs[0].key}, 3600) == [specs[1].key]
    asyncio.run(venvs.ensure(specs[0], print))
    assert venvs.collect((), 3600) == []


def test_what_is_being_built_is_not_collected(home: Path, tmp_path: Path) -> None:
    """Neither it, nor what of it is aside."""
    begun = tmp_path / "begun"
    source = str(make_slow_source(tmp_path / "slow", begun))
    with other(home, "build", source) as builder:
        wait_for(begun, builder)
        Venvs(home).collect((), 0)
        assert len(list((home / "aside").iterdir())) == 1
        assert builder.poll() is None


def builds(process: subprocess.Popen[str]) -> bool:
    """Say whether the process is one that builds, or else waits for another."""
    assert process.stdout
    return process.stdout.readline().startswith("building")
