"""How much memory processes use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psutil import Process

__all__ = ["resident_bytes"]


def resident_bytes(pid: int, *, children: bool) -> int | None:
    """Return how many bytes of memory a process has now, or None if it has ended.

    Args:
        pid: The process.
        children: Whether to add what all processes have that it has started, and those they have; what they share
            counts for each of them. This looks at every process of the machine.
    """
    import psutil

    try:
        process = psutil.Process(pid)
        resident = _resident(process)
        if not resident:  # it has ended, and nobody has asked yet how
            return None
        return resident + sum(map(_resident, process.children(recursive=True))) if children else resident
    except psutil.NoSuchProcess:
        return None


def _resident(process: Process) -> int:
    """Return the bytes of one process; 0 if it has ended, or does not tell."""
    import psutil

    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
