"""The rows of deployments, their environments and their logs: how they are written and read."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flyte_nb.deployment.applying.status import State
from flyte_nb.deployment.keeping.recorded import DeploymentLine, RecordedEnvironment
from flyte_nb.execution.clock import utc
from flyte_nb.masking import without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.database import Connection
    from flyte_nb.deployment.applying.status import EnvironmentStatus
    from flyte_nb.deployment.planning.plan import Plan

__all__ = [
    "LogRow",
    "insert_deployment",
    "insert_environments",
    "read_environments",
    "read_lines",
    "write_end",
    "write_lines",
    "write_loss",
    "write_never_begun",
    "write_statuses",
]

_RESULT = "state, started, ended, error, attempt"


@dataclass(frozen=True, slots=True)
class LogRow:
    """One line of a deployment's log; their numbers order them."""

    number: int
    environment: str
    time: datetime
    text: str


def insert_deployment(
    connection: Connection, *, target: str, kind: str, origin: str, holder: str, plan: str, policy: str
) -> int:
    """Insert a deployment that begins now, and return its number."""
    columns = "target, kind, origin, holder, state, started, plan, policy"
    row = target, kind, origin, holder, State.RUNNING.value, time.time(), plan, policy
    number = connection.execute(f"INSERT INTO deployment ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row).lastrowid  # noqa: S608
    return int(number or 0)


def insert_environments(connection: Connection, deployment: int, plan: Plan, bundles: Mapping[str, Bundle]) -> None:
    """Insert the environments of `plan`, none of which has begun."""
    rows = (
        (
            deployment,
            step.name,
            position,
            step.action.value,
            bundles[step.name].fingerprint if step.name in bundles else "",
            step.deployed,
            State.PENDING.value,
            None,
            None,
            "",
            0,
        )
        for position, step in enumerate(plan.steps)
    )
    connection.executemany("INSERT INTO deployment_environment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def write_statuses(connection: Connection, deployment: int, statuses: Iterable[EnvironmentStatus]) -> None:
    """Write where environments stand."""
    rows = [
        (
            status.state.value,
            _seconds(status.started),
            _seconds(status.ended),
            status.error and storable(without_credentials(status.error)),
            status.attempt,
            deployment,
            status.name,
        )
        for status in statuses
    ]
    connection.executemany(
        "UPDATE deployment_environment SET state = ?, started = ?, ended = ?, error = ?, attempt = ? "
        "WHERE deployment = ? AND name = ?",
        rows,
    )


def write_lines(connection: Connection, deployment: int, lines: Sequence[LogRow]) -> None:
    """Write lines, whose text is without credentials."""
    rows = ((deployment, line.number, line.environment, line.time.timestamp(), storable(line.text)) for line in lines)
    connection.executemany("INSERT INTO deployment_log VALUES (?, ?, ?, ?, ?)", rows)


def write_end(connection: Connection, deployment: int, state: State) -> None:
    """Write how a deployment ended, now."""
    row = state.value, time.time(), deployment
    connection.execute("UPDATE deployment SET state = ?, ended = ? WHERE id = ?", row)


def write_loss(connection: Connection, deployment: int, environments: Iterable[EnvironmentStatus]) -> None:
    """Write that a deployment was lost, nobody knows when, and what became of its environments."""
    write_statuses(connection, deployment, environments)
    connection.execute("UPDATE deployment SET state = ? WHERE id = ?", (State.LOST.value, deployment))


def write_never_begun(connection: Connection, deployment: int) -> None:
    """Write that a deployment was cancelled before any of its environments began."""
    row = State.CANCELLED.value, "cancelled before it started", deployment
    connection.execute("UPDATE deployment_environment SET state = ?, error = ? WHERE deployment = ?", row)
    write_end(connection, deployment, State.CANCELLED)


def read_environments(connection: Connection, deployment: int) -> tuple[RecordedEnvironment, ...]:
    """Return the environments of a deployment in the order of its plan, as they are recorded."""
    columns = f"name, {_RESULT}, action, fingerprint, previous"
    query = f"SELECT {columns} FROM deployment_environment WHERE deployment = ? ORDER BY position"  # noqa: S608
    return tuple(_environment(*row) for row in connection.execute(query, (deployment,)))


def read_lines(connection: Connection, deployment: int) -> list[DeploymentLine]:
    """Return what the environments of a deployment have said, in order."""
    query = "SELECT environment, time, text FROM deployment_log WHERE deployment = ? ORDER BY number"
    rows = connection.execute(query, (deployment,))
    return [DeploymentLine(environment, utc(moment), text) for environment, moment, text in rows]


def storable(text: str) -> str:
    """Return `text` without halves of surrogate pairs, which cannot be stored."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _environment(
    name: str, state: str, started: float | None, ended: float | None, error: str, attempt: int, *versions: str
) -> RecordedEnvironment:
    return RecordedEnvironment(name, State(state), _moment(started), _moment(ended), error, attempt, *versions)


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else utc(seconds)
