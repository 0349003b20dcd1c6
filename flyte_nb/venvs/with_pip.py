"""Building virtual environments with what comes with Python, where uv is not at hand."""

from __future__ import annotations

import asyncio
import os
import re
from typing import TYPE_CHECKING

from flyte_nb.venvs.interpreters import find_python
from flyte_nb.venvs.reasons import no_python, pip_reason
from flyte_nb.venvs.site import in_lower_case, variables

if TYPE_CHECKING:
    from pathlib import Path

    from flyte_nb.venvs.site import Site

__all__ = ["Pip"]

_OF_NO_INTEREST = ("Looking in ", "[notice]", "Requirement already satisfied", "Using cached ", "  ")
_WHERE = re.compile(r" \(from (?:\S+->)?-r /dev/stdin \(line \d+\)\)")
_QUIETLY = ("--no-input", "--progress-bar", "off", "--disable-pip-version-check")
_LONGEST_SCRIPT = 2**20


class Pip:
    """Builds with `python -m venv` and its pip."""

    name = "pip"

    def __init__(self) -> None:
        self._variables = variables()

    async def create(self, site: Site) -> None:
        """Make the environment, with nothing but pip; its Python must be on this machine."""
        version = site.spec.python
        python = await find_python(version, self._variables, site.folder.parent)
        if python is None:
            raise site.error(f"{no_python(version)} uv brings any: pip install uv")
        made = await site.run((python, "-m", "venv", site.folder), environment=self._variables)
        if made.code:
            raise site.error(f"{pip_reason(made.lines)} uv needs less: pip install uv")

    async def install(self, site: Site) -> None:
        """Install the packages."""
        # Through its standard input: what is on the command line, everybody on this machine can see.
        command = (site.python, "-I", "-m", "pip", "install", *_QUIETLY, "-r", "/dev/stdin")
        text = "\n".join(site.spec.packages)
        done = await site.run(command, environment=self._variables, said=lambda line: _tell(site, line), text=text)
        if done.code:
            raise site.error(pip_reason(done.lines))
        await asyncio.to_thread(_move_scripts, site.python.parent, os.fspath(site.folder), os.fspath(site.final))


def _tell(site: Site, line: str) -> None:
    if not line.startswith(_OF_NO_INTEREST):
        site.log(in_lower_case(_WHERE.sub("", line)))


def _move_scripts(folder: Path, before: str, after: str) -> None:
    """Have the scripts in `folder`, which name their interpreter, name it where it will be."""
    for script in folder.iterdir():
        if script.is_symlink() or not script.is_file() or script.stat().st_size > _LONGEST_SCRIPT:
            continue
        content = script.read_bytes()
        if before.encode() in content:
            script.write_bytes(content.replace(before.encode(), after.encode()))
