"""What a worker is told first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CHILDREN", "Beginning"]

CHILDREN = "FLYTE_NB_WORKER"
"""The environment variable that tells processes which a task starts how they begin."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a worker runs.

    Attributes:
        environment: The name of the environment.
        folder: From where its module is imported.
        module: What the module is called in its package.
        modules: The environment of each module, its own and those that it imports, by the name of the module.
        site_folders: More folders with packages: those of the user, where the kernel's own Python is used.
    """

    environment: str
    folder: str
    module: str
    modules: Mapping[str, str]
    site_folders: tuple[str, ...] = ()
