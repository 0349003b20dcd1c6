"""Modules of other environments as a worker has them: their tasks, which run in workers of their own."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from flyte_nb.as_flyte.tasks import SdkOverrides
from flyte_nb.bundle.module_names import ENVIRONMENT, PACKAGE
from flyte_nb.model.environment import TaskEnvironment
from flyte_nb.model.policies import as_cache, as_retries, as_timeout
from flyte_nb.model.spec import EnvironmentSpec
from flyte_nb.model.task import check_ignored, check_texts

if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable, Mapping, Sequence

    from flyte_nb.workers.tasks import TaskShape

    Shape = Callable[[str, str], TaskShape]

__all__ = ["ReferenceFinder", "TaskReference"]


class TaskReference(SdkOverrides[..., Any]):
    """A task of another environment: calling it has the kernel run it there.

    What it takes is asked for when it is needed: the environment may be deployed anew while this process lives.
    """

    def __init__(self, environment: str, function: str, shape: Shape) -> None:
        self.environment, self.name, self.__name__ = environment, f"{environment}.{function}", function
        self.function = self._not_here
        self.short_name, self.description, self.cache = function, None, None
        self.retries, self.timeout = as_retries("Task.retries", 0), as_timeout("Task.timeout", 0)
        self.has_policies = False
        self._function, self._shape = function, shape

    def _with(self, policies: dict[str, Any]) -> TaskReference:
        task = TaskReference(self.environment, self._function, self._shape)
        check_texts(policies["short_name"], policies["description"])
        task.short_name, task.description = policies["short_name"], policies["description"]
        task.retries = as_retries("Task.retries", policies["retries"])
        task.timeout = as_timeout("Task.timeout", policies["timeout"])
        task.cache = None if policies["cache"] is None else as_cache("Task.cache", policies["cache"])
        if task.cache:
            check_ignored(task.cache, self.signature, self._function)
        return task

    def _not_here(self, *_args: Any, **_kwargs: Any) -> Any:
        raise RuntimeError(f"{self.name} is a task of another environment: call the task, not its function")

    @property
    def is_async(self) -> bool:  # type: ignore[override]  # of other tasks it is known from the beginning
        """Whether calling it gives an awaitable."""
        return self._shape(self.environment, self._function).is_async

    @property
    def signature(self) -> inspect.Signature:  # type: ignore[override]
        """The parameters of the function; what they are by default is not known here."""
        return self._shape(self.environment, self._function).signature

    @property
    def least_positional(self) -> int:  # type: ignore[override]
        """1, with `most_positional` 0: the signature tells of every call whether it fits."""
        return 1

    @property
    def most_positional(self) -> int:  # type: ignore[override]
        """See `least_positional`."""
        return 0


class ReferenceFinder:
    """Finds modules of other environments.

    Args:
        environments: The environment of each module, by the name of the module.
        own: The module of this environment, which is found as any other module is.
        shape: Gives what is known of a task: of an environment, by the name of its function.
    """

    def __init__(self, environments: Mapping[str, str], own: str, shape: Shape) -> None:
        self._environments, self._own, self._shape = environments, own, shape

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of the module of another environment, or None."""
        package, _, module = name.rpartition(".")
        if package != PACKAGE or module == self._own or module not in self._environments:
            return None
        return ModuleSpec(name, self)  # type: ignore[arg-type]  # what is asked of a loader is below

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module, which has whatever task one asks it for."""
        return _References(spec.name, self._environments[spec.name.rpartition(".")[2]], self._shape)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: it is as it should be."""


class _References(ModuleType):
    def __init__(self, name: str, environment: str, shape: Shape) -> None:
        super().__init__(name)
        self._environment, self._shape = environment, shape

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if name == ENVIRONMENT:
            return TaskEnvironment.of(EnvironmentSpec.checked(self._environment))
        return TaskReference(self._environment, name, self._shape)
