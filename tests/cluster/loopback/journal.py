"""What the control plane must not forget: one line of JSON for each thing that happened, in order."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Journal:
    """An append-only file. A line is there whole or not at all, also when the process is killed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(self, what: str, **facts: Any) -> None:
        os.write(self._file, f"{json.dumps({'what': what, 'time': time.time(), **facts})}\n".encode())

    def read(self) -> Iterator[dict[str, Any]]:
        for line in self._path.read_text().splitlines():
            if line.endswith("}"):
                yield json.loads(line)
