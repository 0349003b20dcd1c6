"""%config FlyteNB: the settings, with their help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import Bool, CaselessStrEnum, Float, Int, Unicode, observe
from traitlets.config import Configurable

from flyte_nb.settings import OVERSIZE, RUN_ON, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FlyteNB"]


class FlyteNB(Configurable):
    """Settings of flyte_nb in this session."""

    home = Unicode(
        help="Folder for what outlives the kernel, such as what is deployed locally. "
        "Empty: the environment variable FLYTE_NB_HOME, or else the user's state folder."
    ).tag(config=True)

    keep_runs = Int(
        Settings().keep_runs,
        min=0,
        help="How many runs that have ended the history keeps; the oldest go first. With 0, runs are not recorded. "
        "Of more than 100,000 that end within a moment, only the last are recorded.",
    ).tag(config=True)

    cache_size = Float(
        Settings().cache_size,
        min=0,
        help="How many GiB the results of cached tasks may take up; those not used for the longest time go first. "
        "0: no more results are kept.",
    ).tag(config=True)

    keep_venvs = Float(
        Settings().keep_venvs,
        min=0,
        help="For how many days a virtual environment is kept that nothing deployed locally needs, and nobody uses. "
        "0: it goes with the next deployment.",
    ).tag(config=True)

    oversize = CaselessStrEnum(
        OVERSIZE,
        Settings().oversize,
        help="What becomes of environments that ask for more than this machine has: 'clamp' gives their tasks all "
        "there is, 'refuse' does not deploy them to the local target.",
    ).tag(config=True)

    run_on = CaselessStrEnum(
        RUN_ON,
        Settings().run_on,
        help="Where %flyte_run, flyte_nb.run and flyte_nb.map run tasks unless told otherwise: 'inline' in this "
        "kernel, as they are defined now; 'local' in the environments that are deployed to the local target; 'flyte' "
        "on the cluster that the Flyte SDK is connected to.",
    ).tag(config=True)

    progress = Bool(
        Settings().progress,
        help="Whether runs, deployments and graphs are shown live. False: a run or a deployment appears when it is "
        "over, and a graph stays as it was drawn; so by default where the environment variable FLYTE_NB_PROGRESS is 0.",
    ).tag(config=True)

    echo = Bool(
        Settings().echo,
        help="Whether what tasks print, log and display also appears in the output of the cell. False: only with their "
        "calls, in the live view, in the history and with %flyte_logs.",
    ).tag(config=True)

    def __init__(self, settings: Settings, leave_home: Callable[[], object], **kwargs: Any) -> None:
        self._settings, self._leave_home = settings, leave_home
        super().__init__(**kwargs)

    @observe("home")
    def _set_home(self, change: Any) -> None:
        self._leave_home()  # what belongs into the present folder is written there first
        self._settings.home = change["new"]

    @observe("keep_runs", "cache_size", "keep_venvs", "oversize", "run_on", "progress", "echo")
    def _set(self, change: Any) -> None:
        setattr(self._settings, change["name"], change["new"])
