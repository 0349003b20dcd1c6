"""Objects of the real SDK, which reports to nobody and writes into a folder that is thrown away."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("flyte", reason="the Flyte SDK is not installed")
os.environ["DO_NOT_TRACK"] = "1"  # before it is imported: its telemetry stays off

from tests.kernel.notebook import Notebook

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What the SDK and its libraries warn of is theirs."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the kernel runs."""
    return tmp_path_factory.mktemp("kernel")


@pytest.fixture(scope="module")
def kernel(folder: Path) -> Iterator[Notebook]:
    own = {"FLYTE_NB_HOME": str(folder / "state"), "IPYTHONDIR": str(folder / "ipython"), "HOME": str(folder)}
    notebook = Notebook(folder, {**os.environ, **own, "NO_COLOR": "1", "DO_NOT_TRACK": "1"})
    try:
        yield notebook
    finally:
        notebook.close()


@pytest.fixture
def notebook(kernel: Notebook) -> Notebook:
    """A kernel with the extension and the SDK, and nothing defined."""
    kernel.ok("%reset -f\n%load_ext flyte_nb\nimport asyncio, flyte, flyte_nb\nflyte_nb.reset()")
    return kernel
