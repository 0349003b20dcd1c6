"""What is known of a deployed task without importing its module is what importing it gives."""

from __future__ import annotations

import inspect
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flyte_nb
from flyte_nb.bundle.specification import specification, storable
from flyte_nb.errors import WorkerStartError
from flyte_nb.places.task_facts import Expression

from .made import defined_in, deploy, deployed, version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flyte_nb.model.task import Task

FUNCTIONS = {
    "no parameters": "def train(): ...",
    "positional only": "async def train(a, b=1, /, c=2): ...",
    "keyword only": "def train(a, *, b, c='x', d): ...",
    "all kinds": "async def train(a, /, b, c=3, *, d=None, e) -> int: ...",
    "annotations": "def train(a: int, b: 'list[str]' = [], *, c: dict[str, int] | None = None) -> tuple[int, ...]: ...",
    "nested quotes": '''def train(a="it's", b='a"b', c=f"{'x'!r}", d=("""triple\n'"line""")): ...''',
    "expressions": "def train(a=-1, b=(1, 2), c={'k': [1, 2]}, d=1e-3, e=lambda x: x, f=print): ...",
    "over lines": "def train(\n    a: int = 1,  # first\n    b: str = (\n        'x'\n        'y'\n    ),\n): ...",
    "a docstring": 'def train(a):\n    """Train, "quoted" and \'quoted\'."""',
    "decorated": "@same\n@same\ndef train(a, b=1): ...",
    "decorated with arguments": "@wrapped(3)\nasync def train(a: int, *, b=1) -> int: ...",
    "a sync task made async": "@in_async\ndef train(a, b=1): ...",
    "an async task made sync": "@wrapped(1)\ndef train(a, b=1): ...",
}
HEAD = """
import functools
import flyte_nb as flyte
env = flyte.TaskEnvironment("ml")

def same(function):
    return function

def wrapped(times):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return [function(*args, **kwargs) for _ in range(times)]
        return wrapper
    return decorate

def in_async(function):
    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper

@env.task
"""


def version_of(module: str, *tasks: Task[..., Any]) -> Any:
    """Return a version with that module, whose specification says what was said of the tasks."""
    spec = flyte_nb.TaskEnvironment("ml").spec
    said = storable(specification(spec, (), {task.name: task for task in tasks}))
    return version(module, "ml", **json.loads(json.dumps(said)))


def shape(signature: inspect.Signature) -> list[tuple[str, Any, bool, bool]]:
    """Return what can be compared of a signature that was evaluated, and of one that was not."""
    parameters = signature.parameters.values()
    empty = inspect.Parameter.empty
    return [(each.name, each.kind, each.default is empty, each.annotation is empty) for each in parameters]


def assert_same(facts: Mapping[str, Any], task: Task[..., Any]) -> None:
    found = facts[task.name]
    assert (found.name, found.environment) == (task.name, task.environment)
    assert found.function == task.function.__name__
    assert found.is_async is task.is_async
    assert shape(found.signature) == shape(task.signature)
    for policy in ("short_name", "description", "retries", "timeout", "cache"):
        assert getattr(found, policy) == getattr(task, policy)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_facts_are_those_of_the_imported_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    """Name, signature, whether it is awaited, and policies are told from what was deployed."""
    defined_in(HEAD + function + "\n", tmp_path, monkeypatch)
    (task,) = flyte_nb.registry()["ml"].tasks.values()
    deploy("ml")
    assert_same(deployed("ml").tasks, task)


def test_defaults_and_annotations_show_as_their_source() -> None:
    """A signature reads as it was written, on one line, and nothing of it was evaluated."""
    module = (
        "env = no\n\n@env.task\nasync def train(config: dict[str, int], rate: float = RATE * 2, *,\n"
        "                names: 'list[str]' = ('a',\n    \"it's\")) -> Model: ...\n"
    )
    task = flyte_nb.TaskEnvironment("ml").task(lambda_like("train"))
    (found,) = version_of(module, task).tasks.values()
    written = "(config: dict[str, int], rate: float = RATE * 2, *, names: 'list[str]' = ('a', \"it's\")) -> Model"
    assert str(found.signature) == written
    default = found.signature.parameters["rate"].default
    assert default == Expression("RATE * 2")
    assert repr(default) == str(default) == "RATE * 2"


def lambda_like(name: str) -> Any:
    """Return a function of that name without parameters."""

    def function() -> None: ...

    function.__name__ = name
    return function


@st.composite
def functions(draw: st.DrawFn) -> str:
    """Draw the source of a function."""
    names = draw(st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8))
    cuts = sorted((draw(st.integers(0, len(names))), draw(st.integers(0, len(names)))))
    groups = names[: cuts[0]], names[cuts[0] : cuts[1]], names[cuts[1] :]
    with_default = draw(st.integers(0, cuts[1]))
    annotation = st.sampled_from(["", ": int", ": 'list[str]'", ": dict[str, int]"])
    default = st.sampled_from(["1", "None", "'a\"b'", "(1, 2)", "{'k': [1]}", "-0.5"])
    written = []
    for number, name in enumerate(names):
        has_default = draw(st.booleans()) if number >= cuts[1] else number >= with_default
        written.append(name + draw(annotation) + (f" = {draw(default)}" if has_default else ""))
    parts = written[: cuts[0]] + (["/"] if groups[0] else []) + written[cuts[0] : cuts[1]]
    parts += ["*", *written[cuts[1] :]] if groups[2] else []
    returns = draw(st.sampled_from(["", " -> int", " -> 'Model'"]))
    return f"{draw(st.sampled_from(['', 'async ']))}def train({', '.join(parts)}){returns}: ..."


@given(functions())
def test_any_signature_is_read_as_python_reads_it(source: str) -> None:
    """Names, kinds, defaults, annotations and the result are those that Python gives the function."""
    names: dict[str, Any] = {}
    exec(compile(source, "<drawn>", "exec", dont_inherit=True), names)  # noqa: S102 - annotations are evaluated
    real = inspect.signature(names["train"])
    task = flyte_nb.TaskEnvironment("ml").task(names["train"])
    (found,) = version_of(f"@env.task(retries=1)\n{source}\n", task).tasks.values()
    assert_same({found.name: found}, task)
    for parameter in found.signature.parameters.values():
        mine = real.parameters[parameter.name]
        for evaluated, source_of in ((mine.default, parameter.default), (mine.annotation, parameter.annotation)):
            if evaluated is not inspect.Parameter.empty:
                assert eval(source_of.text) == evaluated  # noqa: S307 - drawn from the above
    result = found.signature.return_annotation
    assert (result is inspect.Signature.empty) == (real.return_annotation is inspect.Signature.empty)


seconds = st.one_of(st.none(), st.floats(0, 1e6), st.integers(0, 10**6))
caches = st.builds(
    flyte_nb.Cache,
    st.sampled_from(["auto", "disable"]),
    ignored_inputs=st.sampled_from([(), ("a",), ("a", "b")]),
    salt=st.sampled_from(["", "v2"]),
    max_age=seconds,
)
backoffs = st.builds(flyte_nb.Backoff, st.floats(0, 1e4), st.floats(1, 10), st.integers(0, 10**5))
retries = st.builds(flyte_nb.RetryStrategy, st.integers(0, 9), st.one_of(st.none(), backoffs))
timeouts = st.builds(flyte_nb.Timeout, seconds, seconds, seconds)


texts = st.one_of(st.none(), st.text())


@given(st.one_of(st.none(), caches), retries, timeouts, texts, texts)
def test_policies_are_those_that_were_given(
    cache: Any, strategy: Any, timeout: Any, short_name: str | None, description: str | None
) -> None:
    """What the specification says in terms of JSON becomes the same policies again."""
    said = {"cache": cache, "retries": strategy, "timeout": timeout}

    def train(a: int, b: int) -> None: ...

    env = flyte_nb.TaskEnvironment("ml")
    task = env.task(short_name=short_name, description=description, **said)(train)
    facts = version_of("@env.task\ndef train(a: int, b: int): ...\n", task).tasks["ml.train"]
    assert (facts.cache, facts.retries, facts.timeout) == (cache, strategy, timeout)
    assert (facts.short_name, facts.description) == (short_name or "train", description)


def test_durations_keep_their_microseconds() -> None:
    """A policy that is not in whole seconds is the same after it was stored."""
    task = flyte_nb.TaskEnvironment("ml").task(timeout=timedelta(days=3, microseconds=7))(lambda_like("train"))
    assert version_of("@env.task\ndef train(): ...\n", task).tasks["ml.train"].timeout == task.timeout


def test_only_tasks_are_found() -> None:
    """Helpers, decorated or not, and functions inside of others are no tasks."""
    module = (
        "def train(): ...\n\n@other.task\ndef helper(): ...\n\n@env.task\nasync def real(a): ...\n\n"
        "class Kept:\n    @env.task\n    def inner(self): ...\n"
    )
    made = version_of(module, *(flyte_nb.TaskEnvironment("ml").task(lambda_like(name)) for name in ("real", "inner")))
    assert [*made.tasks] == ["ml.real"]


def test_a_module_that_this_python_cannot_read_is_one_clear_line() -> None:
    """Source of a later Python is told as that, with what to do."""
    later = version("import flyte\n\n@env.task\ndef train(a) = later\n", "ml")
    with pytest.raises(WorkerStartError, match=r"Python 3\.\d+ cannot read its module \(.*, line 4\). Use a later"):
        _ = later.tasks


def test_tasks_are_worked_out_once() -> None:
    """Who asks again gets the same."""
    made = version()
    assert made.tasks is made.tasks
