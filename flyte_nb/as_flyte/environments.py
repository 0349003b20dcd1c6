"""Environments as the SDK constructs them, which are those of the session."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from flyte_nb.as_flyte.images import Image, kept_image
from flyte_nb.as_flyte.tasks import SdkTask
from flyte_nb.as_flyte.values import Kept
from flyte_nb.errors import InvalidTypeError
from flyte_nb.model import TaskEnvironment as Environment
from flyte_nb.model.home import home
from flyte_nb.model.spec import EnvironmentSpec
from flyte_nb.model.task import POLICIES, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Documentation", "Environment", "TaskEnvironment"]

# What a task has as its environment says, unless it says the opposite.
_INHERITED = ("interruptible",)
_FIELDS = frozenset(field.name for field in fields(EnvironmentSpec)) - {"flyte_options"}


@dataclass(frozen=True)
class Documentation:
    """What a task is for, in full."""

    description: str


class TaskEnvironment(Environment):
    """An environment of the session, constructed as the SDK constructs one."""

    __slots__ = ()

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **_for_environment(name, options))

    def clone_with(self, name: str, **changes: Any) -> TaskEnvironment:
        """Define a variation of this environment; as in the SDK, None leaves a field as it is."""
        given = _for_environment(name, changes)
        kept = {key: value for key, value in self.flyte_options.items() if key not in given}
        given["flyte_options"] = {**kept, **given["flyte_options"]}
        return TaskEnvironment.of(super().clone_with(name, **given).spec)

    @classmethod
    def of(cls, spec: EnvironmentSpec) -> TaskEnvironment:
        """Return a handle to the environment that `spec` defined, without defining it again."""
        handle = super().of(spec)
        assert isinstance(handle, cls)  # noqa: S101 - for the type
        return handle

    def task(
        self, function: Callable[..., Any] | None = None, *, docs: Documentation | None = None, **policies: Any
    ) -> Any:
        """Make a function a task of this environment; use it bare or with the SDK's keywords."""
        if function is not None:
            return super().task(function)
        given = {
            key: value
            for key, value in policies.items()
            if value not in (None, False, ()) or (value is False and key in _INHERITED)
        }
        known, options = _split(given, POLICIES)
        return super().task(**known, description=_description(docs), flyte_options=options)

    def _attach(self, function: Any, policies: dict[str, Any]) -> Task[..., Any]:
        task: Task[..., Any] = SdkTask(function, self.name, **policies)
        home().attach(task)
        return task


def _for_environment(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an environment, with what is none of them, or more than that, under `flyte_options`."""
    given = {key: value for key, value in options.items() if value is not None}
    if isinstance(image := given.get("image"), Image):
        given["image"] = kept_image(image, name)
    known, others = _split(given, _FIELDS)
    return {**known, "flyte_options": others}


def _split(given: Mapping[str, Any], fields_here: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the model has a field for, and what it has none for."""
    known = {
        key: value.plain if isinstance(value, Kept) else value for key, value in given.items() if key in fields_here
    }
    whole = {key: value.whole if isinstance(value, Kept) else value for key, value in given.items()}
    return known, {key: value for key, value in whole.items() if key not in fields_here or value is not given[key]}


def _description(docs: object) -> str | None:
    if docs is None:
        return None
    description = getattr(docs, "description", None)  # the SDK's own object will do
    if not isinstance(description, str):
        raise InvalidTypeError("env.task.docs", docs, "Documentation", 'docs=flyte.Documentation(description="...")')
    return description
