"""Settings of the session; the notebook sets them with %config FlyteNB."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["OVERSIZE", "RUN_ON", "Settings"]

OVERSIZE = ("clamp", "refuse")
_OFF = ("0", "false", "no", "off")
RUN_ON = ("inline", "local", "flyte")


@dataclass(slots=True)
class Settings:
    """What a user can choose.

    Attributes:
        home: The folder for what outlives the kernel; empty for the value of FLYTE_NB_HOME, or else the folder for
            application state that the operating system gives the user.
        keep_runs: How many runs that have ended the history keeps; the oldest go first. With 0, runs are not recorded.
        cache_size: How many GiB the results of cached tasks may take up; 0 keeps no more.
        oversize: What becomes of environments that ask for more than this machine has: "clamp" gives them all there
            is, "refuse" does not deploy them to the local target.
        run_on: Where tasks run unless told otherwise: "inline" in the kernel, "local" in the environments that are
            deployed to the local target, "flyte" on the cluster that the Flyte SDK is connected to.
        keep_venvs: For how many days a virtual environment is kept that nothing deployed needs, and nobody uses.
        progress: Whether the notebook shows live what goes on, rather than only what became of it; by default so,
            unless the environment variable FLYTE_NB_PROGRESS is "0", "false", "no" or "off".
        echo: Whether what tasks print, log and display also appears in the cell's output, besides with their calls.
    """

    home: str = ""
    keep_runs: int = 1_000
    cache_size: float = 5.0
    oversize: str = "clamp"
    run_on: str = "inline"
    keep_venvs: float = 7.0
    progress: bool = field(default_factory=lambda: os.environ.get("FLYTE_NB_PROGRESS", "").lower() not in _OFF)
    echo: bool = True

    @property
    def home_path(self) -> Path:
        """The folder for what outlives the kernel; it may not exist yet."""
        from pathlib import Path

        chosen = self.home or os.environ.get("FLYTE_NB_HOME", "")
        if chosen:
            return Path(chosen).expanduser()
        from platformdirs import user_state_path

        return user_state_path("flyte_nb", appauthor=False)
