"""%config FlyteNB: the settings, with their help."""

from __future__ import annotations

from typing import Any

from traitlets import Float, Unicode, observe
from traitlets.config import Configurable

from flyte_nb.settings import Settings

__all__ = ["FlyteNB"]


class FlyteNB(Configurable):
    """Settings of flyte_nb in this session."""

    home = Unicode(
        help="Folder for what outlives the kernel, such as what is deployed locally. "
        "Empty: the environment variable FLYTE_NB_HOME, or else the user's state folder."
    ).tag(config=True)

    cache_size = Float(
        Settings().cache_size,
        min=0,
        help="How many GiB the results of cached tasks may take up; those not used for the longest time go first. "
        "0: no more results are kept.",
    ).tag(config=True)

    def __init__(self, settings: Settings, **kwargs: Any) -> None:
        self._settings = settings
        super().__init__(**kwargs)

    @observe("home")
    def _set_home(self, change: Any) -> None:
        self._settings.home = change["new"]

    @observe("cache_size")
    def _set_cache_size(self, change: Any) -> None:
        self._settings.cache_size = change["new"]
