"""Other environments, built once: real ones, with the libraries they name, in processes that know flyte_nb only."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any

import pytest

import flyte_nb
from flyte_nb.crossing.exceptions import unpack_error
from flyte_nb.crossing.packing import pack, unpack
from tests.crossing.foreign_wire import receive, send

if TYPE_CHECKING:
    from tests.crossing.sides import Side

PROGRAM = Path(__file__).with_name("foreign_program.py")


class Foreign:
    """A process in another environment."""

    def __init__(self, python: Path, here: Side) -> None:
        self.here = here
        self.socket, theirs = socket.socketpair()
        command = [str(python), "-I", str(PROGRAM), str(theirs.fileno()), flyte_nb.__file__]
        with theirs:
            self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()])

    def call(self, code: str, value: Any = None) -> Any:
        """Return what the function `f`, which `code` defines there, makes of `value`."""
        parcel = pack(value, "argument 'value' of there.f", self.here)
        send(self.socket, code.encode(), parcel)
        outcome, answer = receive(self.socket)
        if outcome == b"error":
            raise unpack_error(answer, self.here)
        return unpack(answer, "the result of there.f", self.here)

    def close(self) -> None:
        self.socket.close()
        self.process.wait(timeout=30)


class Environments:
    """Environments with other versions, each built when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.built: dict[tuple[str, ...], Path] = {}

    def python(self, version: str, *packages: str) -> Path:
        """Return the Python of the environment with those packages, or skip the test."""
        key = (version, *packages)
        if key not in self.built:
            self.built[key] = self._built(find_python(version), packages)
        return self.built[key]

    def _built(self, found: str, packages: tuple[str, ...]) -> Path:
        folder = self.folder / str(len(self.built))
        python = folder / "bin" / "python"
        try:
            run_uv("venv", "--python", found, str(folder))
            if packages:
                run_uv("pip", "install", "--python", str(python), *packages)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"it cannot be built here: {error.stderr.strip()[-300:]}")
        return python


def run_uv(*arguments: str) -> None:
    uv = pytest.importorskip("uv").find_uv_bin()
    subprocess.run([uv, *arguments], check=True, capture_output=True, text=True)


def find_python(version: str) -> str:
    """Return an interpreter of that version, or skip the test."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    pyenv = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    for candidate in [*map(str, pyenv), which(f"python{version}")]:
        if candidate and subprocess.run([candidate, "-c", ""], check=False, capture_output=True).returncode == 0:
            return candidate
    pytest.skip(f"there is no Python {version}")
