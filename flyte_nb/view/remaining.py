"""How long a deployment will probably still take."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from flyte_nb.deployment.applying.status import State
from flyte_nb.deployment.planning.plan import Action

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from flyte_nb.deployment.applying.status import EnvironmentStatus
    from flyte_nb.deployment.planning.plan import Step

__all__ = ["remaining_seconds"]


def remaining_seconds(
    steps: Sequence[Step], statuses: Mapping[str, EnvironmentStatus], now: datetime, at_once: int | None = None
) -> float | None:
    """Return the seconds that what is left will probably take, by what earlier deployments took.

    That is as long as the longest chain of what is left, and as long as all of it takes, `at_once` at a time. What
    has no duration of its own counts as the median of those that have. What has taken longer than expected counts as
    almost done, so that 0 means: it should have ended.

    Args:
        steps: Those of the plan, each after those it depends on.
        statuses: Where they stand, by name.
        now: The moment, in UTC.
        at_once: How many environments are deployed at once, if that is known.

    Returns:
        None if nothing is known, or nothing is left.
    """
    known = [step.expected for step in steps if step.expected is not None]
    if not known or all(statuses[step.name].state.is_final for step in steps if step.name in statuses):
        return None
    usual, longest, whole = median(known), dict[str, float](), 0.0
    for step in steps:
        work = _left(step, usual, statuses.get(step.name), now)
        longest[step.name] = work + max((longest.get(name, 0.0) for name in step.depends_on), default=0.0)
        whole += work
    return max(*longest.values(), whole / (at_once or len(longest)))


def _left(step: Step, usual: float, status: EnvironmentStatus | None, now: datetime) -> float:
    if status is None or status.state.is_final or step.action is Action.UNCHANGED:
        return 0.0
    expected = usual if step.expected is None else step.expected
    begun = status.begun or status.started
    if status.state is State.RUNNING and begun:
        return max(0.0, expected - (now - begun).total_seconds())
    return expected
