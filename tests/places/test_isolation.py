"""A worker has what its environment declares, and nothing of the kernel's."""

from __future__ import annotations

import ast
import asyncio
import os
import shutil
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

import flyte_nb
from flyte_nb.errors import WorkerStartError
from flyte_nb.places import preparing
from flyte_nb.session import session
from tests.files import files_with

from .made import defined_in, deploy, made_wheel

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., Any]


def test_variables_are_those_of_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the kernel's it has only what any process needs, and nothing of another environment."""
    monkeypatch.setenv("OF_THE_KERNEL", "1")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    variables = run("a.surroundings").result["variables"]
    assert variables["WHOSE"] == "a"
    assert not {"OF_THE_KERNEL", "PYTHONPATH", "FLYTE_NB_HOME"} & set(variables)
    assert run("b.whose").result == "b"


def test_the_folder_and_the_path_are_its_own(run: Run) -> None:
    """It neither sees nor changes where the kernel is."""
    before = os.getcwd(), list(sys.path)
    here = run("a.surroundings").result
    assert Path(here["folder"]).name.startswith("flyte_nb-worker-")
    own = subprocess.run([sys.executable, "-I", "-c", "import sys; print(sys.path)"], capture_output=True, check=True)
    assert {*here["path"]} - {*ast.literal_eval(own.stdout.decode())} == {here["path"][0]}
    assert Path(here["path"][0]).parent.name == "code"
    assert Path(run("a.writes_files").result).parent == Path(here["folder"])
    assert (os.getcwd(), sys.path) == before


def test_open_files_of_the_kernel_are_not_inherited(run: Run, tmp_path: Path) -> None:
    """Not even those that other processes would inherit."""
    with (tmp_path / "open").open("w") as file, socket.create_server(("127.0.0.1", 0)) as server:
        os.set_inheritable(file.fileno(), True)
        os.set_inheritable(server.fileno(), True)
        os.kill(run("a.who").result[0], 9)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_ANOTHER", "1")  # so that a worker starts now
            seen = run("a.surroundings").result
    files = [each for each in seen["descriptors"] if each.startswith("/") and not each.startswith("/proc/")]
    assert {each for each in files if not each.startswith("/dev/null")} == set()
    # Two to the kernel, and the pair by which asyncio wakes its loop.
    assert len([each for each in seen["descriptors"] if each.startswith("socket:")]) == 4


def test_nobody_can_connect_to_a_worker(run: Run) -> None:
    """Neither it nor the kernel listens anywhere, and its sockets have no names."""
    process = psutil.Process(run("a.who").result[0])
    for each in (process, psutil.Process()):
        connections = each.net_connections("all")
        assert [one for one in connections if one.status == psutil.CONN_LISTEN] == []
        assert {one.laddr for one in connections if one.family == socket.AF_UNIX} <= {""}


def test_a_worker_leads_a_session_of_its_own(run: Run) -> None:
    """What interrupts the kernel, or its terminal, does not reach it."""
    process, group, leader = run("a.who").result
    assert process == group == leader


def _others() -> dict[str, str]:
    """Return other Pythons that can run a worker, one for each version, by version: where this one is, or on PATH."""
    beside = map(str, Path(sys.base_prefix).parent.glob("*3.*/bin/python3"))
    on_path = (shutil.which(f"python3.{minor}") for minor in range(10, 16))
    found = {}
    for python in [*beside, *filter(None, on_path)]:
        code = "import sys; assert sys.version_info >= (3, 10); print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            found.setdefault(done.stdout.strip(), python)
    found.pop(f"{sys.version_info[0]}.{sys.version_info[1]}", None)
    return found


@pytest.mark.slow
def test_workers_of_other_pythons(start: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment may have another Python: values, errors, what is written and nested calls go there and back."""
    pythons = _others()
    if not pythons:
        pytest.skip("there is no other Python here")

    async def scenario() -> tuple[int, int]:
        version = (await start("a.surroundings")).result["version"]
        assert (await start("a.ping", 6)).result == 6
        assert (await start("a.ping_sync", 2)).result == 2
        assert "no end of line" in [line.text for line in (await start("a.speaks")).logs]
        with pytest.raises(flyte_nb.FlyteNbError, match="on purpose"):
            await start("b.fails_below", 1)
        return version

    seen = set()
    for python in pythons.values():
        monkeypatch.setattr(preparing, "_own_python", lambda path=python: (Path(path), ()))
        monkeypatch.setenv("XDG_PYTHON", python)  # or what was prepared before would do
        seen.add(asyncio.run(scenario()))
    assert len(seen) == len(pythons)
    assert tuple(sys.version_info[:2]) not in seen


def _defines(name: str, image: str, folder: Path, patch: pytest.MonkeyPatch) -> Any:
    source = f"""
import flyte_nb as flyte
import tiny
{name} = flyte.TaskEnvironment("{name}", image=flyte.Image.from_debian_base().with_pip_packages({image!r}))

@{name}.task
async def version() -> str:
    return tiny.VERSION
"""
    defined_in(source, folder, patch, f"defines_{name}")
    return sys.modules[f"defines_{name}"].version


@pytest.mark.slow
def test_environments_with_packages_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two versions of one package in one run; where it is missing, that is one line, until it is deployed with it."""
    monkeypatch.setenv("FLYTE_NB_HOME", str(tmp_path / "home"))
    packages = tmp_path / "site-packages"
    packages.mkdir()
    (packages / "tiny.py").write_text("VERSION = 'of the kernel'")
    monkeypatch.syspath_prepend(packages)
    old, new = made_wheel(tmp_path, "tiny", "1.0"), made_wheel(tmp_path, "tiny", "2.0")
    one = _defines("one", old, tmp_path, monkeypatch)
    two = _defines("two", new, tmp_path, monkeypatch)
    three = _defines("three", made_wheel(tmp_path, "other", "1.0"), tmp_path, monkeypatch)
    deploy()

    async def versions() -> list[str]:
        with session().runner.collecting("local"):
            return list(await asyncio.gather(one(), two()))

    async def of_three() -> str:
        return str((await flyte_nb.run(three, on="local")).result)

    try:
        assert asyncio.run(versions()) == ["1.0", "2.0"]
        assert asyncio.run(one()) == "of the kernel"
        for _ in range(2):
            with pytest.raises(WorkerStartError) as caught:
                asyncio.run(of_three())
            reason = "ModuleNotFoundError: No module named 'tiny'"
            assert str(caught.value) == f"The worker of 'three' cannot start: {reason}"
        three = _defines("three", new, tmp_path, monkeypatch)
        deploy("three")
        assert asyncio.run(of_three()) == "2.0"
    finally:
        session().rest()


def test_a_declared_secret_is_shown_nowhere(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not in what the task prints, logs, or has others print, not in its error, and not in what is kept of the run."""
    monkeypatch.setenv("BATTERY", "correcthorse")
    source = """
        import os, flyte_nb as flyte
        tells = flyte.TaskEnvironment("tells", secrets=[flyte.Secret("battery", as_env_var="BATTERY")])
        @tells.task
        async def tell(word: str) -> None:
            print("it is", os.environ["BATTERY"])
            os.system("echo $BATTERY")
            raise ValueError("not " + os.environ["BATTERY"], [{"in": os.environ["BATTERY"]}])
        @tells.task
        async def look() -> None:
            open("/" + os.environ["BATTERY"])
        @tells.task
        async def give(word: str) -> str:
            return word + os.environ["BATTERY"]
        other = flyte.TaskEnvironment("other", env_vars={"API_KEY": "horsestaple"})
        @other.task
        async def passes_on() -> list:
            return [await give("x" * 50), await give(""), os.environ["API_KEY"]]
        @other.task
        async def gives(word: str) -> str:
            return await give("x" * 48 + word + await give(""))
    """
    defined_in(textwrap.dedent(source), tmp_path, monkeypatch)
    deploy("tells", "other")
    with pytest.raises(ValueError, match="not") as caught:
        asyncio.run(flyte_nb.run(flyte_nb.deployed("tells.tell"), "correcthorse"))
    assert caught.value.args == ("not ***", [{"in": "***"}])
    kept = flyte_nb.runs()[0]
    assert kept.place == "local"
    assert sorted(line.text for line in kept.logs) == ["***", "it is ***"]
    assert "correct" not in kept.error + kept.tree[0].inputs
    with pytest.raises(FileNotFoundError, match=r"'/\*\*\*'"):
        asyncio.run(flyte_nb.run(flyte_nb.deployed("tells.look")))
    for task, *inputs in (("other.passes_on",), ("other.gives", "correcthorse")):
        asyncio.run(flyte_nb.run(flyte_nb.deployed(task), *inputs))
        for node in flyte_nb.runs()[0].tree:
            assert "***" in node.returned
            assert "correc" not in node.returned + node.inputs
            assert "horses" not in node.returned
    session().rest()
    assert "it is ***" in capfd.readouterr().out
    assert files_with("correcthorse", home) == []
    assert files_with("horsestaple", home) == []


def test_a_file_beside_the_notebook_is_not_beside_a_worker(start: Run) -> None:
    """Where a task looks for one, the error says why it is not there, and what to give."""
    with pytest.raises(FileNotFoundError) as caught:
        asyncio.run(start("a.reads", "data.csv"))
    own, note = caught.value.__notes__  # type: ignore[attr-defined,unused-ignore]
    assert own == "the task's own note"
    assert note.startswith("A task that runs on local has a folder of its own, not that of the notebook")
    with pytest.raises(FileNotFoundError) as caught:
        asyncio.run(start("a.reads", "/nowhere/data.csv"))
    assert caught.value.__notes__ == ["the task's own note"]  # type: ignore[attr-defined,unused-ignore]
    with pytest.raises(FileNotFoundError) as caught:
        asyncio.run(start("a.starts_program", "no-such-program"))
    assert not hasattr(caught.value, "__notes__")
