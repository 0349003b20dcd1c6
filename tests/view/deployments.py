"""Plans and deployments for tests of what shows them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from flyte_nb.deployment.applying.status import EnvironmentStatus, State
from flyte_nb.deployment.planning.plan import Action, Change, Plan, Step
from flyte_nb.view.deployment_progress import DeploymentProgress

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def step(name: str, *depends_on: str, **fields: Any) -> Step:
    """Return a step that creates an environment unless told otherwise."""
    return Step(name, fields.pop("action", Action.CREATE), depends_on, **fields)


def update(name: str, *changes: Change) -> Step:
    """Return a step that updates an environment that depends on nothing."""
    return Step(name, Action.UPDATE, (), changes)


def plan(*steps: Step, **fields: Any) -> Plan:
    """Return a plan of `steps`, all in one wave."""
    return Plan("local", steps, (tuple(each.name for each in steps),), **fields)


def status(
    name: str,
    state: State,
    started: float | None = None,
    ended: float | None = None,
    begun: float | None = None,
    **fields: Any,
) -> Any:
    """Return a status with times in seconds since `BEGAN`."""
    times = {"started": started, "ended": ended, "begun": begun}
    moments = {key: BEGAN + timedelta(seconds=value) for key, value in times.items() if value is not None}
    return EnvironmentStatus(name, state, **moments, **fields)


def progress(*steps: Step, **fields: Any) -> DeploymentProgress:
    """Return the progress of a deployment d12 that began at `BEGAN`."""
    made = DeploymentProgress(plan(*steps, **fields), "d12")
    made.began = BEGAN
    return made


def chain(length: int, expected: float | None = None) -> list[Step]:
    """Return steps n0, n1, ... each of which depends on the one before."""
    steps = [step("n0"), *(step(f"n{i}", f"n{i - 1}") for i in range(1, length))]
    return [replace(each, expected=expected) for each in steps]


__all__ = ["BEGAN", "chain", "plan", "progress", "status", "step", "update"]
