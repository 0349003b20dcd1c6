"""What is known about a run: one node for each call of a task, and the finished tree."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Node", "Run", "RunState"]

T = TypeVar("T")


class RunState(str, Enum):
    """Where one call of a task stands."""

    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Node:
    """One call of a task at one moment; also the event that listeners receive.

    Attributes:
        id: A number that no other call of the session has; a caller has a smaller one than what it calls.
        parent: The id of the call that made this one, or None for the root of a run.
        root: The id of the root.
        task: The full name of the task.
        state: Where it stands.
        started: When it began, in UTC.
        ended: When it ended, in UTC; None while it runs.
        error: The type and message of what it, or its last attempt, raised; otherwise empty.
        attempts: How many times it was begun.
    """

    id: int
    parent: int | None
    root: int
    task: str
    state: RunState
    started: datetime
    ended: datetime | None = None
    error: str = ""
    attempts: int = 1

    @property
    def duration(self) -> float | None:
        """Seconds from begin to end, or None while it runs."""
        return (self.ended - self.started).total_seconds() if self.ended else None


@dataclass(frozen=True, slots=True)
class Run(Generic[T]):
    """A finished run.

    Attributes:
        task: The full name of the task that was run.
        result: What it returned.
        tree: Every call of the run in the order of their beginning; the first is the root.
    """

    task: str
    result: T
    tree: tuple[Node, ...]

    @property
    def status(self) -> str:
        """The state of the root: "succeeded"."""
        return self.tree[0].state.value

    @property
    def duration(self) -> float:
        """Seconds from begin to end."""
        return self.tree[0].duration or 0.0
