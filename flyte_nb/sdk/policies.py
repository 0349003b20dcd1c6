"""The policies of tasks as objects of the SDK, and what a run says otherwise of a task that is deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flyte

from flyte_nb.model.policies import Cache

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyte_nb.model.policies import Backoff, RetryStrategy, Timeout

__all__ = ["overriding", "sdk_cache", "sdk_retries", "sdk_timeout"]

# What `Task.override` takes that changes nothing of a run.
_FOR_PEOPLE = ("description",)


def sdk_retries(retries: RetryStrategy) -> flyte.RetryStrategy:
    """Return `retries` as the SDK has them."""
    return flyte.RetryStrategy(retries.count, None if retries.backoff is None else _backoff(retries.backoff))


def sdk_timeout(timeout: Timeout) -> flyte.Timeout:
    """Return `timeout` as the SDK has it."""
    return flyte.Timeout(timeout.max_runtime, timeout.max_queued_time, timeout.deadline)


def sdk_cache(cache: Cache) -> flyte.Cache:
    """Return `cache` as the SDK has it."""
    return flyte.Cache(
        cache.behavior,
        version_override=cache.version_override,
        ignored_inputs=cache.ignored_inputs,
        salt=cache.salt,
        max_age=cache.max_age,
    )


def overriding(details: Any, policies: Mapping[str, Any], version: str) -> Any:
    """Return a deployed task with other policies.

    Args:
        details: The task, as the SDK has fetched it.
        policies: What is said otherwise of it, by name, as `Task.override` has it.
        version: What its code is called: results of "auto" are reused for as long as that is the same.
    """
    said = {name: value for name, value in policies.items() if name not in _FOR_PEOPLE and value is not None}
    if "retries" in said:
        said["retries"] = sdk_retries(said["retries"])
    if "timeout" in said:
        said["timeout"] = sdk_timeout(said["timeout"])
    if "cache" in said:
        said["cache"] = sdk_cache(_with_version(said["cache"], version))
    task = details.override(**said)
    if "timeout" in said and said["timeout"].max_runtime is None:
        task.pb2.spec.task_template.metadata.ClearField("timeout")  # for the SDK, none is as the version has it
    return task


def _with_version(cache: Cache, version: str) -> Cache:
    """Return `cache` with a version that says what "auto" means: the SDK works that out only where the code is."""
    if cache.behavior != "auto":
        return cache
    named = cache.version_override or "-".join(filter(None, (version, cache.salt)))
    return Cache("override", named, cache.ignored_inputs, cache.salt, cache.max_age)


def _backoff(backoff: Backoff) -> flyte.Backoff:
    return flyte.Backoff(backoff.base, backoff.factor, backoff.cap)
