"""The kernel's side of the guard: see `flyte_nb.workers.guard`."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from flyte_nb.workers import guard

__all__ = ["Guard"]


class Guard:
    """Ends workers when this process is killed; used from one thread. It is started with the first worker."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def begun(self, group: int, folder: str) -> None:
        """Note that a worker has begun, as a process group, with a folder of its own."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, and a file of ours
                [sys.executable, "-I", "-S", Path(guard.__file__)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
        self._write(f"+ {group} {folder}\n")

    def ended(self, group: int) -> None:
        """Note that a worker has ended, and that its folder is gone."""
        self._write(f"- {group}\n")

    def _write(self, line: str) -> None:
        assert self._process and self._process.stdin  # noqa: S101, PT018 - a worker has begun
        with suppress(OSError):  # somebody has killed it: workers also look themselves whether the kernel is there
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()

    def forget(self) -> None:
        """Let go of the pipe, in a process that was forked: it is not this one's."""
        if self._process and self._process.stdin:
            self._process.stdin.close()

    def close(self) -> None:
        """End it; workers that have not ended end with it."""
        if self._process and self._process.stdin:
            with suppress(OSError):
                self._process.stdin.close()
            self._process.wait()
        self._process = None
