"""Whether a plan that was saved is still what would be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.deployment.planning.plan import Action, Plan, Step
from flyte_nb.errors import InvalidValueError, PlanOutdatedError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["verify"]


def verify(saved: Plan, current: Plan) -> None:
    """Return if `current`, made now for what `saved` was made for, does the same with the same; otherwise raise.

    Raises:
        PlanOutdatedError: The session or the target has changed since; a secret that is not shown counts too.
        InvalidValueError: `current` was made for something else: other names, another target, or other pruning.
    """
    for asked, now in ((saved.target, current.target), (saved.names, current.names), (saved.prune, current.prune)):
        if asked != now:
            raise InvalidValueError("plan", asked, f"is what it was made for, not {now!r}", "Plan.load(path)")
    session, undefined = _differing(saved, current, _of_session), _undefined(saved, current)
    # What the target has of environments that are not defined is not part of a plan.
    target = [name for name in _differing(saved, current, _of_target) if name not in undefined]
    if session or target:
        raise PlanOutdatedError(session, target, undefined)


def _differing(saved: Plan, current: Plan, side: Callable[[Step], object]) -> list[str]:
    before = {step.name: side(step) for step in saved.steps}
    after = {step.name: side(step) for step in current.steps}
    return [name for name in {**before, **after} if before.get(name) != after.get(name)]


def _undefined(saved: Plan, current: Plan) -> list[str]:
    """Return the names that the session defined for `saved` and does not define now."""
    missing = (Action.UNDEFINED, Action.REMOVE)
    defined = {step.name for step in current.steps if step.action not in missing}
    return [step.name for step in saved.steps if step.action not in missing and step.name not in defined]


def _of_session(step: Step) -> object:
    """Return what the session has to do with `step`; None if it does not know the environment."""
    if step.action is Action.REMOVE:
        return None
    return step.fingerprint, frozenset(step.depends_on), step.action is Action.BLOCKED


def _of_target(step: Step) -> object:
    """Return what the target has to do with `step`; None if it does not have the environment."""
    if step.action is Action.REMOVE:
        return step.deployed, frozenset(step.depends_on)
    return step.deployed or None
