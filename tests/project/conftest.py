"""Every test imports anew, and leaves what is imported as it was."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from flyte_nb.project.loading import finder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _imports_as_they_were(tmp_path: Path) -> Iterator[None]:
    path, meta = list(sys.path), list(sys.meta_path)
    yield
    for name, module in list(sys.modules.items()):
        if str(tmp_path) in str(getattr(module, "__file__", "") or getattr(module, "__path__", "")):
            del sys.modules[name]
    sys.path[:], sys.meta_path[:] = path, meta
    finder.modules.clear()
    finder.folders = finder.packages = frozenset()
