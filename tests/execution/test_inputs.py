"""Inputs are checked before anything runs, and never changed."""

from __future__ import annotations

import asyncio
import collections.abc  # noqa: F401 - an annotation below names it
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pydantic
import pytest

import flyte_nb as flyte
from flyte_nb import InvalidInputError, Task, TaskEnvironment

if TYPE_CHECKING:
    from nowhere import Unknown  # noqa: F401 - stands for what only type checkers import


@dataclass
class Point:
    x: int
    y: int


class Settings(pydantic.BaseModel):
    lr: float


class Opaque:
    """A class pydantic knows nothing about."""


ran: list[str] = []


def task_taking(annotation: str) -> Task[..., Any]:
    """Return a task with one parameter of that annotation, as source."""
    names: dict[str, Any] = {**globals()}
    exec(f"async def take(value: {annotation}):\n    ran.append('x')\n    return value", names)  # noqa: S102
    task: Task[..., Any] = TaskEnvironment("env").task(names["take"])
    return task


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    ran.clear()


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("int", 3),
        ("float", 3),
        ("float", 0.5),
        ("bool", True),
        ("str", "3"),
        ("dict", {"a": 1}),
        ("dict[str, int]", {"a": 1}),
        ("list[float]", [1, 0.5]),
        ("tuple[int, str]", (1, "a")),
        ("int | None", None),
        ("Point", Point(1, 2)),
        ("Settings", Settings(lr=0.1)),
        ("Opaque", Opaque()),
        ("type[Opaque]", Opaque),
        ("Any", object()),
        ("object", 3),
        ("'collections.abc.Callable[[int], int]'", abs),
        ("'Unknown'", 3),
        ("1 + 1", 3),
    ],
)
def test_what_fits_is_passed_on_as_it_is(annotation: str, value: Any) -> None:
    """The task gets the very object that was given, also where the annotation cannot be checked."""
    assert asyncio.run(flyte.run(task_taking(annotation), value)).result is value


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("int", "3"),
        ("int", 3.0),
        ("int", True),
        ("str", 3),
        ("float", "0.5"),
        ("bool", 1),
        ("dict[str, int]", {"a": "1"}),
        ("list[int]", (1, 2)),
        ("list[int]", [1, "2"]),
        ("int | None", "x"),
        ("Point", {"x": 1, "y": 2}),
        ("Settings", {"lr": 0.1}),
        ("list[Settings]", [{"lr": 0.1}]),
        ("Opaque", 3),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_runs(annotation: str, value: Any) -> None:
    """One line names the task, the parameter, the type wanted and the value given; nothing is converted."""
    with pytest.raises(InvalidInputError) as caught:
        asyncio.run(flyte.run(task_taking(annotation), value))
    assert (caught.value.task, caught.value.parameter, caught.value.wanted) == ("env.take", "value", annotation)
    assert f"{type(value).__name__} {value!r}" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, TypeError)
    assert ran == []


def test_the_message_points_into_a_collection() -> None:
    """Of a collection, the entry that is wrong is named."""
    with pytest.raises(InvalidInputError, match=r"\(at value\['a'\]\[1\]\)"):
        asyncio.run(flyte.run(task_taking("dict[str, list[int]]"), {"a": [1, "2"]}))


def test_secrets_are_not_shown() -> None:
    """A parameter whose name says secret is refused without its value."""
    env = TaskEnvironment("env")

    @env.task
    async def log_in(api_token: int) -> None: ...

    with pytest.raises(InvalidInputError) as caught:
        asyncio.run(flyte.run(log_in, "hunter2"))  # type: ignore[arg-type]
    assert "hunter2" not in str(caught.value)


def test_a_direct_call_is_a_function_call() -> None:
    """`await task(...)` checks the signature alone, as Python does; run is where inputs come from people."""
    assert asyncio.run(task_taking("int")("3")) == "3"
