"""Credentials reach the installer, and nobody and nothing else."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from flyte_nb.errors import VenvError
from flyte_nb.model.image import Image
from flyte_nb.venvs import building
from flyte_nb.venvs.specification import VenvSpec, venv_spec
from tests.files import files_with

from .index import index
from .test_building import processes_with
from .wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flyte_nb.venvs.venvs import Venvs

SECRET = "hunter2xyz"  # noqa: S105


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    """Serve an index with one package, which tells its processes while it is imported."""
    folder = tmp_path / "served" / "alpha"
    wheel = make_wheel(folder, "alpha", files={"alpha.py": "import time; time.sleep(0.3)"})
    (folder / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    with index(tmp_path / "served", "robot", SECRET) as address:
        yield address


@contextmanager
def watched_processes() -> Iterator[list[str]]:
    """Give the command lines in which the secret was seen until the end."""
    seen: list[str] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            seen.extend(processes_with(SECRET))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def by_index(host: str, tmp_path: Path) -> VenvSpec | None:
    (tmp_path / "req.txt").write_text(f"--index-url http://robot:{SECRET}@{host}/\nalpha\n")
    return venv_spec(Image.from_base("one:1").with_requirements(tmp_path / "req.txt"))


def by_address(host: str, tmp_path: Path) -> VenvSpec | None:
    wheel = f"http://robot:{SECRET}@{host}/alpha/alpha-1.0-py3-none-any.whl"
    return venv_spec(Image.from_base("one:1").with_pip_packages(f"alpha @ {wheel}"))


def by_configuration(host: str, tmp_path: Path) -> VenvSpec | None:
    return venv_spec(Image.from_base("one:1").with_pip_packages("alpha"))


@pytest.mark.parametrize("installer", ["uv", pytest.param("pip", marks=pytest.mark.slow)])
@pytest.mark.parametrize("named", [by_index, by_address, by_configuration])
def test_they_are_nowhere_to_be_seen(
    venvs: Venvs, home: Path, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named, installer: str
) -> None:
    """Not in what is said, not among the processes, and not in any file of the environment."""
    if named is by_configuration:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://robot:{SECRET}@{host}/")
    if installer == "pip":
        monkeypatch.setattr(building, "find_uv", lambda: None)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    spec = named(host, tmp_path)
    said: list[str] = []
    with watched_processes() as seen:
        python = asyncio.run(venvs.ensure(spec, said.append))
    assert python.exists()
    assert "installed alpha 1.0" in "\n".join(said) or "successfully installed alpha-1.0" in said
    assert SECRET not in "\n".join(said)
    assert not seen
    assert files_with(SECRET, home) == []


@pytest.mark.parametrize("installer", ["uv", pytest.param("pip", marks=pytest.mark.slow)])
@pytest.mark.parametrize("named", [by_index, by_address])
def test_errors_do_not_show_them(
    venvs: Venvs, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named, installer: str
) -> None:
    """Neither those of the installer nor what it says before."""
    if installer == "pip":
        monkeypatch.setattr(building, "find_uv", lambda: None)
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    (tmp_path / "served" / "alpha" / "alpha-1.0-py3-none-any.whl").unlink()
    said: list[str] = []
    with pytest.raises(VenvError) as caught:
        asyncio.run(venvs.ensure(named(host, tmp_path), said.append))
    assert SECRET not in f"{caught.value}{caught.value.image}{caught.value.reason}{said}"


def test_the_stored_specification_lacks_them(venvs: Venvs, host: str, tmp_path: Path) -> None:
    """What needs them is installed from the definition only; built once, the stored one finds it."""
    spec = by_address(host, tmp_path)
    assert spec
    python = asyncio.run(venvs.ensure(spec, print))
    stored = VenvSpec(spec.python, tuple(package.replace(f"robot:{SECRET}", "***") for package in spec.packages))
    assert venvs.find(stored) == python
