"""What plan and apply need of a place to deploy to; a new target implements `Target`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.errors import FlyteNbError
    from flyte_nb.model.spec import EnvironmentSpec

    Log = Callable[[str], None]

__all__ = ["Deployed", "Log", "Target"]


@dataclass(frozen=True, slots=True)
class Deployed:
    """One environment as the target has it.

    Attributes:
        name: The environment.
        fingerprint: The fingerprint of the bundle that was deployed.
        specification: Its specification, as in `Bundle`.
        sources: The source of each of its tasks by full name.
        deployed_at: When it was deployed, in UTC.
    """

    name: str
    fingerprint: str
    specification: Mapping[str, Any]
    sources: Mapping[str, str]
    deployed_at: datetime


class Target(Protocol):
    """A place where environments are deployed."""

    @property
    def name(self) -> str:
        """The name the user gives it: "local"."""

    def observe(self) -> Mapping[str, Deployed]:
        """Return what is deployed there now, by name."""

    def remarks(self, spec: EnvironmentSpec) -> tuple[str, ...]:
        """Return what deploying `spec` there means that it does not say itself, or raise why that cannot be."""

    def refusals(self, bundles: Collection[Bundle]) -> Mapping[str, FlyteNbError]:
        """Return why some of `bundles`, which are not there yet, cannot be deployed there, by name; send nothing."""

    async def deploy_environment(self, bundle: Bundle, log: Log) -> None:
        """Deploy one environment, or raise; afterwards `observe` shows it. `log` takes lines for people to read."""

    async def remove_environment(self, name: str, log: Log) -> None:
        """Take one environment away, or raise; afterwards `observe` does not show it."""
