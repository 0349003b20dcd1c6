"""Building virtual environments with uv, which is fast and brings any Python: https://docs.astral.sh/uv."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

from flyte_nb.venvs.interpreters import find_python
from flyte_nb.venvs.pip_settings import options_for_uv, variables_for_uv
from flyte_nb.venvs.reasons import no_python, uv_reason
from flyte_nb.venvs.site import in_lower_case, variables

if TYPE_CHECKING:
    from flyte_nb.venvs.site import Site

__all__ = ["Uv", "find_uv"]

_INSTALLED = re.compile(r" [+~] (?P<name>[^\s=]+)==(?P<version>\S+)(?P<source> \(from .*\))?")
_OF_NO_INTEREST = ("Using ", "Creating virtual environment", "Activate with", "Audited ")


def find_uv() -> str | None:
    """Return the program uv, of the package of that name or else on the PATH, or None."""
    try:
        from uv import find_uv_bin

        return os.fspath(find_uv_bin())
    except (ImportError, FileNotFoundError):
        return shutil.which("uv")


class Uv:
    """Builds with the program `uv`."""

    name = "uv"

    def __init__(self, uv: str) -> None:
        self._uv = uv
        self._variables = variables()
        self._options = options_for_uv(self._variables)
        self._variables |= variables_for_uv(self._variables)

    async def create(self, site: Site) -> None:
        """Make the environment, without packages; uv gets a Python that is not on this machine."""
        version = site.spec.python
        python = await find_python(version, self._variables, site.folder.parent) or version
        command = (self._uv, "venv", "--relocatable", "--python", python, site.folder)
        made = await site.run(command, environment=self._variables, said=lambda line: _tell(site, line))
        if made.code:
            raise site.error(uv_reason(made.lines) if python != version else no_python(version, made.lines))

    async def install(self, site: Site) -> None:
        """Install the packages."""
        # Through its standard input: what is on the command line, everybody on this machine can see.
        command: tuple[str | os.PathLike[str], ...]
        command = (self._uv, "pip", "install", "--python", site.python, *self._options, "-r", "-")
        text = "\n".join(site.spec.packages)
        done = await site.run(command, environment=self._variables, said=lambda line: _tell(site, line), text=text)
        if done.code:
            raise site.error(uv_reason(done.lines))


def _tell(site: Site, line: str) -> None:
    if found := _INSTALLED.fullmatch(line):
        site.log(f"installed {found['name']} {found['version']}{found['source'] or ''}")
    elif not line.startswith(_OF_NO_INTEREST):
        site.log(in_lower_case(line))
