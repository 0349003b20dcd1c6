"""Objects of the SDK that a notebook has defined, as parts of the session: calls of tasks are tracked runs.

They stay what they are, and the SDK runs and deploys them as ever. Only their class is another, one that inherits from
theirs; what is pickled, or copied for a pod, has the SDK's own again.
"""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import flyte

from flyte_nb.model.environment import TaskEnvironment
from flyte_nb.model.home import home
from flyte_nb.sdk.objects.reading import specification_of, task_of

if TYPE_CHECKING:
    from flyte_nb.model.task import Task

__all__ = ["follow", "leave"]

# What the SDK's `override` takes of what a task of the session has no policy for.
_ON_CLUSTERS = ("resources", "env_vars", "secrets", "service_account", "queue", "max_inline_io_bytes")
_TASK = "_flyte_nb_task"  # among the attributes of an object; never pickled


def follow(theirs: Any, task: Task[..., Any] | None = None) -> None:
    """Make an environment of the SDK, or a task, stand for that of the session.

    Args:
        theirs: The object.
        task: Which task it stands for; None if it is an environment.
    """
    if not _is_followed(theirs):
        own: Any = type(theirs)
        theirs.__class__ = _followed(own, is_task=task is not None)
    if task:
        vars(theirs)[_TASK] = task


def leave(theirs: Any) -> None:
    """Make `theirs` what it was before it was followed."""
    if _is_followed(theirs):
        vars(theirs).pop(_TASK, None)
        theirs.__class__ = _own_class(theirs)


def _is_followed(theirs: object) -> bool:
    return "__flyte_nb__" in vars(type(theirs))


def _own_class(followed: object) -> Any:
    return type(followed).__base__


@cache
def _followed(kind: Any, *, is_task: bool) -> type:
    """Return a class that differs from `kind` in methods only: an object can become one."""
    names = {name: getattr(kind, name) for name in ("__module__", "__qualname__", "__doc__")}
    methods = _OF_TASKS if is_task else _OF_ENVIRONMENTS
    return type(kind.__name__, (kind,), {**names, "__reduce_ex__": _reduce, **methods})


# The methods


def _reduce(self: Any, protocol: Any) -> Any:
    plain: Any = object.__new__(_own_class(self))
    plain.__dict__.update({name: value for name, value in vars(self).items() if name != _TASK})
    # Not as `object.__reduce_ex__` says it: pickle refuses to make something of another class than it was given.
    return object.__new__, (type(plain),), plain.__reduce_ex__(protocol)[2]


def _environment_meant(self: Any) -> TaskEnvironment:
    return TaskEnvironment.of(home().spec(self.name) or specification_of(self))


def _task_meant(self: Any) -> Task[..., Any]:
    if _TASK not in vars(self):  # of what `override` gave
        vars(self)[_TASK] = _overridden(self)
    task: Task[..., Any] = vars(self)[_TASK]
    return task


def _call(self: Any, *args: Any, **kwargs: Any) -> Any:
    __tracebackhide__ = True
    if flyte.ctx():  # in a run of the SDK's own
        return _own_class(self).__call__(self, *args, **kwargs)
    return _task_meant(self)(*args, **kwargs)


async def _aio(self: Any, *args: Any, **kwargs: Any) -> Any:
    __tracebackhide__ = True
    if flyte.ctx():
        return await _own_class(self).aio(self, *args, **kwargs)
    return await _task_meant(self).aio(*args, **kwargs)


_OF_ENVIRONMENTS = {"__flyte_nb__": _environment_meant}
_OF_TASKS = {"__flyte_nb__": _task_meant, "__call__": _call, "aio": _aio}


def _overridden(theirs: Any) -> Task[..., Any]:
    """Return the task of which `theirs` is a copy with other policies, with those."""
    environment = theirs.parent_env() if theirs.parent_env else None
    said = task_of(theirs, environment or SimpleNamespace(name=theirs.parent_env_name, cache="disable"))
    task = home().tasks(said.environment).get(said.name)
    if task is None or task.function is not said.function:
        return said
    changed = {
        name: value
        for name in ("short_name", "retries", "timeout", "cache")
        if (value := getattr(said, name)) != getattr(task, name)
    }
    overridden = task.override(**changed)
    overridden.cluster_policies = _other_policies(theirs, environment)
    return overridden


def _other_policies(theirs: Any, environment: Any) -> dict[str, Any]:
    """Return what a copy of a task says otherwise that only a cluster applies."""
    original = environment.tasks.get(theirs.name) if environment is not None else None
    return {
        name: getattr(theirs, name)
        for name in _ON_CLUSTERS
        if hasattr(theirs, name) and getattr(theirs, name) != getattr(original, name, None)
    }
