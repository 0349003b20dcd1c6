"""Where the environments of one deployment stand: each change is noted in the record."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from flyte_nb.deployment.applying.status import EnvironmentStatus, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flyte_nb.deployment.applying.record import Record

__all__ = ["Progress", "utc_now"]


class Progress:
    """Owns the statuses of the environments of a deployment.

    Attributes:
        statuses: By name, in the order of the plan.

    Args:
        names: The environments, in the order of the plan.
        record: What is told of every change.
        broken: Called with what the record raised, if it could not take something.
    """

    def __init__(self, names: Iterable[str], record: Record, broken: Callable[[Exception], None]) -> None:
        self.statuses = {name: EnvironmentStatus(name, State.PENDING) for name in names}
        self._record, self._broken = record, broken

    def begin(self, name: str) -> None:
        """Note that an attempt at `name` begins."""
        status, now = self.statuses[name], utc_now()
        started = status.started or now
        self._set(name, State.RUNNING, started=started, begun=now, attempt=status.attempt + 1, error="")

    def retry(self, name: str, error: str) -> None:
        """Note that an attempt at `name` ended with `error`, and that there will be another."""
        self._set(name, State.RETRYING, error=error)

    def end(self, name: str, state: State, error: str = "") -> None:
        """Note that nothing more happens to `name`."""
        self._set(name, state, ended=utc_now(), error=error)

    def never(self, name: str, state: State, error: str) -> None:
        """Note that `name` will not begin."""
        self._set(name, state, error=error)

    def say(self, name: str, line: str) -> None:
        """Add a line to what the deployment of `name` has to say."""
        try:
            self._record.log(name, line)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the deployment cannot go on
            self._broken(error)

    def _set(self, name: str, state: State, **changes: Any) -> None:
        status = self.statuses[name] = replace(self.statuses[name], state=state, **changes)
        try:
            self._record.note(status)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the deployment cannot go on
            self._broken(error)


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(timezone.utc)
