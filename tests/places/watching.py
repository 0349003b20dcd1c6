"""Looking at processes from outside."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 120.0  # seconds; a busy machine is not taken for one that hangs


def marked_processes(home: Path, variable: str = "XDG_MARK") -> list[int]:
    """Return the processes that were started with this home as their mark, but for those that have ended."""
    mark = f"{variable}={home}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0") and folder.name != "self":
                found.append(int(folder.name))
    return found


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that has ended and that nobody has asked about does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def wait_until(done: Callable[[], bool]) -> None:
    """Wait until something is so; it must be at some time."""
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end, "it never was"
        time.sleep(0.01)


def number_in(file: str | Path) -> int:
    """Wait for a file with a number in it, and return that."""
    path = Path(file)
    wait_until(lambda: path.exists() and path.read_text().isdecimal())
    return int(path.read_text())
