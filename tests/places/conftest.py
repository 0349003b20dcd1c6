"""What tests of workers share: environments that are deployed once for each module of tests, and their workers."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import flyte_nb
from flyte_nb.session import session

from .made import defined_in, deploy
from .watching import marked_processes

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    Run = Callable[..., Any]

SOURCE = Path(__file__).with_name("environments.py")


@pytest.fixture(scope="module")
def deployed_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home in which `environments.py` is deployed; when the module ends, none of its workers is left."""
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("source")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLYTE_NB_HOME", str(home))
        patch.delenv("PYTHONPATH", raising=False)
        flyte_nb.reset()
        defined_in(SOURCE.read_text(), folder, patch, "tried_environments")
        deploy()
        flyte_nb.reset()
        sys.modules.pop("tried_environments", None)
    yield home
    session().rest()
    assert marked_processes(home) == []


@pytest.fixture
def home(deployed_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home, for one test: workers stay warm from one to the next."""
    monkeypatch.setenv("FLYTE_NB_HOME", str(deployed_home))
    monkeypatch.setenv("XDG_MARK", str(deployed_home))  # which workers inherit
    return deployed_home


@pytest.fixture
def start(home: Path) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Return what runs a deployed task to its end, by its full name."""
    assert home

    def begin(task: str, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        return flyte_nb.run(flyte_nb.deployed(task), *args, **kwargs)

    return begin


@pytest.fixture
def run(start: Callable[..., Coroutine[Any, Any, Any]]) -> Run:
    """Return what runs a deployed task and gives the finished run: `run("a.echo", 1).result`."""
    return lambda task, *args: asyncio.run(start(task, *args))


@pytest.fixture
def tasks(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module whose environments are deployed, defined in this session too.

    Calls of one run, `with session().runner.collecting("local")`, have a shorter way from the second one on.
    """
    assert home
    defined_in(SOURCE.read_text(), tmp_path, monkeypatch, "tried_environments")
    return sys.modules["tried_environments"]


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A file that is not there yet."""
    return os.fspath(tmp_path / "begun")
