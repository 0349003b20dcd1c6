"""Watching how much memory a worker uses: as much as it has resident counts, as on a cluster, not what it reserves."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from flyte_nb.machine.memory import resident_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MemoryWatch"]

_SECONDS = 0.05
# Processes that the worker has started are looked for only so often: that takes longer.
_CHILDREN_EVERY = 10
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


class MemoryWatch:
    """Looks at a process until `end`, and calls `exceeded` with what it uses and the limit, if that is more.

    Attributes:
        limit: How many bytes it may use.
    """

    def __init__(self, pid: int, limit: int, exceeded: Callable[[int, int], None]) -> None:
        self.limit = limit
        self._pid, self._exceeded = pid, exceeded
        self._looks, self._most = 0, 0
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(_SECONDS, self._look)

    def _look(self) -> None:
        self._looks += 1
        used = resident_bytes(self._pid, children=self._looks % _CHILDREN_EVERY == 0) or 0
        self._most = max(self._most, used)
        if used > self.limit:
            self._exceeded(used, self.limit)
        else:
            self._timer = self._loop.call_later(_SECONDS, self._look)

    def peak(self) -> int:
        """Return the most bytes that were seen in use; where the machine keeps count, also between two looks."""
        with suppress(OSError):
            found = _PEAK.search(Path(f"/proc/{self._pid}/status").read_text(encoding="ascii", errors="replace"))
            self._most = max(self._most, int(found[1]) * 1024 if found else 0)
        return self._most

    def end(self) -> None:
        """Look no more."""
        self._timer.cancel()
