"""The notebook document: which cells it has, and in which order.

Front ends say which cell runs but not where it stands. Jupyter Server tells the kernel the file by the environment
variable JPY_SESSION_NAME; the order is read from there. Where there is no file (VS Code sends ids of its own, which no
file has), or a cell was not saved yet, cells count in the order in which they first ran.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NotebookDocument"]


class NotebookDocument:
    """The saved notebook of this kernel.

    Attributes:
        positions: The position of each saved cell by its id; empty where the document is not known.
        saves: How many times the file was found changed.
    """

    def __init__(self) -> None:
        self.positions: Mapping[str, int] = {}
        self.saves = 0
        self._folder = Path.cwd()  # as the kernel was started: users change it
        self._stamp: tuple[str, int, int] | None = None

    def refresh(self) -> None:
        """Read the file again if it has changed."""
        path = os.environ.get("JPY_SESSION_NAME", "")
        if not path.endswith(".ipynb"):
            self.positions = {}
            return
        # Being saved, moved or broken: what was read last is the best that is known.
        with suppress(OSError, ValueError, RecursionError, MemoryError):
            self._read_if_changed(self._folder / path)

    def _read_if_changed(self, path: Path) -> None:
        status = path.stat()
        stamp = (str(path), status.st_mtime_ns, status.st_size)
        if stamp == self._stamp or not stat.S_ISREG(status.st_mode):
            return
        # Before it is read: a broken file is read once, and again when it has changed.
        self._stamp = stamp
        self.positions = _positions(json.loads(path.read_text(encoding="utf-8")))
        self.saves += 1


def _positions(document: Any) -> Mapping[str, int]:
    cells = document.get("cells") if isinstance(document, dict) else None
    ids = [cell.get("id") for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []
    return {cell_id: position for position, cell_id in enumerate(ids) if isinstance(cell_id, str)}
