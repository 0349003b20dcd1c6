"""Deployments of the history, as frozen facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from flyte_nb.deployment.applying.status import EnvironmentStatus, State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from flyte_nb.deployment.planning.plan import Plan

__all__ = ["DeploymentLine", "RecordedDeployment", "RecordedDeployments", "RecordedEnvironment"]


class DeploymentLine(NamedTuple):
    """What the deployment of an environment had to say, and when, in UTC."""

    environment: str
    time: datetime
    text: str


@dataclass(frozen=True, slots=True)
class RecordedEnvironment(EnvironmentStatus):
    """One environment of a deployment of the history.

    Attributes:
        action: What was to be done with it: "create", "update", "unchanged", "remove".
        fingerprint: The version that was to be deployed; empty for one to remove.
        previous: The version that was deployed before; empty if none was.
    """

    action: str = ""
    fingerprint: str = ""
    previous: str = ""


class Details(Protocol):
    """Where the parts of a deployment are read when somebody asks for them."""

    def environments(self, deployment: RecordedDeployment) -> tuple[RecordedEnvironment, ...]:
        """Return its environments in the order of its plan."""

    def logs(self, deployment: RecordedDeployment) -> list[DeploymentLine]:
        """Return what its environments have said, in order."""

    def plan(self, deployment: RecordedDeployment) -> Plan:
        """Return what it was to do."""


@dataclass(frozen=True, slots=True)
class RecordedDeployment:
    """One deployment as the history had it when it was asked; environments, logs and plan are read when they are used.

    Attributes:
        name: What it is called: "d12".
        target: The name of the target.
        kind: "deploy" or "rollback".
        origin: The notebook or script that deployed; a name of the session if it was neither.
        state: Where it stands; "lost" if its kernel ended in the middle of it.
        started: When it began, in UTC.
        ended: When it ended, in UTC; None if it has not, or is lost.
        counts: How many of its environments are in each state.
    """

    name: str
    target: str
    kind: str
    origin: str
    state: State
    started: datetime
    ended: datetime | None
    counts: Mapping[str, int] = field(compare=False)
    _details: Details = field(repr=False, compare=False)

    @property
    def status(self) -> str:
        """The state as text: "succeeded", "failed", "cancelled", "lost", "running"."""
        return self.state.value

    @property
    def duration(self) -> float | None:
        """Seconds from begin to end, or None if it has not ended or is lost."""
        return (self.ended - self.started).total_seconds() if self.ended else None

    @property
    def environments(self) -> tuple[RecordedEnvironment, ...]:
        """Where its environments stand, with their versions, in the order of its plan."""
        return self._details.environments(self)

    @property
    def logs(self) -> list[DeploymentLine]:
        """What its environments have said, in order: (environment, time, text)."""
        return self._details.logs(self)

    @property
    def plan(self) -> Plan:
        """What it was to do."""
        return self._details.plan(self)


class RecordedDeployments(list[RecordedDeployment]):
    """Deployments of the history, the newest first; a notebook shows them as a table."""
