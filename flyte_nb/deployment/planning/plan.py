"""What a deployment would do, and in which order, as frozen facts: seen before anything is done."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from flyte_nb.errors import DeploymentBlockedError

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["Action", "Change", "Plan", "Step"]


class Action(str, Enum):
    """What a deployment would do with one environment."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    REMOVE = "remove"
    BLOCKED = "blocked"
    UNDEFINED = "undefined"

    @property
    def is_work(self) -> bool:
        """Whether the target is asked to do something."""
        return self in (Action.CREATE, Action.UPDATE, Action.REMOVE)


@dataclass(frozen=True, slots=True)
class Change:
    """One part of an environment that differs from what is deployed; secrets are masked.

    Attributes:
        what: The field ("image"), the task ("ml-training.train_model"), or what else its code consists of.
        old: What is deployed, or None: the value of the field, the source, or the policies of the task.
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
        depends_on: The names that come before it. What is removed comes after all that is deployed with it.
        changes: What differs from what is deployed, for an update.
        problem: Why it is blocked, and what to do; otherwise empty.
        fingerprint: That of its bundle; empty if it has none.
        deployed: The fingerprint that the target has; empty if it has none.
        expected: Seconds that it took before, if the target is asked to do something and that is known.
        remarks: What deploying it there means that its definition does not say.
    """

    name: str
    action: Action
    depends_on: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    problem: str = ""
    fingerprint: str = ""
    deployed: str = ""
    expected: float | None = None
    remarks: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why it cannot be done, or else what there is to remark, in one line."""
        return self.problem or "; ".join(self.remarks)


@dataclass(frozen=True, slots=True)
class Plan:
    """What `deploy` would do, in the order it would start.

    Attributes:
        target: The name of the target.
        steps: One for each environment, and for each name that is not defined, in order.
        waves: The names grouped by how many environments must come before them.
        names: The environments that were asked for; none means all.
        prune: Whether what is deployed and no longer defined is removed.
        expected_duration: Seconds that it is expected to take; None if nothing is known or nothing is to do.
        critical_path: Of what is to do, the names that take longest one after the other.
    """

    target: str
    steps: tuple[Step, ...]
    waves: tuple[tuple[str, ...], ...]
    names: tuple[str, ...] = ()
    prune: bool = False
    expected_duration: float | None = None
    critical_path: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = (
            f"{step.action.value:10} {step.name}{f'  {step.reason}' if step.reason else ''}" for step in self.steps
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

    def raise_if_blocked(self) -> None:
        """Raise DeploymentBlockedError if there is a step that cannot be taken."""
        if self.blocked:
            raise DeploymentBlockedError({step.name: step.problem for step in self.blocked})

    def to_json(self) -> str:
        """Return the plan as JSON text; `from_json` reads it."""
        from flyte_nb.deployment.planning.saved_plans import plan_to_json

        return plan_to_json(self)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Return the plan that `to_json` gave as `text`.

        Raises:
            SavedPlanError: It is something else, or of a newer flyte_nb.
        """
        from flyte_nb.deployment.planning.saved_plans import plan_from_json

        return plan_from_json(text)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the plan to a file, to be applied later, all at once or not at all.

        Raises:
            SavedPlanError: The file cannot be written.
        """
        from flyte_nb.deployment.planning.saved_plans import save_plan

        save_plan(self, path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Plan:
        """Return the plan that was saved to a file.

        Raises:
            SavedPlanError: The file cannot be read, holds something else, or is of a newer flyte_nb.
        """
        from flyte_nb.deployment.planning.saved_plans import load_plan

        return load_plan(path)
