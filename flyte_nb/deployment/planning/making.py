"""Make a plan: the difference between the session and a target."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flyte_nb.deployment.planning.differences import changes
from flyte_nb.deployment.planning.expectations import with_expectation
from flyte_nb.deployment.planning.plan import Action, Plan, Step
from flyte_nb.deployment.planning.removals import removal_steps
from flyte_nb.errors import did_you_mean
from flyte_nb.graph import ordered, waves

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.targets.protocol import Deployed

__all__ = ["make_plan"]

# A suggestion compares a name with all others; to look for more than these would make planning quadratic.
_HINTS = 20


def make_plan(
    target: str,
    names: Sequence[str],
    dependencies: Mapping[str, Collection[str]],
    bundles: Mapping[str, Bundle],
    deployed: Mapping[str, Deployed],
    *,
    problems: Mapping[str, str] | None = None,
    remarks: Mapping[str, tuple[str, ...]] | None = None,
    asked: Collection[str] = (),
    removable: Collection[str] | None = None,
    durations: Mapping[str, float] | None = None,
    max_concurrency: int | None = None,
) -> Plan:
    """Return the plan for `names`, which are given in the order of registration.

    Dependencies that are not among them are not defined: they and all that need them are blocked.

    Args:
        target: The name of the target.
        names: What is to be deployed, with all it depends on.
        dependencies: What each of `names` depends on. May have other names of the session, which are then not removed.
        bundles: Those of `names`, but for those with problems.
        deployed: What the target has.
        problems: Why some of `names` have no bundle, and what to do; they and all that need them are blocked.
        remarks: What deploying some of `names` there means that their definitions do not say.
        asked: Those of `names` that the user named; none means all.
        removable: What may be removed if the session does not define it; None if nothing is to be removed.
        durations: Seconds that environments took before.
        max_concurrency: How many can be deployed at once, if it is known.

    Raises:
        CircularDependencyError: The dependencies among `names` have a cycle.
    """
    steps = _session_steps(names, dependencies, bundles, deployed, problems or {}, durations or {})
    if remarks:
        steps = [replace(step, remarks=remarks[step.name]) if step.name in remarks else step for step in steps]
    if removable is not None:
        steps += removal_steps(steps, dependencies, deployed, removable)
    grouped = waves([step.name for step in steps], {step.name: step.depends_on for step in steps})
    plan = Plan(target, tuple(steps), tuple(map(tuple, grouped)), tuple(asked), removable is not None)
    return with_expectation(plan, max_concurrency)


def _session_steps(
    names: Sequence[str],
    dependencies: Mapping[str, Collection[str]],
    bundles: Mapping[str, Bundle],
    deployed: Mapping[str, Deployed],
    problems: Mapping[str, str],
    durations: Mapping[str, float],
) -> list[Step]:
    order = ordered(names, dependencies)
    defined = set(names)
    undefined = dict.fromkeys(d for name in names for d in dependencies[name] if d not in defined)
    blocked: set[str] = set(undefined)
    steps = [_undefined_step(name, names if at < _HINTS else ()) for at, name in enumerate(undefined)]
    for name in order:
        depends_on, old = tuple(dependencies[name]), deployed.get(name)
        needs = [d for d in depends_on if d in blocked]
        problem = problems.get(name) or (f"needs {', '.join(needs)}" if needs else "")
        if problem:
            blocked.add(name)
            steps.append(_blocked_step(name, depends_on, problem, bundles.get(name), old))
        else:
            steps.append(_step(bundles[name], depends_on, old, durations.get(name)))
    return steps


def _undefined_step(name: str, known: Sequence[str]) -> Step:
    hint = did_you_mean(name, known) or " Run the cell that defines it."
    return Step(name, Action.UNDEFINED, (), problem=f"is not defined.{hint}")


def _blocked_step(
    name: str, depends_on: tuple[str, ...], problem: str, new: Bundle | None, old: Deployed | None
) -> Step:
    fingerprint, deployed = new.fingerprint if new else "", old.fingerprint if old else ""
    return Step(name, Action.BLOCKED, depends_on, (), problem, fingerprint, deployed)


def _step(new: Bundle, depends_on: tuple[str, ...], old: Deployed | None, expected: float | None) -> Step:
    name, fingerprint = new.name, new.fingerprint
    if old is None:
        return Step(name, Action.CREATE, depends_on, (), "", fingerprint, "", expected)
    if old.fingerprint == fingerprint:
        return Step(name, Action.UNCHANGED, depends_on, (), "", fingerprint, old.fingerprint)
    return Step(name, Action.UPDATE, depends_on, changes(old, new), "", fingerprint, old.fingerprint, expected)
