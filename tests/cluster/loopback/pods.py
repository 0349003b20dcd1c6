"""Pods: the container's own arguments as a process of its own, which outlives the server that has started it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_POLL_SECONDS = 0.03
_GRACE_SECONDS = 3.0
# `a0` of the Python that runs the pod, whatever its image would have.
_ENTRY = "from flyte._bin.runtime import _pass_through as main; main()"
# The pod runs once, whoever else starts it; how it ended is there even if nobody waits for it.
_WRAPPER = 'set -C; : > claimed || exit 0; set +C; echo $$ > pid; "$@" > log 2>&1; echo $? > exit.new; mv exit.new exit'


class Pod:
    """One attempt at an action, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def log(self) -> Path:
        return self._folder / "log"

    def start(self, python: str, arguments: Sequence[str], variables: Mapping[str, str]) -> None:
        """Start it, unless it was started before."""
        self._folder.mkdir(parents=True, exist_ok=True)
        entry = [python, "-c", _ENTRY] if arguments[0] == "a0" else []
        subprocess.Popen(
            ["/bin/sh", "-c", _WRAPPER, "pod", *entry, *arguments],
            cwd=self._folder,
            env={**os.environ, **variables},
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )

    async def ended(self) -> int:
        """Return how it ended, when it has."""
        exit_file = self._folder / "exit"
        while not exit_file.exists():
            if self._was_killed():
                return -signal.SIGKILL
            await asyncio.sleep(_POLL_SECONDS)
        return int(exit_file.read_text())

    async def stop(self) -> None:
        """Stop it and all that it has started; who does not hear is killed."""
        group = self._group()
        if group is None:
            return
        _send(group, signal.SIGTERM)
        for _ in range(int(_GRACE_SECONDS / _POLL_SECONDS)):
            if not _lives(group):
                return
            await asyncio.sleep(_POLL_SECONDS)
        _send(group, signal.SIGKILL)

    def kill(self) -> None:
        """Kill it and all that it has started."""
        group = self._group()
        if group is not None:
            _send(group, signal.SIGKILL)

    @property
    def lives(self) -> bool:
        group = self._group()
        return group is not None and _lives(group)

    def _was_killed(self) -> bool:
        group = self._group()
        return group is not None and not _lives(group) and not (self._folder / "exit").exists()

    def _group(self) -> int | None:
        with suppress(FileNotFoundError, ValueError):
            return int((self._folder / "pid").read_text())
        return None


def filled_in(arguments: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """Return `arguments` with what a control plane fills into its templates: "{{.input}}"."""
    return [re.sub(r"\{\{\s*\.(\w+)\s*\}\}", lambda found: values.get(found[1], found[0]), each) for each in arguments]


def python_of_image(image: str, venvs: Path) -> str:
    """Return the Python for an image: of the environment that was built for it, or else this one."""
    own = venvs / image.rpartition(":")[2] / "bin" / "python"
    return str(own) if image.startswith("loopback/venv:") and own.exists() else sys.executable


def _lives(group: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(group, os.WNOHANG)  # ours, it would stay as a zombie
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _send(group: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)
