"""Whether the process of a session, a kernel or a script, still lives: a run that it did not finish is lost without it.

It is told from the process on this machine, and otherwise from the last time the session gave a sign of life.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from dataclasses import dataclass

__all__ = ["SIGN_SECONDS", "SessionRecord"]

# A session whose runs are under way gives a sign at least so often, and is taken to be gone after so long without.
SIGN_SECONDS = 10.0
_GONE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One session as the history knows it.

    Attributes:
        name: What the names of its runs begin with.
        host: The name of its machine.
        pid: Its process there.
        sign: When it last gave a sign of life, in seconds since the epoch.
    """

    name: str
    host: str
    pid: int
    sign: float

    @classmethod
    def of_this_process(cls, name: str) -> SessionRecord:
        """Return the record of this process as the session `name`, with a sign of now."""
        return cls(name, socket.gethostname(), os.getpid(), time.time())

    @property
    def is_gone(self) -> bool:
        """Whether the process has ended, as far as can be told from here.

        A process that has the number of one that is gone does not hide that: it gives no signs.
        """
        if self.host == socket.gethostname() and not _may_live(self.pid):
            return True
        return time.time() - self.sign > _GONE_SECONDS


def _may_live(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # there, asking with a signal would end the process
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it is somebody else's
    return True
