"""A program that outlives the kernel by a moment: it ends the workers, and what they have started, after a kill -9.

It reads lines from its standard input, which is a pipe that only the kernel holds: `+ GROUP FOLDER` when a worker has
begun, as a process group, with a folder of its own, and `- GROUP` when it has ended. When the pipe ends, so has the
kernel. It runs by itself, and so imports nothing of flyte_nb.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import suppress

__all__ = ["main"]


def main() -> None:
    """Follow the kernel until it ends; then end what it has left behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    folders: dict[int, str] = {}
    for line in sys.stdin:
        sign, group, *rest = line.rstrip("\n").split(" ", 2)
        if sign == "+":
            folders[int(group)] = rest[0]
        else:
            folders.pop(int(group), None)
    for group, folder in folders.items():
        with suppress(OSError):
            os.killpg(group, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
