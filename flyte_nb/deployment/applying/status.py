"""What happens to the environments of a deployment, as frozen facts."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    REMOVED = "removed"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    LOST = "lost"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to the environment in this deployment."""
        return self not in (State.PENDING, State.RUNNING, State.RETRYING)

    @property
    def is_success(self) -> bool:
        """Whether the environment is as the plan wants it."""
        return self in (State.SUCCEEDED, State.REMOVED, State.UNCHANGED)


@dataclass(frozen=True, slots=True)
class EnvironmentStatus:
    """One environment of a deployment at one moment; also the event that listeners receive.

    Attributes:
        name: The environment.
        state: Where it stands.
        started: When its deployment began, in UTC; None if it did not.
        ended: When its deployment ended, in UTC; None if it has not.
        error: Why it failed, was skipped or cancelled; otherwise empty. Without credentials.
        attempt: How often it was begun; 0 if it was not.
        begun: When the last attempt began, in UTC; None if none did, or nobody knows any more.
    """

    name: str
    state: State
    started: datetime | None = None
    ended: datetime | None = None
    error: str = ""
    attempt: int = 0
    begun: datetime | None = field(default=None, kw_only=True)

    @property
    def duration(self) -> float | None:
        """Seconds that its deployment took, or None if it did not begin, or has not ended."""
        return (self.ended - self.started).total_seconds() if self.started and self.ended else None


@dataclass(frozen=True, slots=True)
class Deployment:
    """One application of a plan to a target.

    Attributes:
        target: The name of the target.
        environments: The final status of each environment, in the order of the plan.
        order: The names that are deployed, in the order in which they were completed.
        started: When it began, in UTC.
        ended: When it ended, in UTC.
        name: What the history of deployments calls it: "d12".
    """

    target: str
    environments: tuple[EnvironmentStatus, ...]
    order: list[str]
    started: datetime
    ended: datetime
    name: str = ""

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
        return all(status.state.is_success for status in self.environments)

    @property
    def duration(self) -> float:
        """Seconds from begin to end."""
        return (self.ended - self.started).total_seconds()

    def raise_if_failed(self) -> None:
        """Raise DeploymentFailedError unless every environment is deployed."""
        if not self.succeeded:
            failed = {s.name: s.error for s in self.environments if s.state in (State.FAILED, State.TIMED_OUT)}
            skipped = [status.name for status in self.environments if status.state is State.SKIPPED]
            raise DeploymentFailedError(failed, skipped)
