"""What environments and tasks of the SDK say, in the terms of the model.

What the model has no field for is kept under `flyte_options`, by the SDK's own name. So is a field that the model can
hold only in part: the model's own then says what of it counts in this process, and the option what goes to a cluster.
"""

from __future__ import annotations

import inspect
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any

import flyte

from flyte_nb.errors import InvalidTypeError, InvalidValueError
from flyte_nb.model.policies import Backoff, Cache, RetryStrategy, Timeout
from flyte_nb.model.resources import Resources
from flyte_nb.model.secret import Secret
from flyte_nb.model.spec import EnvironmentSpec
from flyte_nb.model.task import Task
from flyte_nb.model.written import Name
from flyte_nb.sdk.objects.images import constructed_image, plain_image, sdk_image

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["is_function_task", "specification_of", "task_of"]

_NOTHING: Any = object()
_READ = ("name", "depends_on", "image", "resources", "description", "env_vars", "secrets", "cache", "interruptible")
_OF_TASKS = ("short_name", "cache", "retries", "timeout", "docs")


def specification_of(environment: Any) -> EnvironmentSpec:
    """Return what an environment of the SDK says; its dependencies by name, each once.

    Raises:
        InvalidTypeError: A field has a value that the SDK takes, and that can mean nothing.
        InvalidValueError: Likewise.
    """
    image, whole_image = _image(environment.image, environment.name)
    resources, whole_resources = _resources(environment.resources)
    cache, whole_cache = _cache(environment.cache)
    kept = {"image": whole_image, "resources": whole_resources, "cache": whole_cache}
    options = {name: value for name, value in kept.items() if value is not _NOTHING}
    return EnvironmentSpec.checked(
        environment.name,
        image=image,
        resources=resources,
        depends_on=dict.fromkeys(each.name for each in environment.depends_on),
        description=environment.description,
        env_vars=environment.env_vars,
        secrets=_secrets(environment.secrets),
        cache=cache,
        interruptible=environment.interruptible,
        flyte_options={**options, **dict(_other_fields(environment))},
    )


def is_function_task(task: object) -> bool:
    """Say whether a task of the SDK is a Python function: others, such as a container, run on a cluster only."""
    return inspect.isfunction(getattr(task, "func", None))


def task_of(task: Any, environment: Any) -> Task[..., Any]:
    """Return a task of the SDK, which `is_function_task`, as a task of the model.

    Raises:
        InvalidTypeError: What it says means nothing.
        InvalidValueError: Likewise.
    """
    options = dict(_other_policies(task, environment))
    cache, whole_cache = _cache(task.cache)
    is_own = (cache, whole_cache) != _cache(environment.cache)
    if is_own and whole_cache is not _NOTHING:
        options["cache"] = whole_cache
    return Task(
        task.func,
        environment.name,
        short_name=task.short_name,
        retries=_retries(task.retries),
        timeout=_timeout(task.timeout),
        cache=cache if is_own else None,
        description=None if task.docs is None else task.docs.description,
        flyte_options=options,
    )


def _image(image: Any, environment: str) -> tuple[Any, Any]:
    plain = plain_image(image)
    if image is None:
        return plain, None
    if sdk_image(plain, environment) == image:
        return plain, _NOTHING
    return plain, constructed_image(image) or image


def _resources(resources: Any) -> tuple[Resources | None, Any]:
    if resources is None:
        return None, _NOTHING
    said = {field.name: getattr(resources, field.name) for field in fields(Resources)}
    gpu = said["gpu"]
    if gpu is None or isinstance(gpu, int | str):
        try:
            return Resources(**said), _NOTHING
        except (InvalidTypeError, InvalidValueError):
            # If that is what is wrong: a device that is newer than this library.
            return Resources(**{**said, "gpu": None}), resources
    try:
        plain = Resources(**{**said, "gpu": f"{gpu.device}:{gpu.quantity}" if gpu.device else gpu.quantity})
    except InvalidValueError:
        plain = Resources(**{**said, "gpu": None})
    return plain, resources


def _cache(cache: Any) -> tuple[Cache, Any]:
    known = flyte.Cache(behavior=cache) if isinstance(cache, str) else cache
    ignored = known.ignored_inputs
    said = {
        "behavior": known.behavior,
        "version_override": known.version_override,
        "ignored_inputs": (ignored,) if isinstance(ignored, str) else tuple(ignored),
        "salt": known.salt,
        "max_age": getattr(known, "max_age", None),  # of newer SDKs
    }
    versioned = known.behavior != "override" or known.version_override is not None
    plain = Cache(**said) if versioned else Cache(**{**said, "behavior": "auto"})
    more = {"serialize": known.serialize, "policies": _own_policies(known)}
    if versioned and not any(more.values()):
        return plain, _NOTHING
    given = {name: value for name, value in {**said, **more}.items() if value not in (None, "", (), [], False)}
    return plain, Name("flyte.Cache")(**given)


def _own_policies(cache: Any) -> list[Any]:
    """Return the policies by which the user wants results to be versioned, if not the SDK's own."""
    policies = cache.policies if isinstance(cache.policies, list) else [cache.policies] if cache.policies else []
    own = flyte.Cache(behavior="auto").policies
    is_own = [type(each) for each in policies] == [type(each) for each in own or ()]
    return [] if is_own else list(policies)


def _secrets(secrets: Any) -> list[Secret] | None:
    if secrets is None:
        return None
    each = secrets if isinstance(secrets, list | tuple) else [secrets]
    return [
        Secret(one) if isinstance(one, str) else Secret(one.key, one.group, one.mount, one.as_env_var) for one in each
    ]


def _retries(retries: Any) -> int | RetryStrategy:
    if isinstance(retries, int):
        return retries
    waits = retries.backoff
    return RetryStrategy(retries.count, None if waits is None else Backoff(waits.base, waits.factor, waits.cap))


def _timeout(timeout: Any) -> Any:
    if isinstance(timeout, flyte.Timeout):
        return Timeout(timeout.max_runtime, timeout.max_queued_time, timeout.deadline)
    return timeout or 0


def _other_fields(environment: Any) -> Iterator[tuple[str, Any]]:
    """Yield what else an environment says that it would not say by itself."""
    for field in fields(environment):
        if not field.init or field.name in _READ:
            continue
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        if (value := getattr(environment, field.name)) != default:
            yield field.name, value


def _other_policies(task: Any, environment: Any) -> Iterator[tuple[str, Any]]:
    """Yield what else a task says that its environment does not, and that it would not say by itself."""
    for name, parameter in inspect.signature(flyte.TaskEnvironment.task).parameters.items():
        if name in ("self", "_func", *_OF_TASKS) or not hasattr(task, name):
            continue
        inherited = getattr(environment, name, parameter.default)
        if (value := getattr(task, name)) not in (inherited, parameter.default):
            yield name, value
