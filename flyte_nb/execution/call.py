"""The record of one call while it runs: as little work as a call can bear, and a frozen node when somebody asks."""

from __future__ import annotations

from datetime import datetime, timezone
from time import time
from typing import TYPE_CHECKING

from flyte_nb.errors import TaskTimeoutError
from flyte_nb.execution.node import Node, RunState
from flyte_nb.masking import error_text

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Call", "Collector"]


class Collector:
    """What is called, though it is no call itself: it stands for a caller that is not a task."""

    __slots__ = ("calls", "parent", "root")

    def __init__(self, caller: Collector | None) -> None:
        self.parent: int | None = caller.as_parent if caller else None
        self.root: int | None = caller.root if caller else None
        self.calls: list[Collector] | None = None
        if caller:
            caller.add(self)

    @property
    def as_parent(self) -> int | None:
        """The id that what is called from here has as its parent."""
        return self.parent

    def add(self, call: Collector) -> None:
        """Note that `call` was made from here."""
        if self.calls is None:
            self.calls = [call]  # most calls make none
        else:
            self.calls.append(call)

    def nodes(self) -> Iterator[Node]:
        """Yield a node for this call and for each below it, in no particular order."""
        pending: list[Collector] = [self]
        while pending:
            call = pending.pop()
            if isinstance(call, Call):
                yield call.node()
            pending.extend(call.calls or ())


class Call(Collector):
    """One call of a task: it has begun when this is made, and ends with `end`."""

    __slots__ = ("attempts", "ended", "error", "id", "started", "state", "task")

    def __init__(self, number: int, task: str, caller: Collector | None) -> None:
        # Not through the base: this is on the path of every call.
        self.id, self.task, self.calls = number, task, None
        self.parent, self.root = None, number
        if caller is not None:
            self.parent = caller.as_parent
            if self.parent is not None:
                self.root = caller.root
            caller.add(self)
        self.state, self.error, self.attempts = RunState.RUNNING, "", 1
        self.ended: float | None = None
        self.started = time()

    @property
    def as_parent(self) -> int | None:
        """The id that what is called from here has as its parent."""
        return self.id

    def retry(self, error: BaseException) -> None:
        """Note that an attempt ended by `error` and another will follow."""
        self.state, self.error = RunState.RETRYING, error_text(error)

    def resume(self) -> None:
        """Note that the next attempt begins."""
        self.state, self.attempts = RunState.RUNNING, self.attempts + 1

    def end(self, error: BaseException | None = None) -> None:
        """Note that the call has ended, by `error` if one is given."""
        self.ended = time()
        if error is None:
            self.state, self.error = RunState.SUCCEEDED, ""
            return
        self.state, self.error = self._end_state(error), error_text(error)

    def _end_state(self, error: BaseException) -> RunState:
        if isinstance(error, TaskTimeoutError) and error.task == self.task:
            return RunState.TIMED_OUT
        # Cancellation and kernel interrupts end a call from outside; neither is an Exception.
        return RunState.FAILED if isinstance(error, Exception) else RunState.CANCELLED

    def node(self) -> Node:
        """Return the call as it stands now."""
        assert self.root is not None  # noqa: S101 - a call has a root, its own if no other
        ended = None if self.ended is None else _utc(self.ended)
        return Node(
            self.id,
            self.parent,
            self.root,
            self.task,
            self.state,
            _utc(self.started),
            ended,
            self.error,
            self.attempts,
        )


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
