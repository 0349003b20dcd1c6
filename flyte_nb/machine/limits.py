"""What a container may use of its machine: the limits of Linux's control groups, version 1 and 2.

The formats are those of https://docs.kernel.org/admin-guide/cgroup-v2.html (cpu.max, memory.max) and
https://docs.kernel.org/admin-guide/cgroup-v1 (cpu.cfs_quota_us, memory.limit_in_bytes). A limit holds for all groups
below its own, so the smallest on the way up counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["core_limit", "memory_limit"]

# Version 1 says "no limit" with the largest number of pages that fits.
_NO_LIMIT = 2**60


def core_limit(root: Path) -> float | None:
    """Return how many cores the groups of this process may use, or None if they may use all.

    Args:
        root: Where the file systems /proc and /sys are mounted: "/".
    """
    return min(_found(root, "cpu", _cores), default=None)


def memory_limit(root: Path) -> int | None:
    """Return how many bytes of memory the groups of this process may use, or None if they may use all.

    Args:
        root: Where the file systems /proc and /sys are mounted: "/".
    """
    return min((int(size) for size in _found(root, "memory", _bytes) if size < _NO_LIMIT), default=None)


def _found(root: Path, controller: str, read: Callable[[Path], float | None]) -> Iterator[float]:
    for folder in _groups(root, controller):
        limit = read(folder)
        if limit is not None and limit > 0:
            yield limit


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of the groups of this process and of all above them, that may limit `controller`."""
    for line in (_text(root / "proc/self/cgroup") or "").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        mounted = root / "sys/fs/cgroup"
        if number != "0":
            if controller not in controllers.split(","):
                continue
            mounted /= controllers
        # A container may be told the path that its group has outside of it, which does not exist here.
        parts = [part for part in path.split("/") if part]
        yield mounted
        if ".." not in parts:
            yield from (mounted.joinpath(*parts[:length]) for length in range(1, len(parts) + 1))


def _cores(folder: Path) -> float | None:
    quota, _, period = (_text(folder / "cpu.max") or "").partition(" ")
    if not period:
        quota, period = _text(folder / "cpu.cfs_quota_us") or "", _text(folder / "cpu.cfs_period_us") or ""
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() and int(period) else None


def _bytes(folder: Path) -> float | None:
    text = _text(folder / "memory.max") or _text(folder / "memory.limit_in_bytes") or ""
    return int(text) if text.isdecimal() else None


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
