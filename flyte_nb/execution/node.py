"""What is known about a run: one node for each call of a task, and the finished tree."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

__all__ = ["LogLine", "Node", "Run", "RunState", "state_of_whole"]

T = TypeVar("T")


class RunState(str, Enum):
    """Where one call of a task stands."""

    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    CACHED = "cached"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"
    LOST = "lost"  # the kernel ended while it ran; only history knows

    @property
    def is_final(self) -> bool:
        """Whether a call in this state has ended."""
        return self not in _UNDER_WAY


_UNDER_WAY = frozenset({RunState.QUEUED, RunState.RUNNING, RunState.RETRYING})


def state_of_whole(outcome: RunState, roots: Collection[RunState]) -> RunState:
    """Return the state of what has ended with `outcome`, said as exactly as the states of its roots allow."""
    if outcome is RunState.SUCCEEDED and set(roots) == {RunState.CACHED}:
        return RunState.CACHED
    if outcome is RunState.FAILED and RunState.FAILED not in roots and RunState.TIMED_OUT in roots:
        return RunState.TIMED_OUT
    return outcome


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of what a call has printed, logged or displayed; credentials are masked.

    Attributes:
        node: The id of the call.
        task: The full name of its task.
        time: When it was written, in UTC.
        stream: "stdout", "stderr", "display", or the level of a logging record, such as "WARNING".
        text: The line, without its end.
    """

    node: int
    task: str
    time: datetime
    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class Node:
    """One call of a task at one moment; also the event that listeners receive.

    Attributes:
        id: A number that no other call of the session has; a caller has a smaller one than what it calls.
        parent: The id of the call that made this one, or None for the root of a run.
        root: The id of the root.
        task: The full name of the task.
        state: Where it stands.
        started: When it first began, in UTC; before that, since when it is queued.
        ended: When it ended, in UTC; None until then.
        error: The type and message of what it, or its last attempt, raised; otherwise empty.
        attempts: How many times it was begun; 0 before the first time, and if its result came from the cache.
        inputs: Its arguments, shortened; secrets are masked.
        arose: The id of the call in which the error arose that ended this one, or None.
        lines: How many lines it has printed, logged and displayed.
        waiting: What it waits for before it can run; empty unless it is queued, and that is known.
        returned: What it has returned, shortened; secrets are masked. Empty if that is None, or not known.
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
    inputs: str = ""
    arose: int | None = None
    lines: int = 0
    waiting: str = ""
    returned: str = ""

    @property
    def environment(self) -> str:
        """The name of the task's environment."""
        return self.task.partition(".")[0]

    @property
    def duration(self) -> float | None:
        """Seconds from begin to end, or None while it runs."""
        return (self.ended - self.started).total_seconds() if self.ended else None


@dataclass(frozen=True, slots=True)
class Run(Generic[T]):
    """A finished run.

    Attributes:
        name: What it is called in the history.
        task: The full name of the task that was run.
        result: What it returned.
        tree: Every call of the run in the order of their beginning; the first is the root.
        logs: What its calls have printed, logged and displayed, in order.
    """

    name: str
    task: str
    result: T
    tree: tuple[Node, ...]
    logs: tuple[LogLine, ...] = ()

    def __repr__(self) -> str:
        return f"<Run {self.name} of {self.task}: {self.status}>"  # asyncio shows results more often than it says

    @property
    def status(self) -> str:
        """The state of the root: "succeeded", or "cached"."""
        return self.tree[0].state.value

    @property
    def duration(self) -> float:
        """Seconds from begin to end."""
        return self.tree[0].duration or 0.0
