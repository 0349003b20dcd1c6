"""A function that runs in an environment."""

from __future__ import annotations

import functools
import inspect
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from flyte_nb.errors import InvalidTypeError, InvalidValueError, did_you_mean
from flyte_nb.model.home import home
from flyte_nb.model.options import check_flyte_options
from flyte_nb.model.policies import Cache, RetryStrategy, Timeout, as_cache, as_retries, as_timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

__all__ = ["POLICIES", "Task", "check_ignored", "check_texts"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

_EXAMPLE = "@env.task on `async def train(config: dict) -> str: ...`"
# What can be said of a task beside its function.
POLICIES = ("short_name", "retries", "timeout", "cache", "description")


class Task(Generic[P, R]):
    """A function decorated with `@env.task`.

    Calling an async task gives an awaitable, calling a sync task gives its value, and `.aio(...)` runs a sync one in
    a thread. Which environments were deployed never affects a call.

    Attributes:
        name: The full name, "environment.function".
        environment: The name of the environment.
        function: The function that was decorated.
        short_name: A name for display; the function's own by default.
        retries: How often, and how far apart, a failed call is tried again.
        timeout: How long a call may take.
        cache: When results are reused; None means as the environment says.
        description: What the task is for; the function's docstring by default.
        flyte_options: Anything else for the cluster; read-only.
        is_async: Whether calling it gives an awaitable.
        has_policies: Whether a call may be tried again or end by a timeout.
        signature: The signature of the function.
        least_positional: With this many positional arguments, and up to `most_positional`, no other is needed.
        most_positional: How many positional arguments it takes.
        overridden: The policies that `override` has changed, by name.
        cluster_policies: What else a run on a cluster is to change, as the SDK's `override` takes it.
        version: The deployed version that it runs from; None runs what the session defines.
    """

    overridden: Mapping[str, Any] = MappingProxyType({})
    cluster_policies: Mapping[str, Any] = MappingProxyType({})
    version: Any = None

    def __init__(
        self,
        function: Callable[P, R],
        environment: str,
        *,
        short_name: str | None = None,
        retries: int | RetryStrategy = 0,
        timeout: object = 0,
        cache: str | Cache | None = None,
        description: str | None = None,
        flyte_options: Mapping[str, Any] | None = None,
    ) -> None:
        _check_function(function)
        check_texts(short_name, description)
        functools.update_wrapper(self, function)
        self.function = function
        self.environment = environment
        self.name = f"{environment}.{function.__name__}"
        self.short_name = short_name or function.__name__
        self.retries: RetryStrategy = as_retries("Task.retries", retries)
        self.timeout: Timeout = as_timeout("Task.timeout", timeout)
        self.cache: Cache | None = None if cache is None else as_cache("Task.cache", cache)
        check_ignored(self.cache, inspect.signature(function), function.__name__)
        self.description = description if description is not None else inspect.getdoc(function)
        self.flyte_options = check_flyte_options("Task.flyte_options", flyte_options, 'flyte_options={"report": True}')
        self.is_async = inspect.iscoroutinefunction(function)
        self.has_policies = bool(self.retries.count or self.timeout.max_runtime or self.timeout.deadline)
        self.signature = inspect.signature(function)
        self.least_positional, self.most_positional = _positional_counts(self.signature)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the task with the arguments of its function."""
        __tracebackhide__ = True  # debuggers and notebooks leave this frame out
        result: R = home().call(self, args, kwargs)
        return result

    @overload
    def aio(self: Task[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T]: ...

    @overload
    def aio(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]: ...

    def aio(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, Any]:
        """Return an awaitable of the task; a sync one runs in a thread, with the context of the caller."""
        if self.is_async:
            awaitable: Coroutine[Any, Any, Any] = home().call(self, args, kwargs)
            return awaitable
        return home().call_in_thread(self, args, kwargs)

    def override(self, **changes: Any) -> Task[P, R]:
        """Return this task with other policies; the environment keeps the original.

        Raises:
            InvalidValueError: A name in `changes` is not one of short_name, retries, timeout, cache, description.
        """
        for key in changes:
            if key not in POLICIES:
                raise InvalidValueError("Task.override", key, "is not one of " + ", ".join(POLICIES), "retries=3")
        policies = {key: getattr(self, key) for key in POLICIES}
        task = self._with({**policies, **changes})
        task.overridden = {name: getattr(task, name) for name in (*self.overridden, *changes)}
        return task

    def _with(self, policies: dict[str, Any]) -> Task[P, R]:
        """Return this task with all of `policies`."""
        return Task(self.function, self.environment, **policies, flyte_options=self.flyte_options)

    def __repr__(self) -> str:
        return f"<Task {self.name}>"


def check_texts(short_name: object, description: object) -> None:
    """Refuse what is no text, in the place of what is shown of a task."""
    for label, text in (("Task.short_name", short_name), ("Task.description", description)):
        if text is not None and not isinstance(text, str):
            raise InvalidTypeError(label, text, "text", 'short_name="train"')


def _check_function(function: Any) -> None:
    """Refuse what cannot be deployed as a function with named inputs."""
    if not inspect.isfunction(function):
        raise InvalidTypeError("Task.function", function, "a function", _EXAMPLE)
    if not function.__name__.isidentifier():
        raise InvalidValueError("Task.function", function.__name__, "has no name: use def", _EXAMPLE)
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidValueError("Task.function", function.__name__, "is a generator; return a list instead", _EXAMPLE)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            problem = f"takes {str(parameter).split(':')[0]}; a task's inputs have names"
            raise InvalidValueError("Task.function", function.__name__, problem, _EXAMPLE)


def check_ignored(cache: Cache | None, signature: inspect.Signature, function: str) -> None:
    """Refuse to ignore an input that the function called `function` does not have."""
    parameters = signature.parameters
    for name in cache.ignored_inputs if cache else ():
        if name not in parameters:
            problem = f"is not a parameter of {function}.{did_you_mean(name, parameters)}"
            raise InvalidValueError("Cache.ignored_inputs", name, problem, f"ignored_inputs={tuple(parameters)[:1]}")


def _positional_counts(signature: inspect.Signature) -> tuple[int, int]:
    """Return between which numbers of positional arguments a call needs no keywords; none if it always does."""
    parameters = signature.parameters.values()
    positional = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
    if any(p.kind is p.KEYWORD_ONLY and p.default is p.empty for p in parameters):
        return 1, 0
    return sum(p.default is p.empty for p in positional), len(positional)
