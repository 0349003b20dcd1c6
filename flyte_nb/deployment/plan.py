"""What a deployment would do, and in which order: the difference between the session and a target."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flyte_nb.errors import did_you_mean
from flyte_nb.graph import ordered, waves
from flyte_nb.masking import MASK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.targets.protocol import Deployed

__all__ = ["Action", "Change", "Plan", "Step", "make_plan"]

# A suggestion compares a name with all others; to look for more than these would make planning quadratic.
_HINTS = 20


class Action(str, Enum):
    """What a deployment would do with one environment."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    REMOVE = "remove"
    BLOCKED = "blocked"
    UNDEFINED = "undefined"


@dataclass(frozen=True, slots=True)
class Change:
    """One field or task that differs from what is deployed; secrets are masked.

    Attributes:
        what: The field ("image") or task ("ml-training.train_model").
        old: What is deployed, or None.
        new: What would be deployed, or None.
    """

    what: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Step:
    """One environment of a plan.

    Attributes:
        name: The environment, or a name that is depended on and not defined.
        action: What would be done with it.
        depends_on: The names that come before it.
        changes: What differs from what is deployed, for an update.
        problem: Why it is blocked, and what to do; otherwise empty.
        expected: How many seconds it takes by what earlier deployments took; None if that is not known.
    """

    name: str
    action: Action
    depends_on: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    problem: str = ""
    expected: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What `deploy` would do, in the order it would start.

    Attributes:
        target: The name of the target.
        steps: One for each environment, and for each name that is not defined, in order.
        waves: The names grouped by how many environments must come before them.
        names: What was asked for; none means all.
        prune: Whether what is deployed and not defined is removed.
        expected_duration: How many seconds it takes by what earlier deployments took; None if that is not known.
        critical_path: The names that make it take so long.
    """

    target: str
    steps: tuple[Step, ...]
    waves: tuple[tuple[str, ...], ...]
    names: tuple[str, ...] = ()
    prune: bool = False
    expected_duration: float | None = None
    critical_path: tuple[str, ...] = ()

    def save(self, path: str) -> None:
        """Write the plan to a file."""
        Path(path).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @staticmethod
    def load(path: str) -> Plan:
        """Read a plan that was saved."""
        saved = json.loads(Path(path).read_text(encoding="utf-8"))
        steps = tuple(
            Step(**{**step, "action": Action(step["action"]), "changes": tuple(Change(**c) for c in step["changes"])})
            for step in saved["steps"]
        )
        return Plan(**{**saved, "steps": steps})

    def __str__(self) -> str:
        lines = (
            f"{step.action.value:10} {step.name}{f'  {step.problem}' if step.problem else ''}" for step in self.steps
        )
        return "\n".join([f"plan for target {self.target}:", *lines])

    @property
    def order(self) -> list[str]:
        """The names in the order of deployment, without those that are not defined."""
        return [step.name for step in self.steps if step.action is not Action.UNDEFINED]

    @property
    def actions(self) -> dict[str, str]:
        """What would be done, by name."""
        return {step.name: step.action.value for step in self.steps}

    @property
    def blocked(self) -> tuple[Step, ...]:
        """The steps that cannot be taken; a plan with any is refused by `deploy`."""
        return tuple(step for step in self.steps if step.action in (Action.BLOCKED, Action.UNDEFINED))


def make_plan(
    target: str,
    names: Sequence[str],
    dependencies: Mapping[str, tuple[str, ...]],
    bundles: Mapping[str, Bundle],
    deployed: Mapping[str, Deployed],
) -> Plan:
    """Return the plan for `names`, which are given in the order of registration.

    Dependencies that have no bundle are not defined: they and all that need them are blocked.
    """
    order = ordered(names, dependencies)
    undefined = dict.fromkeys(d for name in names for d in dependencies[name] if d not in bundles)
    blocked: set[str] = set(undefined)
    steps = [_undefined_step(name, names if at < _HINTS else ()) for at, name in enumerate(undefined)]
    for name in order:
        needs = [d for d in dependencies[name] if d in blocked]
        if needs:
            blocked.add(name)
            problem = f"needs {', '.join(needs)}"
            steps.append(Step(name, Action.BLOCKED, dependencies[name], problem=problem))
        else:
            steps.append(_step(bundles[name], dependencies[name], deployed.get(name)))
    grouped = waves([*undefined, *order], dependencies)
    return Plan(target, tuple(steps), tuple(tuple(wave) for wave in grouped))


def _undefined_step(name: str, known: Sequence[str]) -> Step:
    hint = did_you_mean(name, known) or " Run the cell that defines it."
    return Step(name, Action.UNDEFINED, (), problem=f"is not defined.{hint}")


def _step(new: Bundle, depends_on: tuple[str, ...], old: Deployed | None) -> Step:
    if old is None:
        return Step(new.name, Action.CREATE, depends_on)
    if old.fingerprint == new.fingerprint:
        return Step(new.name, Action.UNCHANGED, depends_on)
    return Step(new.name, Action.UPDATE, depends_on, _changes(old, new))


def _changes(old: Deployed, new: Bundle) -> tuple[Change, ...]:
    before, after = dict(old.specification), dict(new.specification)
    tasks = _task_changes(before.pop("tasks", {}), after.pop("tasks", {}), old.sources, new.sources)
    fields = [
        Change(key, before.get(key), after.get(key)) for key in {**before, **after} if before.get(key) != after.get(key)
    ]
    return (*fields, *tasks) or _hidden_changes(old, new)


def _hidden_changes(old: Deployed, new: Bundle) -> tuple[Change, ...]:
    """Return the fields with masked values: where nothing visible differs, it was one of those."""
    fields = new.specification.items()
    hidden = tuple(Change(key, old.specification.get(key), value) for key, value in fields if MASK in repr(value))
    return hidden or (Change("fingerprint", old.fingerprint, new.fingerprint),)


def _task_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], old: Mapping[str, str], new: Mapping[str, str]
) -> list[Change]:
    return [
        Change(name, old.get(name), new.get(name))
        for name in {**old, **new}
        if (before.get(name), old.get(name)) != (after.get(name), new.get(name))
    ]
