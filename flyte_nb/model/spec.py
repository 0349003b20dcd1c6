"""What was said about an environment when it was constructed: a checked, frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flyte_nb.errors import CircularDependencyError, InvalidTypeError
from flyte_nb.model.image import Image, check_image
from flyte_nb.model.names import check_env_vars, check_environment_name
from flyte_nb.model.options import check_flyte_options
from flyte_nb.model.policies import Cache, as_cache
from flyte_nb.model.resources import Resources
from flyte_nb.model.secret import Secret, as_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EnvironmentSpec", "dependency_names"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class EnvironmentSpec:
    """The frozen specification of one environment; `depends_on` are names."""

    name: str
    image: str | Image = "auto"
    resources: Resources | None = None
    depends_on: tuple[str, ...] = ()
    description: str | None = None
    env_vars: Mapping[str, str] = field(default_factory=lambda: _NOTHING, repr=False)
    secrets: tuple[Secret, ...] = ()
    cache: Cache = field(default_factory=lambda: as_cache("TaskEnvironment.cache", "disable"))
    interruptible: bool = False
    flyte_options: Mapping[str, Any] = field(default_factory=lambda: _NOTHING, repr=False)

    @classmethod
    def checked(cls, name: object, **fields: Any) -> EnvironmentSpec:
        """Return the specification that `fields`, as a user gives them, amount to.

        Raises:
            InvalidTypeError: A field has a value of the wrong type.
            InvalidValueError: A field has a value that means nothing.
            CircularDependencyError: The environment depends on itself.
        """
        checked_name = check_environment_name(name)
        values = {key: _CHECKS[key](value) for key, value in fields.items()}
        if checked_name in values.get("depends_on", ()):
            raise CircularDependencyError([checked_name, checked_name])
        return cls(checked_name, **values)


def dependency_names(label: str, value: object) -> tuple[str, ...]:
    """Return the names that `value`, an iterable of environments or names, stands for, each once, in order."""
    example = "depends_on=[base_env]"
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise InvalidTypeError(label, value, "a list of environments or names", example)
    names: dict[str, None] = {}
    for entry in value:
        name = entry if isinstance(entry, str) else getattr(entry, "name", None)
        if not isinstance(name, str):
            raise InvalidTypeError(label, entry, "a list of environments or names", example)
        names[check_environment_name(name)] = None
    return tuple(names)


def _check_resources(value: object) -> Resources | None:
    if value is not None and not isinstance(value, Resources):
        raise InvalidTypeError("TaskEnvironment.resources", value, "Resources", 'Resources(cpu="1", memory="2Gi")')
    return value


def _check_description(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise InvalidTypeError("TaskEnvironment.description", value, "text", 'description="shared helpers"')
    return value


def _check_env_vars(value: Any) -> Mapping[str, str]:
    return _NOTHING if value is None else MappingProxyType(check_env_vars("TaskEnvironment.env_vars", value))


def _check_interruptible(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidTypeError("TaskEnvironment.interruptible", value, "True or False", "interruptible=True")
    return value


_CHECKS: dict[str, Any] = {
    "image": check_image,
    "resources": _check_resources,
    "depends_on": lambda value: dependency_names("TaskEnvironment.depends_on", value),
    "description": _check_description,
    "env_vars": _check_env_vars,
    "secrets": lambda value: as_secrets("TaskEnvironment.secrets", value),
    "cache": lambda value: as_cache("TaskEnvironment.cache", value),
    "interruptible": _check_interruptible,
    "flyte_options": lambda value: check_flyte_options(
        "TaskEnvironment.flyte_options", value, 'flyte_options={"queue": "gpu"}'
    ),
}
