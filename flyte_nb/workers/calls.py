"""What a worker is asked to run, and whom it tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping
    from contextvars import Context

    from flyte_nb.crossing.parcel import Parcel
    from flyte_nb.workers.tasks import TaskShape

__all__ = ["Caller", "NestedCall", "WorkerCall"]


class Caller(Protocol):
    """Who has a task run in a worker; used on the loop of the pool."""

    @property
    def context(self) -> Context:
        """What the code that makes the call has noted, for the calls that it makes."""

    def end(self) -> None:
        """Note that the task claims nothing any more: its code has ended, though what it has called may not have."""

    def write(self, stream: str, text: str) -> None:
        """Take what the task prints and logs."""

    def expect(self, task: str, calls: int, maps: int) -> None:
        """Note that maps of `task` are asked for so many more calls, and that so many more maps go on, or fewer."""

    def shape(self, environment: str, function: str) -> TaskShape:
        """Return how a task of another environment is called, or raise FlyteNbError."""

    def call(self, call: NestedCall) -> Awaitable[Parcel]:
        """Run a task that the task calls."""


@dataclass(frozen=True, slots=True)
class NestedCall:
    """A call that a task in a worker makes.

    Attributes:
        task: The full name of what is called.
        inputs: Its arguments in a few words.
        digest: The digest of its arguments, if its results are kept.
        policies: What the call says otherwise of the task than the task itself, by name: see `Task.override`.
        parcel: Its arguments.
    """

    task: str
    inputs: str
    digest: str
    policies: Mapping[str, Any]
    parcel: Parcel


@dataclass(frozen=True, slots=True)
class WorkerCall:
    """One call of a task.

    Attributes:
        id: What the call is called; no other call of this session has it.
        task: The full name of the task.
        run: The same number for all calls of one run.
        parcel: The arguments.
        caller: Who is told of it.
        memory_limit: How many bytes the worker may have resident; None for as many as there are.
    """

    id: int
    task: str
    run: int
    parcel: Parcel
    caller: Caller
    memory_limit: int | None = None
