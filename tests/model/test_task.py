"""Task: a function decorated with @env.task."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import pytest

import flyte_nb as flyte
from flyte_nb import InvalidTypeError, InvalidValueError, RetryStrategy, Task, TaskEnvironment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture
def env() -> TaskEnvironment:
    return TaskEnvironment("env", cache="auto")


def test_the_decorator_works_bare_called_and_with_keywords(env: TaskEnvironment) -> None:
    """`@env.task`, `@env.task()` and `@env.task(retries=2)` all give a task of the environment."""

    @env.task
    async def bare() -> int:
        """What it is for."""
        return 1

    @env.task()
    async def called() -> int:
        return 2

    @env.task(short_name="other", retries=2, timeout=1.5, cache="disable", description="said")
    async def worded() -> int:
        return 3

    assert list(env.tasks) == ["env.bare", "env.called", "env.worded"]
    assert (bare.description, bare.short_name, bare.cache) == ("What it is for.", "bare", None)
    assert (worded.short_name, worded.retries.count, worded.description) == ("other", 2, "said")
    assert worded.timeout.max_runtime is not None
    assert worded.timeout.max_runtime.total_seconds() == 1.5


def test_an_async_task_gives_an_awaitable_and_a_sync_task_its_value(env: TaskEnvironment) -> None:
    """Calling a task is calling its function."""

    @env.task
    async def later(n: int) -> int:
        return n + 1

    @env.task
    def now(n: int) -> int:
        return n + 1

    assert now(n=1) == 2
    assert inspect.isawaitable(awaitable := later(1))
    assert asyncio.run(awaitable) == 2  # type: ignore[arg-type]


def test_aio_runs_a_sync_task_in_a_thread_with_the_callers_context(env: TaskEnvironment) -> None:
    """The loop stays free, and context variables reach the thread."""
    colour: ContextVar[str] = ContextVar("colour")

    @env.task
    def where() -> tuple[bool, str]:
        return threading.current_thread() is threading.main_thread(), colour.get()

    async def main() -> tuple[bool, str]:
        colour.set("red")
        return await where.aio()

    assert asyncio.run(main()) == (False, "red")


def test_a_task_looks_like_its_function(env: TaskEnvironment) -> None:
    """Name, docstring, signature and source are the function's."""

    @env.task
    async def train(config: dict[str, int], *, epochs: int = 3) -> str:
        """Train."""
        return f"{config}{epochs}"

    assert (train.__name__, train.__doc__) == ("train", "Train.")
    assert list(inspect.signature(train).parameters) == ["config", "epochs"]
    assert "async def train" in inspect.getsource(train)
    assert repr(train) == "<Task env.train>"


def generator() -> Iterator[int]:
    yield 1


async def async_generator() -> AsyncIterator[int]:
    yield 1


def starred(*values: int) -> None: ...


def double_starred(a: int, **options: Any) -> None: ...


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (generator, "generator"),
        (async_generator, "generator"),
        (starred, r"\*values"),
        (double_starred, r"\*\*options"),
    ],
)
def test_functions_without_named_inputs_are_refused(env: TaskEnvironment, function: Any, words: str) -> None:
    """Generators and *args or **kwargs are refused with the reason."""
    with pytest.raises(InvalidValueError, match=words):
        env.task(function)
    assert not env.tasks


@pytest.mark.parametrize("thing", [3, "f", len, functools.partial(generator), TaskEnvironment, object()])
def test_what_is_not_a_function_is_refused(env: TaskEnvironment, thing: Any) -> None:
    """A task needs a function with source."""
    with pytest.raises(InvalidTypeError, match=r"Task\.function"):
        env.task(thing)


def test_a_lambda_is_refused(env: TaskEnvironment) -> None:
    """A task is deployed by name, and a lambda has none."""
    with pytest.raises(InvalidValueError, match="def"):
        env.task(lambda: 1)


@pytest.mark.parametrize("policies", [{"retries": -1}, {"timeout": -1}, {"cache": "sometimes"}])
def test_wrong_policies_are_refused_and_nothing_is_attached(env: TaskEnvironment, policies: dict[str, Any]) -> None:
    """A policy that means nothing leaves the environment as it was."""
    with pytest.raises(ValueError, match="Task"):
        env.task(**policies)(starred)
    with pytest.raises(ValueError, match="Task"):

        @env.task(**policies)
        def work() -> None: ...

    assert not env.tasks


def test_override_gives_another_task_and_leaves_the_environment_alone(env: TaskEnvironment) -> None:
    """The original keeps its policies and stays the one that is deployed."""

    @env.task(retries=1, timeout=5)
    def work() -> int:
        return 1

    other = work.override(retries=RetryStrategy(3))
    assert (other.retries.count, other.timeout, other()) == (3, work.timeout, 1)
    assert env.tasks["env.work"] is work
    with pytest.raises(InvalidValueError, match="image"):
        work.override(image="x")


def test_depends_on_never_affects_running() -> None:
    """A task runs although nothing it depends on is deployed, or even defined."""
    lonely = TaskEnvironment("lonely", depends_on=["never-defined"])

    @lonely.task
    async def work() -> str:
        return "ran"

    assert asyncio.run(flyte.run(work)).result == "ran"


def test_a_task_attached_through_an_old_object_belongs_to_the_name() -> None:
    """After a redefinition the old variable still means the environment."""
    old = TaskEnvironment("base", image="a")
    new = TaskEnvironment("base", image="b")

    @old.task
    def work() -> None: ...

    assert isinstance(new.tasks["base.work"], Task)
