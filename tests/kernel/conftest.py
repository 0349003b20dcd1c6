"""One kernel for each module of tests; every test begins with an empty session."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from .notebook import Notebook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kernel")


@pytest.fixture(scope="module")
def home(folder: Path) -> Path:
    """Where flyte_nb keeps its state."""
    return folder / "home"


@pytest.fixture(scope="module")
def kernel(folder: Path, home: Path) -> Iterator[Notebook]:
    settings = {"FLYTE_NB_HOME": str(home), "IPYTHONDIR": str(folder / "ipython"), "NO_COLOR": "1"}
    notebook = Notebook(folder, {**os.environ, **settings})
    try:
        yield notebook
    finally:
        notebook.close()


@pytest.fixture
def notebook(kernel: Notebook) -> Notebook:
    """The kernel with the extension loaded and nothing defined."""
    kernel.ok("%reset -f\n%autoawait True\n%load_ext flyte_nb\nimport asyncio, time, flyte_nb as flyte\nflyte.reset()")
    return kernel
