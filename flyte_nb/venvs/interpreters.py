"""Finding a Python of a certain version on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flyte_nb.venvs.commands import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["find_python"]

_TELL = "import sys; print('{}.{}'.format(*sys.version_info[:2]))"


async def find_python(version: str, environment: Mapping[str, str], folder: Path) -> str | None:
    """Return an interpreter of `version` ("3.12"), the kernel's own if it is one, or None if none is found.

    Args:
        version: The version as "MAJOR.MINOR".
        environment: The environment variables of the commands that ask.
        folder: Their working directory.
    """
    if version == "{}.{}".format(*sys.version_info[:2]):
        return sys.executable
    for candidate in _candidates(version, environment):
        # What has the name may be a script of pyenv, which has no such version chosen.
        told = await run((candidate, "-I", "-c", _TELL), environment=environment, folder=folder)
        if told.code == 0 and told.lines == (version,):
            return str(candidate)
    return None


def _candidates(version: str, environment: Mapping[str, str]) -> Iterator[Path]:
    for folder in environment.get("PATH", os.defpath).split(os.pathsep):
        candidate = Path(folder, f"python{version}")
        if folder and os.access(candidate, os.X_OK):
            yield candidate
    pyenv = Path(environment.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True)
