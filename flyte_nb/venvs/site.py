"""A virtual environment under construction."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flyte_nb.errors import VenvError
from flyte_nb.masking import without_credentials
from flyte_nb.venvs.commands import run
from flyte_nb.venvs.place import interpreter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from flyte_nb.venvs.commands import Ended
    from flyte_nb.venvs.specification import VenvSpec

__all__ = ["Site", "in_lower_case", "variables"]

# They say which Python to use, or where to install; here that is said by the command.
_ABOUT_THE_KERNEL = (
    *("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "__PYVENV_LAUNCHER__"),
    *("UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_PROJECT_ENVIRONMENT", "UV_WORKING_DIR", "UV_PROJECT"),
    *("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_PYTHON", "PIP_ROOT"),
    "FORCE_COLOR",
)


def variables() -> dict[str, str]:
    """Return the environment variables for commands that build: those of the kernel but for what is about itself."""
    kept = {name: value for name, value in os.environ.items() if name not in _ABOUT_THE_KERNEL}
    return {**kept, "NO_COLOR": "1", "GIT_TERMINAL_PROMPT": "0"}


def in_lower_case(line: str) -> str:
    """Return what an installer says as it reads in a log: "Resolved 2 packages" begins small, "ERROR" does not."""
    return line[:1].lower() + line[1:] if line[1:2].islower() else line


@dataclass(frozen=True)
class Site:
    """A virtual environment under construction.

    Attributes:
        spec: What it is to hold.
        folder: Where it is built.
        final: Where it will be.
        say: Takes lines for people to read.
    """

    spec: VenvSpec
    folder: Path
    final: Path
    say: Callable[[str], None]

    @property
    def python(self) -> Path:
        """Its interpreter, while it is built."""
        return interpreter(self.folder)

    def log(self, line: str) -> None:
        """Tell people `line`, without credentials."""
        self.say(without_credentials(line))

    async def run(
        self,
        command: Sequence[str | os.PathLike[str]],
        *,
        environment: Mapping[str, str],
        said: Callable[[str], None] = lambda line: None,
        text: str = "",
    ) -> Ended:
        """Run `command` beside it: see `commands.run`."""
        return await run(command, environment=environment, folder=self.folder.parent, said=said, text=text)

    def error(self, reason: str) -> VenvError:
        """Return the error that it cannot be built, without credentials."""
        return VenvError(str(self.spec), without_credentials(reason))
