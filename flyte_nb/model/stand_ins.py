"""Objects of others that stand for tasks and environments of the session, such as those of the Flyte SDK.

Their class has a method `__flyte_nb__` that gives what they stand for. It is looked up on the class: to be asked for an
attribute makes some objects do more than answer.
"""

from __future__ import annotations

from typing import Any

from flyte_nb.model.environment import TaskEnvironment
from flyte_nb.model.task import Task

__all__ = ["as_environment", "as_task"]


def as_task(value: object) -> Task[..., Any] | None:
    """Return the task that `value` is or stands for, or None."""
    meant = value if isinstance(value, Task) else _meant(value)
    return meant if isinstance(meant, Task) else None


def as_environment(value: object) -> TaskEnvironment | None:
    """Return the environment that `value` is or stands for, or None."""
    meant = value if isinstance(value, TaskEnvironment) else _meant(value)
    return meant if isinstance(meant, TaskEnvironment) else None


def _meant(value: object) -> object:
    for kind in type(value).__mro__:
        if "__flyte_nb__" in vars(kind):
            return vars(kind)["__flyte_nb__"](value)
    return None
