"""The key under which the result of a call is kept: which task, what it does, and what it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flyte_nb.errors import InvalidArgumentsError, UncacheableGlobalError, UncacheableInputError
from flyte_nb.execution.caching.definitions import digest_of
from flyte_nb.execution.caching.encoding import UnhashableError, type_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from inspect import Signature

    from flyte_nb.model.policies import Cache
    from flyte_nb.model.task import Task

__all__ = ["call_key", "deployed_key", "inputs_digest", "task_version"]

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
    inputs = _digests(task.name, bound.arguments, policy.ignored_inputs)
    stated = policy.version_override is not None
    return digest_of((_SCHEME, task.name, stated, version, policy.salt, inputs)).hex()


def deployed_key(task: str, version: str, policy: Cache, inputs: str) -> str:
    """Return the key of a call of a deployed task, as 64 hexadecimal digits.

    Args:
        task: The full name of the task.
        version: What tells the versions of all that it may use from others.
        policy: How its results are reused.
        inputs: From `inputs_digest`.
    """
    stated = policy.version_override is not None
    return digest_of((_SCHEME, "deployed", task, stated, policy.version_override or version, policy.salt, inputs)).hex()


def inputs_digest(
    task: str, signature: Signature, ignored: Collection[str], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> str:
    """Return the digest of the arguments of a call of a deployed task, as 64 hexadecimal digits.

    What is not given has the default of the version that runs, which is a part of that version.

    Args:
        task: The full name of the task.
        signature: That of the version that runs.
        ignored: The parameters that make no difference.
        args: The arguments.
        kwargs: The arguments by name.

    Raises:
        UncacheableInputError: An input cannot be hashed.
        InvalidArgumentsError: They do not fit the version that runs.
    """
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise InvalidArgumentsError(task, str(error), str(signature)) from None
    return digest_of(_digests(task, bound.arguments, ignored)).hex()


def task_version(task: Task[..., Any]) -> str:
    """Return the digest of the task's code and of all that it uses, as it is now, as 64 hexadecimal digits.

    Raises:
        UncacheableGlobalError: Something that the code uses cannot be hashed.
    """
    try:
        return digest_of(task.function).hex()
    except UnhashableError as error:
        raise UncacheableGlobalError(task.name, error.name, error.kind, error.reason) from None


def _digests(task: str, given: Mapping[str, Any], ignored: Collection[str]) -> list[tuple[str, bytes]]:
    return [(name, _input_digest(task, name, value)) for name, value in given.items() if name not in ignored]


def _input_digest(task: str, name: str, value: Any) -> bytes:
    try:
        return digest_of(value)
    except UnhashableError as error:
        raise UncacheableInputError(task, name, type_name(type(value)), error.kind, error.reason) from None
