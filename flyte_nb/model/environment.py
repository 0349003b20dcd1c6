"""The task environment as the user holds it: a handle to whatever its name means now."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from flyte_nb.errors import InvalidValueError, did_you_mean
from flyte_nb.model.home import home
from flyte_nb.model.options import copied_options
from flyte_nb.model.spec import EnvironmentSpec, dependency_names
from flyte_nb.model.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import timedelta

    from flyte_nb.model.image import Image
    from flyte_nb.model.policies import Cache, RetryStrategy, Timeout
    from flyte_nb.model.resources import Resources
    from flyte_nb.model.secret import Secret

__all__ = ["TaskEnvironment"]

P = ParamSpec("P")
R = TypeVar("R")

# What `clone_with(field=None)` resets a field to, where that is not None itself.
_RESET: dict[str, Any] = {
    "image": "auto",
    "depends_on": (),
    "cache": "disable",
    "interruptible": False,
}
_FIELDS = tuple(field.name for field in fields(EnvironmentSpec) if field.name != "name")


class TaskEnvironment:
    """What a group of tasks needs to run, and which environments are to be deployed before it.

    Constructing one defines its name in the session. The name is the identity: two objects of one name are equal,
    and every object shows what the name means now, so none is ever stale. An object whose name is no longer defined
    shows what it was constructed with.

    `depends_on` orders deployment and nothing else; it takes environments or names, and a name may be defined later.

    Raises:
        InvalidTypeError: A field has a value of the wrong type (also a `TypeError`).
        InvalidValueError: A field has a value that means nothing (also a `ValueError`).
        CircularDependencyError: The definition would close a cycle; nothing was changed.
    """

    __slots__ = ("_name", "_origin")

    def __init__(
        self,
        name: str,
        *,
        image: str | Image = "auto",
        resources: Resources | None = None,
        depends_on: Iterable[TaskEnvironment | str] = (),
        description: str | None = None,
        env_vars: Mapping[str, str] | None = None,
        secrets: str | Secret | Iterable[str | Secret] | None = None,
        cache: str | Cache = "disable",
        interruptible: bool = False,
        flyte_options: Mapping[str, Any] | None = None,
    ) -> None:
        self._origin = EnvironmentSpec.checked(
            name,
            image=image,
            resources=resources,
            depends_on=depends_on,
            description=description,
            env_vars=env_vars,
            secrets=secrets,
            cache=cache,
            interruptible=interruptible,
            flyte_options=flyte_options,
        )
        self._name = self._origin.name
        home().define(self._origin)

    @classmethod
    def of(cls, spec: EnvironmentSpec) -> TaskEnvironment:
        """Return a handle to the environment that `spec` defined, without defining it again."""
        handle = cls.__new__(cls)
        handle._name, handle._origin = spec.name, spec  # noqa: SLF001 - an alternate constructor
        return handle

    @property
    def spec(self) -> EnvironmentSpec:
        """The definition that the name has now."""
        return home().spec(self._name) or self._origin

    @property
    def name(self) -> str:
        """The name, which is the identity."""
        return self._name

    @property
    def image(self) -> str | Image:
        """The container image, as it was given."""
        return self.spec.image

    @property
    def resources(self) -> Resources | None:
        """What a task may use, or None for the target's default."""
        return self.spec.resources

    @property
    def depends_on(self) -> tuple[str, ...]:
        """The names to deploy before this one, including those that were added later."""
        return home().dependencies(self._name) if home().spec(self._name) else self._origin.depends_on

    @property
    def description(self) -> str | None:
        """What the environment is for, kept whole."""
        return self.spec.description

    @property
    def env_vars(self) -> Mapping[str, str]:
        """Environment variables of its tasks; read-only."""
        return self.spec.env_vars

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """References to the secrets of its tasks."""
        return self.spec.secrets

    @property
    def cache(self) -> Cache:
        """When results of its tasks are reused, unless a task says otherwise."""
        return self.spec.cache

    @property
    def interruptible(self) -> bool:
        """Whether tasks may run on machines that can be taken away."""
        return self.spec.interruptible

    @property
    def flyte_options(self) -> dict[str, Any]:
        """Anything else for the cluster; a copy."""
        return copied_options(self.spec.flyte_options)

    @property
    def tasks(self) -> Mapping[str, Task[..., Any]]:
        """The tasks by their full names, "environment.function"."""
        return home().tasks(self._name)

    def add_dependency(self, *environments: TaskEnvironment | str) -> None:
        """Deploy `environments` before this one; naming one twice is harmless.

        Raises:
            CircularDependencyError: One of them is, or depends on, this environment; none was added.
            UnknownEnvironmentError: This environment is no longer defined.
        """
        names = dependency_names(f"{self._name}.add_dependency", environments)
        home().add_dependencies(self._name, names)

    def clone_with(self, name: str, **changes: Any) -> TaskEnvironment:
        """Define and return a variation of this environment under another name; tasks are not copied.

        Args:
            name: The name of the new environment.
            changes: Any field of `TaskEnvironment`; None resets it to its default.

        Raises:
            InvalidValueError: `name` is this environment's own, or a change names no field.
        """
        if name == self._name:
            raise InvalidValueError("clone_with.name", name, "is the environment's own name", f'"{name}-gpu"')
        for key in changes:
            if key not in _FIELDS:
                problem = f"is not a field of TaskEnvironment.{did_you_mean(key, _FIELDS)}"
                raise InvalidValueError("clone_with", key, problem, 'clone_with("gpu", image="pytorch:latest")')
        kept: dict[str, Any] = {key: getattr(self, key) for key in _FIELDS if key not in changes}
        if "flyte_options" in kept:  # where a field is kept that says more than the model's own
            kept["flyte_options"] = {key: value for key, value in kept["flyte_options"].items() if key not in changes}
        given: dict[str, Any] = {key: _RESET.get(key) if value is None else value for key, value in changes.items()}
        return TaskEnvironment(name, **kept, **given)

    @overload
    def task(self, function: Callable[P, R], /) -> Task[P, R]: ...

    @overload
    def task(
        self,
        *,
        short_name: str | None = None,
        retries: int | RetryStrategy = 0,
        timeout: float | timedelta | Timeout = 0,
        cache: str | Cache | None = None,
        description: str | None = None,
        flyte_options: Mapping[str, Any] | None = None,
    ) -> Callable[[Callable[P, R]], Task[P, R]]: ...

    def task(
        self,
        function: Callable[..., Any] | None = None,
        *,
        short_name: str | None = None,
        retries: int | RetryStrategy = 0,
        timeout: float | timedelta | Timeout = 0,
        cache: str | Cache | None = None,
        description: str | None = None,
        flyte_options: Mapping[str, Any] | None = None,
    ) -> Any:
        """Make a function a task of this environment; use it bare or with keywords.

        Args:
            function: An async or sync function with named parameters.
            short_name: A name for display; the function's own by default.
            retries: How often a failed call is tried again, or a RetryStrategy.
            timeout: Seconds, a timedelta or a Timeout; 0 means none.
            cache: When results are reused; as the environment says by default.
            description: What the task is for; the function's docstring by default.
            flyte_options: Anything else for the cluster, as the SDK's decorator takes it: {"report": True}.

        Raises:
            InvalidTypeError: What is decorated is not a function.
            InvalidValueError: It is a generator, or takes *args or **kwargs.
            UnknownEnvironmentError: This environment is no longer defined.
        """
        policies = {
            "short_name": short_name,
            "retries": retries,
            "timeout": timeout,
            "cache": cache,
            "description": description,
            "flyte_options": flyte_options,
        }
        if function is None:
            return lambda decorated: self._attach(decorated, policies)
        return self._attach(function, policies)

    def _attach(self, function: Any, policies: dict[str, Any]) -> Task[..., Any]:
        task: Task[..., Any] = Task(function, self._name, **policies)
        home().attach(task)
        return task

    def __repr__(self) -> str:
        return f"<TaskEnvironment {self._name!r}: {self.image!s:.80}, {len(self.tasks)} tasks>"

    def __deepcopy__(self, memo: object) -> TaskEnvironment:
        return self  # a copy would mean the same name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TaskEnvironment) and other._name == self._name

    def __hash__(self) -> int:
        return hash(self._name)
