"""Plans and deployments as pictures and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.deployment.plan import Action, Change
from flyte_nb.view.picture import Node, Picture
from flyte_nb.view.states import STATES, tally
from flyte_nb.view.table import Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from flyte_nb.deployment.plan import Plan, Step
    from flyte_nb.deployment.status import EnvironmentStatus

__all__ = ["deployment_table", "plan_picture", "plan_table"]

_NONE = "–"
_LONGEST_VALUE = 60


def plan_picture(plan: Plan, states: Mapping[str, str] | None = None) -> Picture:
    """Return the graph of `plan`, each environment in its action, or in its entry of `states`."""
    shown = states or plan.actions
    nodes = tuple(Node(step.name, shown.get(step.name, "pending"), _subtitle(step)) for step in plan.steps)
    edges = tuple((dependency, step.name) for step in plan.steps for dependency in step.depends_on)
    return Picture(nodes, edges)


def plan_table(plan: Plan) -> Table:
    """Return what `plan` would do, a row for each environment in the order of deployment."""
    wave = {name: str(number) for number, names in enumerate(plan.waves, start=1) for name in names}
    rows = tuple(
        (wave[step.name], step.name, _label(step.action.value), ", ".join(step.depends_on) or _NONE, _reason(step))
        for step in plan.steps
    )
    caption = f"Plan for target {plan.target}: {_counts(plan.actions.values()) or 'nothing to deploy'}"
    return Table(("wave", "environment", "action", "after", "what differs"), rows, caption, _advice(plan))


def deployment_table(target: str, statuses: Collection[EnvironmentStatus]) -> Table:
    """Return where each environment of a deployment stands, a row each."""
    rows = tuple((s.name, _label(s.state.value), _clock(s), _seconds(s), s.error or _NONE) for s in statuses)
    counts = _counts(status.state.value for status in statuses) or "nothing to deploy"
    return Table(("environment", "state", "started (UTC)", "took", "error"), rows, f"Deployment to {target}: {counts}")


def _counts(states: Iterable[str]) -> str:
    return ", ".join(f"{count} {STATES[state].label}" for state, count in tally(states).items())


def _label(state: str) -> str:
    return f"{STATES[state].glyph} {STATES[state].label}"


def _subtitle(step: Step) -> str:
    return step.problem or ", ".join(change.what for change in step.changes)


def _reason(step: Step) -> str:
    return step.problem or "; ".join(map(_difference, step.changes)) or _NONE


def _difference(change: Change) -> str:
    if change.old == change.new:
        return f"{change.what}: a value that is not shown changed"
    if isinstance(change.old, str) and isinstance(change.new, str) and "\n" in change.old + change.new:
        return f"{change.what}: source changed"
    if isinstance(change.old, dict) and isinstance(change.new, dict):
        parts = (Change(f"{change.what}.{key}", change.old.get(key), change.new.get(key)) for key in change.new)
        return "; ".join(_difference(part) for part in parts if part.old != part.new)
    return f"{change.what}: {_short(change.old)} → {_short(change.new)}"


def _short(value: object) -> str:
    text = _NONE if value in (None, [], {}) else str(value).partition("\n")[0]
    # Two long values differ more often at their ends.
    return text if len(text) <= _LONGEST_VALUE else f"…{text[-_LONGEST_VALUE:]}"


def _advice(plan: Plan) -> str:
    if plan.blocked:
        return "What is blocked can be deployed when what it needs is defined: run its cell, or correct the name."
    if plan.steps and all(step.action is Action.UNCHANGED for step in plan.steps):
        return "Specifications and task sources are as they were deployed."
    return ""


def _clock(status: EnvironmentStatus) -> str:
    return status.started.strftime("%H:%M:%S.%f")[:-3] if status.started else _NONE


def _seconds(status: EnvironmentStatus) -> str:
    if not (status.started and status.ended):
        return _NONE
    return f"{(status.ended - status.started).total_seconds():.3f} s"
