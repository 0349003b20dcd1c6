"""A cluster for tests: a control plane on this machine, and the SDK connected to it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("flyte", reason="the Flyte SDK is not installed")
os.environ["DO_NOT_TRACK"] = "1"  # before it is imported: its telemetry stays off

from .loopback.control import Loopback

HERE = Path(__file__).parent
PROJECT, DOMAIN = "flytesnacks", "development"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What the SDK and its libraries warn of is theirs."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the user's for the SDK: it keeps what it has uploaded by the address of the cluster."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("FLYTE_NB_HOME", str(folder / "flyte_nb"))
    # Nothing here is encrypted: reading every certificate authority takes longer than what is asked for.
    (folder / "authorities").mkdir()
    monkeypatch.setenv("SSL_CERT_DIR", str(folder / "authorities"))
    return folder


@pytest.fixture
def loopback(tmp_path: Path, home: Path) -> Iterator[Loopback]:
    """A control plane, and nothing of it afterwards."""
    plane = Loopback(tmp_path, {"HOME": str(home), "DO_NOT_TRACK": "1"})
    plane.start()
    yield plane
    plane.stop()
    assert plane.running_pods == 0


@pytest.fixture
def cluster(loopback: Loopback) -> Loopback:
    """The control plane, with the SDK of this process connected to it."""
    import flyte

    flyte.init(endpoint=loopback.endpoint, insecure=True, project=PROJECT, domain=DOMAIN)
    return loopback
