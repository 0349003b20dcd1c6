"""How long a deployment is expected to take, going by how long its environments took before."""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from flyte_nb.graph import longest_ways

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flyte_nb.deployment.planning.plan import Plan, Step

__all__ = ["by_urgency", "with_expectation"]


def with_expectation(plan: Plan, max_concurrency: int | None) -> Plan:
    """Return `plan` with how long it is expected to take, and with the names that this depends on most."""
    if all(step.expected is None for step in plan.steps):
        return plan
    seconds = _seconds(plan.steps)
    ways, following = _ways(plan.steps, seconds)
    first = max(ways, key=lambda name: ways[name])
    duration = ways[first]
    if max_concurrency is not None:
        duration = max(duration, sum(seconds.values()) / max_concurrency)
    working = {step.name for step in plan.steps if step.action.is_work}
    path = tuple(name for name in _way(first, following) if name in working)
    return replace(plan, expected_duration=duration, critical_path=path)


def by_urgency(steps: Sequence[Step]) -> list[str]:
    """Return the names in the order in which those that are ready should start where not all of them can.

    First comes what takes no time, then that after which the longest way is still to go: in seconds, or in steps where
    nothing is known of them. Otherwise they stay in order.
    """
    ways, _ = _ways(steps, _seconds(steps))
    return [step.name for step in sorted(steps, key=lambda step: (step.action.is_work, -ways[step.name]))]


def _seconds(steps: Sequence[Step]) -> dict[str, float]:
    """Return how long each step takes: as before, or else as what is typical of those that are known."""
    known = [step.expected for step in steps if step.expected is not None]
    typical = median(known) if known else 1.0
    return {step.name: _or(step.expected, typical) if step.action.is_work else 0.0 for step in steps}


def _or(seconds: float | None, typical: float) -> float:
    return typical if seconds is None else seconds


def _ways(steps: Sequence[Step], seconds: Mapping[str, float]) -> tuple[dict[str, float], dict[str, str]]:
    return longest_ways([step.name for step in steps], {step.name: step.depends_on for step in steps}, seconds)


def _way(name: str, following: Mapping[str, str]) -> list[str]:
    way = [name]
    while way[-1] in following:
        way.append(following[way[-1]])
    return way
