"""Whether the process of a session, a kernel or a script, still lives: a run that it did not finish is lost without it.

On the machine itself the process tells; where that is not known, the last time the session gave a sign of life.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

__all__ = ["SIGN_SECONDS", "SessionRecord"]

# A session whose runs are under way gives a sign at least so often. A machine that sleeps and a process that is
# stopped give none: after so long without, runs are shown as lost, and only after days they may be forgotten.
SIGN_SECONDS = 10.0
_SHOWN_AS_GONE_SECONDS = 60.0
_FORGOTTEN_SECONDS = 7 * 24 * 3_600.0


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One session as the history knows it.

    Attributes:
        name: What the names of its runs begin with.
        machine: Where its process is, or was: process ids of two such places have nothing to do with each other.
        pid: Its process there.
        began: When that process began, as its machine tells it; empty where it does not.
        sign: When it last gave a sign of life, in seconds since the epoch.
    """

    name: str
    machine: str
    pid: int
    began: str
    sign: float

    @classmethod
    def of_this_process(cls, name: str) -> SessionRecord:
        """Return the record of this process as the session `name`, with a sign of now."""
        return cls(name, _machine(), os.getpid(), _began(os.getpid()) or "", time.time())

    @property
    def is_gone(self) -> bool:
        """Whether the process has ended, as far as can be told from here."""
        return self._is_gone_after(_SHOWN_AS_GONE_SECONDS)

    @property
    def may_be_forgotten(self) -> bool:
        """Whether the process has certainly ended, or has given no sign of life for days."""
        return self._is_gone_after(_FORGOTTEN_SECONDS)

    def _is_gone_after(self, seconds: float) -> bool:
        lives = _lives(self.pid, self.began) if self.machine == _machine() else None
        return time.time() - self.sign > seconds if lives is None else not lives


@lru_cache(maxsize=1)
def _machine() -> str:
    """Return the name of this machine, and on Linux which start of it and which processes are seen from here."""
    parts = [socket.gethostname()]
    if sys.platform == "linux":
        try:
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
            parts += [boot, str(Path("/proc/self/ns/pid").readlink())]
        except OSError:  # not every sandbox has them
            pass
    return " ".join(parts)


def _lives(pid: int, began: str) -> bool | None:
    """Return whether the process that began then lives on this machine, or None where that cannot be told."""
    if sys.platform == "win32":
        return None  # there, asking with a signal would end the process
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it is somebody else's
    now = _began(pid)
    # Another process may have the number by now.
    return None if now is None or not began else now == began


def _began(pid: int) -> str | None:
    """Return when a process began, in ticks since the machine did; None where that is not told.

    The format of /proc/<pid>/stat is in proc(5). A process that has ended and that nobody has waited for began never.
    """
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = told.rpartition(")")[2].split()  # the name, in parentheses, may hold anything
    return "" if fields[0] in "ZX" else fields[19]
