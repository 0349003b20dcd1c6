"""What the history tells of a run, and which runs somebody asks for."""

from __future__ import annotations

import math
import re
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from flyte_nb.errors import InvalidTypeError, InvalidValueError, did_you_mean
from flyte_nb.execution.node import RunState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flyte_nb.execution.node import LogLine, Node

__all__ = ["RecordedRun", "RecordedRuns", "RunFilter", "lines_of", "run_filter"]

_AGE = re.compile(r"(?P<count>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>[smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_FIRST_YEAR = 1970  # of what a computer's clock can tell
_SINCE = 'runs(since="2h")'
_STATE = 'runs(state="failed")'


class Details(Protocol):
    """Where the calls and lines of a run are read when somebody asks for them."""

    def tree(self, run: RecordedRun) -> tuple[Node, ...]:
        """Return the calls of `run` in the order of their beginning."""

    def logs(self, run: RecordedRun) -> tuple[LogLine, ...]:
        """Return what the calls of `run` have printed, logged and displayed, in order."""


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """One run as the history had it when it was asked; tree and logs are read when they are used.

    Of a run that has ended they are read once; of one that goes on, each time.

    Attributes:
        name: What it is called: the name of its session, and a number.
        session: The name of the session, which is one kernel or one script.
        task: The full name of the task that was run.
        state: Where it stands; "lost" if its kernel ended while it ran.
        started: When it began, in UTC.
        ended: When it ended, in UTC; None if it has not, or is lost.
        calls: How many calls of tasks it has, its own included.
        error: The type and message of what it raised; otherwise empty.
        target: The name of the target of whose deployed version it ran: "local", or that of a cluster. Empty if it ran
            in its kernel; None if an earlier flyte_nb has recorded it, which did not say.
    """

    name: str
    session: str
    task: str
    state: RunState
    started: datetime
    ended: datetime | None
    calls: int
    error: str
    target: str | None
    _details: Details = field(repr=False, compare=False)

    @property
    def status(self) -> str:
        """The state as text, as a finished run has it: "succeeded", "failed", "lost"."""
        return self.state.value

    @property
    def place(self) -> str:
        """Where it ran, as `flyte_nb.run(on=...)` takes it: "inline", "local" or "flyte"; empty if nobody knows."""
        return "" if self.target is None else self.target.partition(":")[0] or "inline"

    @property
    def duration(self) -> float | None:
        """Seconds from begin to end, or None if it has not ended or is lost."""
        return (self.ended - self.started).total_seconds() if self.ended else None

    @property
    def tree(self) -> tuple[Node, ...]:
        """Every call of the run in the order of their beginning; the first is the root. Empty if it was pruned."""
        return self._details.tree(self)

    @property
    def logs(self) -> tuple[LogLine, ...]:
        """What its calls have printed, logged and displayed, in order. Empty if it was pruned."""
        return self._details.logs(self)


class RecordedRuns(list[RecordedRun]):
    """Runs of the history, the newest first; a notebook shows them as a table."""


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs are asked for.

    Attributes:
        task: The full name of their task, the name of its function, or the name of its environment; None for any.
        states: The states they may be in; empty for any.
        since: Seconds since the epoch, at which or after which they began.
        limit: How many at most; the newest are given.
        session: The name of their session; None for any.
        place: Where they ran, as in `RecordedRun.place`; None for anywhere.
    """

    task: str | None = None
    states: frozenset[RunState] = frozenset()
    since: float = 0.0
    limit: int = 100
    session: str | None = None
    place: str | None = None


def lines_of(run: RecordedRun, task: str | None, stream: str | None) -> list[LogLine]:
    """Return the lines of `run` that are of `task`, named as in a filter of runs, and of `stream`; None for any.

    Raises:
        InvalidValueError: The run has no such task, or there is no such stream.
    """
    if stream is not None:
        _check_stream(stream)
    lines = [line for line in run.logs if _is(task, line.task) and stream in (None, line.stream)]
    if not lines and task is not None:
        tasks = {node.task for node in run.tree}
        if not any(_is(task, other) for other in tasks):
            names = {name for other in tasks for name in _names(other)}
            hint = did_you_mean(task, names)
            problem = f"is no task of run {run.name}{f'.{hint}' if hint else ''}"
            raise InvalidValueError("task", task, problem, f"--task {run.task}")
    return lines


def _check_stream(stream: str) -> None:
    """Levels of logging may have names of the user's, in capitals."""
    known = ("stdout", "stderr", "display")
    if stream not in known and not stream.isupper():
        problem = f"is no stream.{did_you_mean(stream, known)} There are {', '.join(known)}, and levels such as WARNING"
        raise InvalidValueError("stream", stream, problem, "--stream stderr")


def _is(wanted: str | None, task: str) -> bool:
    return wanted is None or wanted in _names(task)


def _names(task: str) -> tuple[str, str, str]:
    environment, _, function = task.partition(".")
    return task, function, environment


def run_filter(task: object, state: object, since: object, limit: object, place: str | None = None) -> RunFilter:
    """Return the filter that somebody has described with what `flyte_nb.runs` takes, for runs in a place that there is.

    Raises:
        InvalidTypeError: One of them is of a wrong type.
        InvalidValueError: One of them says nothing.
    """
    if not (task is None or isinstance(task, str)):
        raise InvalidTypeError("runs.task", task, "a name", 'runs(task="train_model")')
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise InvalidTypeError("runs.limit", limit, "a whole number", "runs(limit=20)")
    if limit < 1:
        raise InvalidValueError("runs.limit", limit, "would never show anything", "runs(limit=20)")
    return RunFilter(task or None, _states(state), _moment(since), min(limit, sys.maxsize), place=place)


def _states(state: object) -> frozenset[RunState]:
    if state is None:
        return frozenset()
    if isinstance(state, str):  # a RunState is one, too
        return frozenset([_state(state)])
    try:
        states: Iterable[object] = iter(state)  # type: ignore[call-overload]
    except TypeError:
        raise InvalidTypeError("runs.state", state, "a state or several", _STATE) from None
    return frozenset(map(_state, states))


def _state(state: object) -> RunState:
    if not isinstance(state, str):
        raise InvalidTypeError("runs.state", state, "a state or several", _STATE)
    try:
        return RunState(state)
    except ValueError:
        known = [one.value for one in RunState]
        hint = did_you_mean(state, known)
        problem = f"is no state.{hint}" if hint else f"is no state; there are {', '.join(known)}"
        raise InvalidValueError("runs.state", state, problem, _STATE) from None


def _moment(since: object) -> float:
    """Return seconds since the epoch."""
    if since is None:
        return 0.0
    if isinstance(since, str):
        found = _AGE.fullmatch(since.strip())
        if not found:
            raise InvalidValueError("runs.since", since, "is no time before now, such as 90s, 30m, 2h, 7d, 1w", _SINCE)
        return _ago(since, {_UNITS[found["unit"]]: float(found["count"])})
    if isinstance(since, timedelta):
        return _ago(since, {"seconds": since.total_seconds()})
    if not isinstance(since, datetime):
        raise InvalidTypeError("runs.since", since, "a datetime, a timedelta, or text such as 2h", _SINCE)
    try:
        return since.timestamp()  # without a zone it is local time
    except (OverflowError, ValueError, OSError):
        return 0.0 if since.year < _FIRST_YEAR else math.inf


def _ago(since: object, age: dict[str, float]) -> float:
    try:
        seconds = timedelta(**age).total_seconds()
    except OverflowError:
        return 0.0  # longer ago than there is time
    if seconds < 0:
        raise InvalidValueError("runs.since", since, "lies in the future", _SINCE)
    return time.time() - seconds
