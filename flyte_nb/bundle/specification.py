"""An environment's fields and the policies of its tasks as JSON: the same for equal values in every process."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.objects import attributes
from flyte_nb.masking import masked, without_credentials
from flyte_nb.model.image import Image
from flyte_nb.model.policies import Cache, RetryStrategy, Timeout
from flyte_nb.model.resources import Resources
from flyte_nb.model.task import POLICIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.model.task import Task

__all__ = ["specification", "storable"]

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def specification(
    spec: EnvironmentSpec, dependencies: Iterable[str], tasks: Mapping[str, Task[..., Any]]
) -> dict[str, Any]:
    """Return all that was said about an environment and its tasks, secrets included, in terms of JSON."""
    said: dict[str, Any] = _plain(spec)
    said["depends_on"] = sorted(dependencies)
    said["tasks"] = {name: _policies(task) for name, task in sorted(tasks.items())}
    return said


def storable(specification: dict[str, Any]) -> dict[str, Any]:
    """Return `specification` without secrets; references to a store's secrets are none."""
    kept: dict[str, Any] = without_credentials(specification)
    for part in (kept, kept["image"]):
        if isinstance(part, dict) and "env_vars" in part:
            part["env_vars"] = masked(part["env_vars"])
    for part in kept["tasks"].values():
        if "flyte_options" in part:
            part["flyte_options"] = masked(part["flyte_options"])
    return {**kept, "flyte_options": masked(kept["flyte_options"])}


def _policies(task: Task[..., Any]) -> dict[str, Any]:
    said = {name: _plain(getattr(task, name)) for name in POLICIES}
    if task.flyte_options:
        said["flyte_options"] = _plain(task.flyte_options)
    if task.is_async != inspect.iscoroutinefunction(inspect.unwrap(task.function)):
        said["is_async"] = task.is_async  # by a decorator, and so not by what is written
    return said


@lru_cache(maxsize=1024)
def _plain_policy(value: Any) -> dict[str, Any]:
    """Return what `_plain` does; most environments and tasks have the same few."""
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Cache | Resources | RetryStrategy | Timeout):
        return _plain_policy(value)
    if is_dataclass(value) and not isinstance(value, type):
        content = {field.name: getattr(value, field.name) for field in fields(value)}
        if isinstance(value, Image):
            content["env_vars"] = dict(value.env_vars)
        return _plain(content)
    if isinstance(value, Mapping):
        return {str(key): _plain(content) for key, content in sorted(value.items(), key=lambda item: str(item[0]))}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(entry) for entry in value), key=repr)
    return _plain_object(value)


def _plain_object(value: Any) -> Any:
    if (given := attributes(value)) is not None:
        return {"type": type(value).__qualname__, **_plain(given)}
    if "__repr__" not in {name for kind in type(value).__mro__[:-1] for name in vars(kind)}:
        # The default repr is an address, which differs from process to process.
        return {"type": type(value).__qualname__, **_plain(getattr(value, "__dict__", {}))}
    return _ADDRESS.sub("", repr(value))
