"""Runs a command and ends it, with all that it started, when the process that wants it done stops wanting it or ends.

Run as a program: `python -I -S leash.py SIZE COMMAND...`. The first SIZE bytes of its standard input are that of the
command. That standard input then ends, which it does even if the other side is killed, ends the command.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

_INPUT = 0
_NOT_FOUND = 127  # as a shell tells it


def main() -> int:
    """Run the command, and return its exit code as a shell tells it."""
    text = _read(int(sys.argv[1]))
    try:
        process = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603 - it is what it is for
    except OSError as error:
        print(f"{sys.argv[2]}: {error.strerror}", flush=True)  # noqa: T201 - whoever reads the command's output
        return _NOT_FOUND
    threading.Thread(target=_end_with_the_input, args=(process.pid,), daemon=True).start()
    with process:
        process.communicate(text)
    _end(process.pid)  # what it has left behind may hold the outputs open for ever
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _read(size: int) -> bytes:
    # Unbuffered: a thread that waits in a buffer would break the end of the interpreter.
    text = b""
    while len(text) < size and (part := os.read(_INPUT, size - len(text))):
        text += part
    return text


def _end_with_the_input(group: int) -> None:
    os.read(_INPUT, 1)
    _end(group)


def _end(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
