"""Calls of tasks as the runner records them, with times that tests can tell."""

from __future__ import annotations

from flyte_nb.execution.call import Call
from flyte_nb.execution.journal import Journal
from flyte_nb.execution.node import RunState

__all__ = ["BEGAN", "call", "end", "expecting", "many"]

BEGAN = 1_700_000_000.0


def call(number: int, task: str = "e.work", caller: Call | None = None, *, at: float = 0.0, inputs: str = "") -> Call:
    """Return a call that begins `at` seconds after the run."""
    made = Call(number, task, inputs, caller, Journal())
    made.started = BEGAN + at
    return made


def end(
    made: Call, state: RunState = RunState.SUCCEEDED, *, at: float, error: str = "", arose: int | None = None
) -> Call:
    """End a call in any state, `at` seconds after the run began."""
    made.state, made.ended, made.error, made.arose = state, BEGAN + at, error, arose
    return made


def many(count: int, caller: Call, task: str = "e.work") -> list[Call]:
    """Return calls that begin one after another, with ids after the caller's."""
    return [call(caller.id + 1 + n, task, caller, at=n / 1000, inputs=f"n={n}") for n in range(count)]


def expecting(to_come: int, *, caller: int | None = 1, task: str = "e.work") -> Journal:
    """Return the journal of a run in which a map will begin so many calls of `task`."""
    journal = Journal()
    journal.expect(caller, task, to_come, maps=1)
    return journal
