"""The key under which the result of a call is kept: which task, what it does, and what it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flyte_nb.errors import UncacheableGlobalError, UncacheableInputError
from flyte_nb.execution.caching.definitions import digest_of
from flyte_nb.execution.caching.encoding import UnhashableError, type_name

if TYPE_CHECKING:
    from flyte_nb.model.policies import Cache
    from flyte_nb.model.task import Task

__all__ = ["call_key", "task_version"]

# Of what is hashed and how; another one makes all that was kept unreachable.
_SCHEME = "flyte_nb 1"


def call_key(task: Task[..., Any], policy: Cache, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Return the key of a call whose arguments are known to fit the task, as 64 hexadecimal digits.

    Raises:
        UncacheableInputError: An input cannot be hashed.
        UncacheableGlobalError: Something that the code of the task uses cannot be hashed.
    """
    version = policy.version_override or task_version(task)
    bound = task.signature.bind(*args, **kwargs)
    bound.apply_defaults()
    inputs = [
        (name, _input_digest(task, name, value))
        for name, value in bound.arguments.items()
        if name not in policy.ignored_inputs
    ]
    stated = policy.version_override is not None
    return digest_of((_SCHEME, task.name, stated, version, policy.salt, inputs)).hex()


def task_version(task: Task[..., Any]) -> str:
    """Return the digest of the task's code and of all that it uses, as it is now, as 64 hexadecimal digits.

    Raises:
        UncacheableGlobalError: Something that the code uses cannot be hashed.
    """
    try:
        return digest_of(task.function).hex()
    except UnhashableError as error:
        raise UncacheableGlobalError(task.name, error.name, error.kind, error.reason) from None


def _input_digest(task: Task[..., Any], name: str, value: Any) -> bytes:
    try:
        return digest_of(value)
    except UnhashableError as error:
        raise UncacheableInputError(task.name, name, type_name(type(value)), error.kind, error.reason) from None
