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
        self._folders: dict[int, str] = {}

    def begun(self, group: int, folder: str) -> None:
        """Note that a worker has begun, as a process group, with a folder of its own."""
        self._folders[group] = folder
        if self._is_there():
            self._write(f"+ {group} {folder}\n")

    def look(self) -> None:
        """See to it that it is there, if there are workers: somebody may have killed it."""
        if self._folders:
            self._is_there()

    def _is_there(self) -> bool:
        """Say whether it is; if not, start it, and tell it of all workers."""
        if self._process is not None:
            if self._process.poll() is None:
                return True
            self._let_go(self._process)
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, and a file of ours
            [sys.executable, "-I", "-S", Path(guard.__file__)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        self._write("".join(f"+ {group} {folder}\n" for group, folder in self._folders.items()))
        return False

    def ended(self, group: int) -> None:
        """Note that a worker has ended, and that its folder is gone."""
        del self._folders[group]
        self._write(f"- {group}\n")

    def _write(self, line: str) -> None:
        assert self._process and self._process.stdin  # noqa: S101, PT018 - a worker has begun
        with suppress(OSError):  # somebody has killed it: another one will be told
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()

    def forget(self) -> None:
        """Let go of the pipe, in a process that was forked: it is not this one's."""
        if self._process:
            self._let_go(self._process)

    def _let_go(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdin:
            with suppress(OSError):
                process.stdin.close()

    def close(self) -> None:
        """End it; workers that have not ended end with it."""
        if self._process:
            self._let_go(self._process)
            self._process.wait()
        self._process = None
