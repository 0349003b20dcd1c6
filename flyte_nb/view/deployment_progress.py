"""One deployment while it goes on, as its views see it: where each environment stands, and what it has said."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from flyte_nb.deployment.applying.status import EnvironmentStatus, State
from flyte_nb.deployment.planning.plan import Action
from flyte_nb.masking import beginning_without_credentials
from flyte_nb.view.escape import inert_line
from flyte_nb.view.remaining import remaining_seconds
from flyte_nb.view.states import STATES, tally

if TYPE_CHECKING:
    from flyte_nb.deployment.planning.plan import Plan

__all__ = ["DeploymentProgress"]

_MOST_LINES, _LONGEST_LINE = 200, 500
_BAD = (State.FAILED, State.TIMED_OUT, State.LOST, State.CANCELLED, State.SKIPPED)


class DeploymentProgress:
    """What is known of one deployment; whoever watches it notes what is told, and the views read.

    Args:
        plan: What is deployed.
        name: What the history calls the deployment: "d12".
        at_once: How many environments are deployed at once, if that is known.

    Attributes:
        statuses: Where each environment stands, in the order of the plan.
        began: When it began, in UTC.
        ended: When it ended; None while it goes on.
        version: How many changes were noted, so that views see whether there is anything new.
    """

    def __init__(self, plan: Plan, name: str, at_once: int | None = None) -> None:
        self.plan, self.name, self._at_once = plan, name, at_once
        self.statuses = {name: EnvironmentStatus(name, State.PENDING) for name in plan.order}
        self.began = _now()
        self.ended: datetime | None = None
        self.version = 0
        self._removed = {step.name for step in plan.steps if step.action is Action.REMOVE}
        self._lines: dict[str, deque[str]] = {}
        self._said: dict[str, int] = {}

    def note(self, status: EnvironmentStatus) -> None:
        """Take a change of status into account."""
        self.statuses[status.name] = status
        self.version += 1

    def say(self, environment: str, text: str) -> None:
        """Take what the deployment of an environment has to say into account; of many lines the last are kept."""
        lines = self._lines.setdefault(environment, deque(maxlen=_MOST_LINES))
        for line in text.splitlines() or [""]:
            lines.append(inert_line(beginning_without_credentials(line, 2 * _LONGEST_LINE), _LONGEST_LINE))
            self._said[environment] = self.line_count(environment) + 1

    def end(self, seconds: float | None = None) -> None:
        """Note that nothing more happens; `seconds` is how long it took, if that is known better than by now."""
        self.ended = _now() if seconds is None else self.began + timedelta(seconds=seconds)
        self.version += 1

    def line_count(self, environment: str) -> int:
        """Return how many lines an environment has said."""
        return self._said.get(environment, 0)

    def lines(self, environment: str, start: int = 0) -> list[str]:
        """Return the lines of an environment from the one with the number `start`, as far as they are kept: inert."""
        kept = self._lines.get(environment, ())
        return list(kept)[max(0, start - self.line_count(environment) + len(kept)) :]

    @property
    def title(self) -> str:
        """What is going on, in a few words: "d12 to local"."""
        return f"{self.name} to {self.plan.target}".strip()

    @property
    def state(self) -> str:
        """The state of the whole: running until it has ended, then the one that most needs attention."""
        states = {status.state for status in self.statuses.values()}
        if self.ended is None:
            return State.RUNNING.value
        if not all(state.is_final for state in states):
            return State.LOST.value
        bad = next((state for state in _BAD if state in states), None)
        good = (State.SUCCEEDED, State.REMOVED, State.UNCHANGED)
        return (bad or next((state for state in good if state in states), State.UNCHANGED)).value

    @property
    def counts(self) -> dict[str, int]:
        """How many environments are in each state, the most urgent first."""
        return tally(status.state.value for status in self.statuses.values())

    @property
    def elapsed(self) -> float:
        """Seconds since it began, or how long it took."""
        return ((self.ended or _now()) - self.began).total_seconds()

    @property
    def remaining(self) -> float | None:
        """Seconds that it will probably still take; None if nothing is known of that."""
        if self.ended is not None:
            return None
        return remaining_seconds(self.plan.steps, self.statuses, _now(), self._at_once)

    def word(self, environment: str) -> str:
        """Return what is to be read of an environment: "deploying", "removing", "attempt 2", "deployed"."""
        status = self.statuses[environment]
        if status.attempt > 1 and status.state is not State.RETRYING:
            return f"attempt {status.attempt}"
        if status.state is State.RUNNING and environment in self._removed:
            return "removing"
        return STATES[status.state.value].label


def _now() -> datetime:
    return datetime.now(timezone.utc)
