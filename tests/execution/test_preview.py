"""The preview of inputs is short, masked, and runs no code of the user's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

import flyte_nb as flyte
from flyte_nb.execution import preview
from flyte_nb.execution.preview import inputs_preview, result_preview, value_preview


@dataclass
class Config:
    lr: float = 0.1


class Proxy:
    """Stands for objects that answer every question with an error."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError("repr")

    def __call__(self) -> None: ...


def sample() -> None: ...


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (3, "3"),
        (None, "None"),
        (0.5, "0.5"),
        ("text", "'text'"),
        (b"bytes", "<5 bytes>"),
        ([1, 2], "[1, 2]"),
        ((1,), "(1)"),
        ({1}, "{1}"),
        ({"a": [1, {"b": 2}]}, "{'a': [1, <dict of 1>]}"),
        (list(range(10)), "[0, 1, 2, 3, …]"),
        (Config(), "<Config>"),
        (Config, "<type Config>"),
        (sample, "<function sample>"),
    ],
)
def test_values(value: Any, shown: str) -> None:
    """Of a container the first entries are shown, and of what is not built in the type."""
    assert value_preview(value) == shown


def test_objects_that_answer_nothing() -> None:
    """An object that raises whatever it is asked is shown by its type; pytest would ask it, too."""
    assert value_preview(Proxy()) == "<Proxy>"
    assert value_preview([Proxy()]) == "[<Proxy>]"


def test_long_values_are_cut() -> None:
    """No value takes more than 60 characters, and no call more than 160; huge numbers are told by their size."""
    assert value_preview(10**5_000) == "<16610 bits>"
    assert len(value_preview("x" * 1_000_000)) == 60

    @flyte.TaskEnvironment("env").task
    def task(first: Any, second: Any, third: Any, fourth: Any) -> None: ...

    assert len(inputs_preview(task, ("x" * 100,) * 3, {"fourth": "y" * 100})) == 160


def test_arrays_and_frames_show_their_shape() -> None:
    """An array has its element type and shape, a frame its shape; nothing is computed."""
    numpy, pandas = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    assert value_preview(numpy.zeros((3, 4))) == "<ndarray float64 3 × 4>"
    assert value_preview(pandas.DataFrame({"a": [1, 2]})) == "<DataFrame 2 × 1>"


@pytest.mark.parametrize(
    "given",
    [
        {"api_key": "hunter2"},
        {"config": {"password": "hunter2"}},
        {"config": {b"password": "hunter2"}},
        {"url": "postgres://me:hunter2@db/x"},
        {"url": "postgres://me:" + "hunter2" * 200 + "@db/x"},
        {"nested": [{"token": "hunter2"}]},
    ],
)
def test_secrets_are_masked(given: dict[str, Any]) -> None:
    """What a name says is secret, and what looks like a credential, is not shown, however it is cut."""

    @flyte.TaskEnvironment("env").task
    def task(
        api_key: str = "", config: dict[Any, str] | None = None, url: str = "", nested: list[Any] | None = None
    ) -> None: ...

    shown = inputs_preview(task, (), given)
    assert "hunter2" not in shown
    assert "***" in shown


def test_results_are_masked_by_the_name_of_their_task() -> None:
    """Of None there is nothing to say."""
    assert result_preview("env.load_token", "hunter2") == "***"
    assert result_preview("env.load", {"token": "hunter2", "lr": 1}) == "{'token': ***, 'lr': 1}"
    assert result_preview("env.load", "postgres://me:hunter2@db/x").count("hunter2") == 0
    assert result_preview("env.load_token", None) == result_preview("env.load", None) == ""


class Nameless(type):
    """Stands for classes that answer every question about them with an error."""

    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise RuntimeError("name")

    def __hash__(cls) -> int:
        raise RuntimeError("hash")

    def __eq__(cls, other: object) -> bool:
        raise RuntimeError("equal")


def test_classes_are_not_asked_what_they_are_called() -> None:
    """Their own class may raise, and so may a proxy that says of itself that it is of another module."""
    odd = Nameless("odd", (), {})
    assert value_preview(odd) == "<Nameless odd>"
    assert value_preview([odd()]) == "[<odd>]"
    for module in (None, 5, property(lambda _: "numpy")):
        assert value_preview(type("proxy", (), {"__module__": module})()) == "<proxy>"


def test_a_call_that_has_succeeded_does_not_fail_for_its_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a value does that is to be told of."""
    monkeypatch.setattr(preview, "value_preview", lambda _: 1 / 0)

    @flyte.TaskEnvironment("env").task
    async def task() -> int:
        return 1

    done = asyncio.run(flyte.run(task))
    assert (done.result, done.status, done.tree[0].returned) == (1, "succeeded", "")
