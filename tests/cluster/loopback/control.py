"""The control plane as tests hold it: a process that is started, killed and started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .faults import Fault, Faults
from .pods import Pod

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Fault", "Loopback", "Request"]

_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Request:
    """A request that was served, or refused because it was served before.

    Attributes:
        rpc: Its name.
        facts: What it was about.
    """

    rpc: str
    facts: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.facts[name]
        except KeyError:
            raise AttributeError(name) from None


class Loopback:
    """A control plane on 127.0.0.1.

    Args:
        folder: Where it keeps everything.
        variables: For its process, and so for its pods.
        port: Where it answers; by default where nobody does.
    """

    def __init__(self, folder: Path, variables: Mapping[str, str], port: int = 0) -> None:
        self.folder, self._variables = folder / "plane", variables
        self.venvs = folder / "venvs"
        self.folder.mkdir(parents=True)
        with socket.create_server(("127.0.0.1", port)) as free:
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self._faults = Faults(self.folder / "faults.json")

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, or start it again, and wait until it answers."""
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "loopback", str(self.port), str(self.folder)],
                cwd=Path(__file__).parent.parent,
                env={**os.environ, **self._variables},
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        end = time.monotonic() + _PATIENCE_SECONDS
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "server.log").read_text()
            assert time.monotonic() < end, "the control plane does not answer"
            time.sleep(0.02)

    def kill(self) -> None:
        """End it as kill -9 does; its pods go on."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it, and its pods, at once."""
        self._end(signal.SIGKILL)
        for pod in self._pods():
            pod.kill()
        end = time.monotonic() + _PATIENCE_SECONDS
        while self.running_pods and time.monotonic() < end:
            time.sleep(0.02)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def calls(self, rpc: str) -> list[Request]:
        """Return the requests of that name, in the order of their arrival."""
        path = self.folder / "rpcs.jsonl"
        entries = map(json.loads, path.read_text().splitlines()) if path.exists() else ()
        return [Request(rpc, entry) for entry in entries if entry["what"] == rpc]

    def faults(self, *faults: Fault) -> None:
        """Let these go wrong from now on, and nothing else."""
        self._faults.write(*faults)

    @property
    def running_pods(self) -> int:
        """How many pods live."""
        return sum(pod.lives for pod in self._pods())

    @property
    def started_pods(self) -> list[str]:
        """Every attempt at an action that was ever begun: its run, its name and the number of the attempt."""
        return sorted(
            f"{folder.parent.name}/{folder.name}" for folder in (self.folder / "pods").glob("*/*") if folder.is_dir()
        )

    def _pods(self) -> list[Pod]:
        return [Pod(folder) for folder in (self.folder / "pods").glob("*/*")]
