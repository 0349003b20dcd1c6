"""Virtual environments as they are built: real ones, by the real installers."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from flyte_nb.errors import VenvError
from flyte_nb.venvs import building, trying
from flyte_nb.venvs.venvs import Venvs

from .conftest import spec_of
from .index import index
from .wheels import make_slow_source, make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Build = Callable[..., Path]

OWN = "{}.{}".format(*sys.version_info[:2])


def told(python: Path, code: str) -> str:
    """Return what the interpreter prints."""
    return subprocess.run([python, "-I", "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def left(home: Path) -> list[Path]:
    """Return what is there beside the files of locks."""
    return [
        path
        for path in home.rglob("*")
        if path.parent.name != "locks" and path.name not in ("locks", "leases", "aside")
    ]


@pytest.fixture
def without_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "find_uv", lambda: None)


def test_what_is_built_has_the_packages(build: Build, wheels: Path, home: Path, venvs: Venvs) -> None:
    """Its interpreter imports them; what is there is recorded, and found from then on."""
    make_wheel(wheels, "alpha", requires="beta")
    make_wheel(wheels, "beta", "2.0")
    assert venvs.find(spec_of("alpha")) is None
    python = build("alpha")
    assert told(python, "import alpha, beta; print(alpha.version, beta.version)") == "1.0 2.0"
    assert venvs.find(spec_of("alpha")) == python
    record = json.loads((home / spec_of("alpha").key / "flyte_nb.json").read_text())
    assert record["installed"] == [["alpha", "1.0"], ["beta", "2.0"]]
    assert (record["python"], record["packages"], record["by"]) == (OWN, ["alpha"], "uv")


def test_a_build_tells_how_it_goes_on(build: Build, wheels: Path, said: list[str]) -> None:
    """Each step is a line without colours or what moves; built once, nothing more is said."""
    make_wheel(wheels, "alpha")
    build("alpha")
    assert said[0] == f"building a virtual environment: python {OWN}, alpha"
    assert "installed alpha 1.0" in said
    assert said[-1].startswith("built in ")
    assert all(line.isprintable() for line in said)
    before = len(said)
    build("alpha")
    assert len(said) == before


def test_packages_from_the_index(build: Build, said: list[str]) -> None:
    """What this machine's pip would find is found."""
    assert told(build("six"), "import six; print(six.PY3)") == "True"


def test_without_packages_it_is_empty(venvs: Venvs, said: list[str]) -> None:
    """An image that names its Python has an environment of its own."""
    python = asyncio.run(venvs.ensure(spec_of(), said.append))
    assert told(python, "import sys; print('{}.{}'.format(*sys.version_info))") == OWN


def test_local_sources_are_installed(build: Build, wheels: Path, tmp_path: Path) -> None:
    """A wheel is named by its path, which may hold spaces."""
    wheel = make_wheel(tmp_path / "my wheels", "alpha")
    assert told(build(str(wheel)), "import alpha; print(alpha.version)") == "1.0"


def test_scripts_know_their_interpreter(build: Build, wheels: Path) -> None:
    """They work although the environment was built elsewhere."""
    make_wheel(wheels, "alpha", files={"alpha.py": "def main(): print('hello')"}, scripts={"greet": "alpha:main"})
    script = build("alpha").with_name("greet")
    assert subprocess.run([script], check=True, capture_output=True, text=True).stdout == "hello\n"


@pytest.mark.slow
def test_without_uv_pip_does_it(build: Build, wheels: Path, without_uv: None, home: Path, said: list[str]) -> None:
    """Slower, but the same: packages, scripts, the record, and the reason of a failure."""
    make_wheel(wheels, "alpha", files={"alpha.py": "def main(): print('hello')"}, scripts={"greet": "alpha:main"})
    script = build("alpha").with_name("greet")
    assert subprocess.run([script], check=True, capture_output=True, text=True).stdout == "hello\n"
    assert json.loads((home / spec_of("alpha").key / "flyte_nb.json").read_text())["by"] == "pip"
    assert "successfully installed alpha-1.0" in said
    with pytest.raises(VenvError, match=r"No matching distribution found for nothing_like_it|nothing-like-it"):
        build("nothing_like_it")


def test_a_python_that_is_not_there(venvs: Venvs, without_uv: None, home: Path) -> None:
    """The error says which, and what to do."""
    with pytest.raises(VenvError, match=rf"no Python 3\.98 here.*from_debian_base\(python=\"{OWN}\"\).*pip install uv"):
        asyncio.run(venvs.ensure(spec_of(python="3.98"), print))
    assert not left(home)


@pytest.mark.parametrize(
    ("package", "reason"),
    [
        ("nothing-like-it", "nothing-like-it was not found"),
        ("six", "six was not found"),
        ("alpha==99", "there is no version of alpha==99"),
        ("./nowhere/x-1.0-py3-none-any.whl", "nowhere"),
    ],
)
def test_what_cannot_be_installed(build: Build, wheels: Path, home: Path, package: str, reason: str) -> None:
    """The error is one line with what the installer says of it, and nothing is left."""
    make_wheel(wheels, "alpha")
    with pytest.raises(VenvError, match=reason) as caught:
        build(package)
    assert "\n" not in str(caught.value)
    assert not left(home)


def test_a_package_for_another_python(build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which Python it needs."""
    wheel = make_wheel(tmp_path / "served" / "future", "future", "77.0", python=">=3.99")
    link = f'<a href="{wheel.name}" data-requires-python="&gt;=3.99">{wheel.name}</a>'
    (wheel.parent / "index.html").write_text(link)
    with index(tmp_path / "served", "robot", "password") as host:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://robot:password@{host}/")
        with pytest.raises(VenvError, match=r"Python ?>=3\.99"):
            build("future==77.0")


def test_a_folder_that_cannot_be_made(tmp_path: Path, said: list[str]) -> None:
    """What the operating system says is the reason: a full disk is told in the same way."""
    (tmp_path / "file").touch()
    with pytest.raises(VenvError, match="Not a directory"):
        asyncio.run(Venvs(tmp_path / "file" / "venvs").ensure(spec_of(), said.append))


def test_a_disk_that_is_full_when_it_is_finished(
    build: Build, wheels: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last step may fail too, and leaves nothing."""

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    make_wheel(wheels, "alpha")
    with pytest.raises(VenvError, match="No space left on device"):
        build("alpha")
    assert not left(home)


@pytest.mark.parametrize(
    ("module", "says"),
    [
        ("import not_there_at_all", "importing alpha fails: ModuleNotFoundError: No module named 'not_there_at_all'"),
        ("import sys; sys.gone", "importing alpha fails: AttributeError"),
        ("print 1", "importing alpha fails: SyntaxError"),
        ("raise ValueError('numpy.dtype size changed, may indicate binary incompatibility')", 'add "numpy<2"'),
        ("import os; os._exit(3)", "importing alpha ends the process: exit code 3"),
        ("import os; os.kill(os.getpid(), 11)", "importing alpha ends the process: exit code 139"),
    ],
)
def test_what_cannot_be_imported_fails(build: Build, wheels: Path, home: Path, module: str, says: str) -> None:
    """It would fail in every task: better now, by name, and with what to do where that is known."""
    make_wheel(wheels, "alpha", files={"alpha.py": module})
    with pytest.raises(VenvError) as caught:
        build("alpha")
    assert says in str(caught.value)
    assert not left(home)


@pytest.mark.parametrize(
    "module",
    [
        "raise ImportError('libcudart.so.12: cannot open shared object file')",
        "raise ImportError('libGL.so.1: cannot open shared object file')",
        "raise RuntimeError('no display')",
        "raise KeyError('MY_SERVICE_URL')",
        "raise SystemExit(1)",
    ],
)
def test_what_only_a_task_may_have_is_a_warning(build: Build, wheels: Path, said: list[str], module: str) -> None:
    """A GPU, a display, a variable or a service need not be there when it is built."""
    make_wheel(wheels, "alpha", files={"alpha.py": module})
    assert build("alpha").exists()
    assert any(line.startswith("warning: importing alpha fails: ") for line in said)


def test_an_import_that_does_not_end_is_a_warning(
    build: Build, wheels: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not waited for without end."""
    monkeypatch.setattr(trying, "TIMEOUT_SECONDS", 2.0)
    make_wheel(wheels, "alpha", files={"alpha.py": "import time; time.sleep(600)"})
    assert build("alpha").exists()
    assert "warning: importing what was installed takes longer than 2 s" in said


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"alpha-stubs/__init__.pyi": ""},
        {"tests/__init__.py": "raise ImportError", "alpha/__init__.py": ""},
        {"alpha.py": "", "other.py": "raise ImportError"},
        {"alpha_data/table.csv": "1"},
    ],
)
def test_distributions_without_modules_of_their_own_are_fine(build: Build, wheels: Path, files: dict[str, str]) -> None:
    """Type stubs, data, and what a distribution brings along by mistake are not imported."""
    make_wheel(wheels, "alpha", files=files)
    assert build("alpha").exists()


@pytest.mark.parametrize(
    "files",
    [
        {"shared/space/alpha/__init__.py": "raise ImportError('it was imported')"},
        {"first.py": "", "second/__init__.py": "raise ImportError('it was imported')"},
    ],
)
def test_every_module_that_may_be_meant_is_imported(build: Build, wheels: Path, files: dict[str, str]) -> None:
    """Packages inside folders that several distributions share, and all if none is called as the distribution."""
    make_wheel(wheels, "alpha", files=files)
    with pytest.raises(VenvError, match="it was imported"):
        build("alpha")


def test_what_a_package_needs_is_not_imported_by_itself(build: Build, wheels: Path) -> None:
    """Only what the image names: others may be there for what the user does not use."""
    make_wheel(wheels, "alpha", requires="beta")
    make_wheel(wheels, "beta", files={"beta.py": "raise ImportError"})
    assert build("alpha").exists()


def test_what_prints_without_end_holds_nothing_up(build: Build, wheels: Path) -> None:
    """Neither long lines nor many of them, nor what goes on in a process that was left behind."""
    loud = "import os, subprocess, sys\nos.write(1, b'x' * 5_000_000)\nos.write(1, b'y\\n' * 500_000)\n"
    loud += "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    make_wheel(wheels, "alpha", files={"alpha.py": loud})
    assert build("alpha").exists()


def test_a_python_that_was_removed_is_replaced(build: Build, wheels: Path, venvs: Venvs) -> None:
    """An environment whose interpreter is gone is not found, and built again."""
    make_wheel(wheels, "alpha")
    python = build("alpha")
    python.unlink()
    python.symlink_to("/nowhere/python")
    assert venvs.find(spec_of("alpha")) is None
    assert told(build("alpha"), "import alpha; print(alpha.version)") == "1.0"


def test_cancelling_ends_it_and_leaves_nothing(
    venvs: Venvs, home: Path, tmp_path: Path, wheels: Path, said: list[str]
) -> None:
    """The installer and all that it has started end, and the next build is not held up."""
    begun = tmp_path / "begun"
    spec = spec_of(str(make_slow_source(tmp_path / "slow", begun)))

    async def scenario() -> None:
        building = asyncio.ensure_future(venvs.ensure(spec, said.append))
        while not begun.exists():
            await asyncio.sleep(0.01)
            assert not building.done(), building.result()
        building.cancel()
        with pytest.raises(asyncio.CancelledError):
            await building

    asyncio.run(scenario())
    assert not left(home)
    assert not processes_with(str(tmp_path))


def processes_with(text: str) -> list[str]:
    """Return the command lines of processes that hold `text`, but for that of the test."""
    shown = subprocess.run(["ps", "-eww", "-o", "pid=,args="], check=True, capture_output=True, text=True).stdout
    return [line for line in shown.splitlines() if text in line and int(line.split()[0]) != os.getpid()]


def test_it_works_in_the_loop_of_a_thread(venvs: Venvs, wheels: Path, said: list[str]) -> None:
    """Where a cell cannot be awaited, deployments run in a loop of their own."""
    make_wheel(wheels, "alpha")

    async def scenario() -> Any:
        return await asyncio.to_thread(asyncio.run, venvs.ensure(spec_of("alpha"), said.append))

    assert asyncio.run(scenario()).exists()


@pytest.mark.slow
def test_an_old_pandas_needs_an_old_numpy(build: Build) -> None:
    """The installer takes a numpy with which it cannot be imported; the error says what to add, and that works."""
    with pytest.raises(VenvError, match="numpy<2"):
        build("pandas==1.5.3")
    assert told(build("pandas==1.5.3", "numpy<2"), "import pandas; print(pandas.__version__)") == "1.5.3"
