"""One worker process: started with a socket to it, ended with all that it has started."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from flyte_nb.workers.signals import STRIKE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyte_nb.workers.guarding import Guard

__all__ = ["WorkerProcess"]

_DYING_SECONDS, _LOOK_SECONDS = 2.0, 0.002
_BOOT = Path(__file__).parent.parent / "worker" / "boot.py"


class WorkerProcess:
    """A worker, from its start to when it and its folder are gone.

    It leads a session and a process group of its own: what interrupts the kernel does not reach it.

    Attributes:
        end: The socket, which does not block; nobody but the process can have the other end.
        express: Another, on which calls go there and back whose caller's loop reads it itself.
        outputs: What it writes below Python, or before and after Python: standard output and standard error.

    Args:
        python: The interpreter.
        variables: Its environment variables.
        guard: Ends it when this process is killed.
    """

    def __init__(self, python: Path, variables: Mapping[str, str], guard: Guard) -> None:
        self._guard = guard
        self._folder = tempfile.mkdtemp(prefix="flyte_nb-worker-")
        (self.end, theirs), (self.express, theirs_too) = socket.socketpair(), socket.socketpair()
        given = [theirs.fileno(), theirs_too.fileno()]
        self.end.setblocking(False)
        self.express.setblocking(False)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - an interpreter of the user's own, and a file of ours
                [python, "-I", "-X", "utf8", "-X", "faulthandler", _BOOT, *map(str, given)],
                pass_fds=given,
                env=dict(variables),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except BaseException:
            self.close_sockets()
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        finally:
            theirs.close()
            theirs_too.close()
        guard.begun(self.pid, self._folder)

    @property
    def pid(self) -> int:
        """The id of the process, and of its group."""
        return self._process.pid

    @property
    def outputs(self) -> tuple[tuple[str, IO[bytes]], ...]:
        """Standard output and standard error, by name."""
        assert self._process.stdout and self._process.stderr  # noqa: S101, PT018 - they are pipes
        return ("stdout", self._process.stdout), ("stderr", self._process.stderr)

    def strike(self) -> None:
        """Have it look what it was told, whatever code it runs."""
        if self._process.returncode is None:
            with suppress(OSError):
                os.kill(self.pid, STRIKE)

    def kill(self) -> None:
        """End it at once, with all that it has started."""
        with suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)

    async def wait(self) -> str:
        """Wait for its end, which must be near, and return how it ended, in words."""
        # Without threads: this is also done when Python ends, and starts no more of them.
        for _ in range(round(_DYING_SECONDS / _LOOK_SECONDS)):
            if self._process.poll() is not None:
                break
            await asyncio.sleep(_LOOK_SECONDS)
        self.kill()  # what it has started, and itself if it has only closed the socket
        return _in_words(self._process.wait())

    def close_sockets(self) -> None:
        """Let go of the connection, which may be that of a process from which this one was forked."""
        self.end.close()
        self.express.close()

    def clear_up(self) -> None:
        """Let nothing remain of it, once it has ended."""
        for _, pipe in self.outputs:
            pipe.close()
        self._guard.ended(self.pid)
        shutil.rmtree(self._folder, ignore_errors=True)


def _in_words(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    with suppress(ValueError):
        return f"was killed by signal {-code} ({signal.Signals(-code).name})"
    return f"was killed by signal {-code}"
