"""What happens to the environments of a deployment, as frozen facts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from flyte_nb.errors import DeploymentFailedError

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Deployment", "EnvironmentStatus", "State"]


class State(str, Enum):
    """Where one environment of a deployment stands."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class EnvironmentStatus:
    """One environment of a deployment at one moment; also the event that listeners receive.

    Attributes:
        name: The environment.
        state: Where it stands.
        started: When its deployment began, in UTC; None if it did not.
        ended: When its deployment ended, in UTC; None if it has not.
        error: Why it failed, was skipped or cancelled; otherwise empty.
    """

    name: str
    state: State
    started: datetime | None = None
    ended: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One application of a plan to a target.

    Attributes:
        target: The name of the target.
        environments: The final status of each environment, in the order of the plan.
        order: The names that are deployed, in the order in which they were completed.
        started: When it began, in UTC.
        ended: When it ended, in UTC.
    """

    target: str
    environments: tuple[EnvironmentStatus, ...]
    order: list[str]
    started: datetime
    ended: datetime

    def __str__(self) -> str:
        lines = (f"{s.state.value:10} {s.name}{f'  {s.error}' if s.error else ''}" for s in self.environments)
        return "\n".join([f"deployment to {self.target} in {self.duration:.3f} s:", *lines])

    @property
    def states(self) -> dict[str, str]:
        """The final state of each environment by name."""
        return {status.name: status.state.value for status in self.environments}

    @property
    def succeeded(self) -> bool:
        """Whether every environment is deployed."""
        return len(self.order) == len(self.environments)

    @property
    def duration(self) -> float:
        """Seconds from begin to end."""
        return (self.ended - self.started).total_seconds()

    def raise_if_failed(self) -> None:
        """Raise DeploymentFailedError unless every environment is deployed."""
        if not self.succeeded:
            failed = {status.name: status.error for status in self.environments if status.state is State.FAILED}
            skipped = [status.name for status in self.environments if status.state is State.SKIPPED]
            raise DeploymentFailedError(failed, skipped)
