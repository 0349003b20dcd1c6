"""Where an environment stands, as pairs of a label and a text: its last deployment, and what differs now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.deployment.planning.plan import Action
from flyte_nb.view.clock import moment_text
from flyte_nb.view.differences import difference_text
from flyte_nb.view.durations import duration_text
from flyte_nb.view.states import state_text

if TYPE_CHECKING:
    from flyte_nb.deployment.keeping.recorded import RecordedDeployment, RecordedEnvironment
    from flyte_nb.deployment.keeping.standing import Standing
    from flyte_nb.deployment.planning.plan import Step

__all__ = ["standing_details"]

_SHORT = 12  # characters of a fingerprint
_MOST_CHANGES = 12


def standing_details(standing: Standing) -> tuple[tuple[str, str], ...]:
    """Return (label, value) pairs that tell of `standing`."""
    last, environment = standing.deployment, standing.environment
    if last is None or environment is None:
        told = [("last deployment", "none so far")]
    else:
        told = [("last deployment", _last(last, environment)), *_version(environment)]
    if standing.step is None and last:
        hint = "%flyte_plan --target flyte shows it, if it is defined here"
        return (*told, ("difference", hint if last.target != "local" else "it is not defined here"))
    return (*told, *_difference(standing.step, standing.target)) if standing.step else tuple(told)


def _last(last: RecordedDeployment, environment: RecordedEnvironment) -> str:
    took = "" if environment.duration is None else f" in {duration_text(environment.duration)}"
    what = "" if last.kind == "deploy" else f" ({last.kind})"
    error = f": {environment.error}" if environment.error else ""
    when = moment_text(environment.ended or last.started)
    return f"{last.name}{what} to {last.target}, {when}: {state_text(environment.state.value)}{took}{error}"


def _version(environment: RecordedEnvironment) -> list[tuple[str, str]]:
    version, before = environment.fingerprint[:_SHORT], environment.previous[:_SHORT]
    if not version:
        return []
    return [("version", version if before in ("", version) else f"{version}, before that {before}")]


def _difference(step: Step, target: str) -> list[tuple[str, str]]:
    if step.action is Action.UNCHANGED:
        return [("difference", f"none: it is deployed to {target} as it is defined here")]
    if step.action is Action.CREATE:
        return [("difference", f"new: {target} does not have it")]
    if step.problem:
        return [("difference", step.problem)]
    told = [_change(text) for text in map(difference_text, step.changes[:_MOST_CHANGES])]
    rest = len(step.changes) - len(told)
    return [*told, ("changed", f"and {rest:,} more")] if rest > 0 else told


def _change(text: str) -> tuple[str, str]:
    return "changed", text
