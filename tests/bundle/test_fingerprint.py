"""The fingerprint of an environment: what changes it, what does not, and that it is the same in every process."""

from __future__ import annotations

import json
import linecache
import os
import subprocess
import sys
import textwrap
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import flyte_nb
from flyte_nb.errors import SourceUnavailableError
from flyte_nb.masking import MASK
from flyte_nb.session import session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flyte_nb.bundle.content import Bundle

TASK = """
    @env.task
    async def train(epochs: int = 3) -> str:
        text = f"{epochs} epochs"
        return text
"""


def cell(source: str, number: int = 0, **names: Any) -> Bundle:
    """Run `source` as a notebook cell would be and return the bundle of its environment `ml`."""
    name, text = f"<cell-{number}>", textwrap.dedent(source)
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), {"flyte": flyte_nb, "env": flyte_nb.TaskEnvironment("ml"), **names})  # noqa: S102
    return current("ml")


def current(name: str) -> Bundle:
    found, refused = session().bundles([name])
    for error in refused.values():
        raise error
    return found[name]


def of(**fields: Any) -> str:
    """Return the fingerprint of an environment with these fields."""
    flyte_nb.TaskEnvironment("ml", **fields)
    return current("ml").fingerprint


@pytest.fixture(autouse=True)
def _clean_linecache() -> Iterator[None]:
    yield
    for name in [name for name in linecache.cache if name.startswith("<cell-")]:
        del linecache.cache[name]


def test_what_was_bundled_in_a_former_format_counts_as_different() -> None:
    """The fingerprint of the first format, when bundles did not name their modules, is not one of today."""
    assert of() != "1fd39ab43f03c7e071af0b8d75ef50619e06ea3283007bdc755243ebaf873e57"


@pytest.mark.parametrize(
    "edited",
    [
        TASK.replace("return text", "return text  # the result"),
        TASK.replace("        text", "\n        # explained\n\n        text"),
        TASK + "\n\n    # the end\n",
        "\n\n" + TASK,
        TASK.replace("        ", "          "),
        TASK.replace("= f", "  =  f"),
    ],
)
def test_comments_and_layout_do_not_count(edited: str) -> None:
    """What Python does not see does not make an environment different."""
    before = cell(TASK)
    after = cell(edited, 1)
    assert before.fingerprint == after.fingerprint


@pytest.mark.parametrize(
    "edited",
    [
        TASK.replace("return text", "return text.upper()"),
        TASK.replace("{epochs} epochs", "{epochs}  epochs"),
        TASK.replace("{epochs} epochs", "{epochs}{epochs}"),
        TASK.replace("epochs: int = 3", "epochs: int = 4"),
        TASK.replace("@env.task", "@env.task(retries=2)"),
        TASK.replace("async def", "def"),
        TASK.replace("train", "learn"),
        TASK.replace("return text", "if epochs:\n            text\n        return text"),
        TASK + TASK.replace("train", "learn"),
        "",
    ],
)
def test_code_counts(edited: str) -> None:
    """Every difference in the code of a task, in its policies, or in which tasks there are is one."""
    assert cell(TASK).fingerprint != cell(edited, 1).fingerprint


def test_indentation_counts() -> None:
    """The same tokens in another block are other code."""
    inside = "@env.task\ndef t(x: int):\n    if x:\n        x += 1\n        x += 2\n"
    outside = "@env.task\ndef t(x: int):\n    if x:\n        x += 1\n    x += 2\n"
    assert cell(inside).fingerprint != cell(outside, 1).fingerprint


def test_white_space_in_strings_counts() -> None:
    """Blanks between the parts of an f-string are code, in every version of Python."""
    assert cell('@env.task\ndef t(x: int): return f"{x} {x}"\n').fingerprint != (
        cell('@env.task\ndef t(x: int): return f"{x}  {x}"\n', 1).fingerprint
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"image": "python:3.13"},
        {"image": flyte_nb.Image.from_base("python:3.12")},
        {"image": flyte_nb.Image.from_base("python:3.12").with_env_vars({"TOKEN": "a"})},
        {"image": flyte_nb.Image.from_base("python:3.12").with_env_vars({"TOKEN": "b"})},
        {"image": flyte_nb.Image.from_debian_base(python="3.12").with_pip_packages("numpy")},
        {"resources": flyte_nb.Resources(cpu="1")},
        {"resources": flyte_nb.Resources(cpu="2")},
        {"resources": flyte_nb.Resources(gpu="A100:2")},
        {"depends_on": ["base"]},
        {"depends_on": ["base", "data"]},
        {"description": "d"},
        {"env_vars": {"LOG": "1"}},
        {"env_vars": {"LOG": "2"}},
        {"env_vars": {"TOKEN": "a"}},
        {"env_vars": {"TOKEN": "b"}},
        {"secrets": "my-token"},
        {"cache": "auto"},
        {"cache": flyte_nb.Cache("auto", salt="s")},
        {"interruptible": True},
        {"flyte_options": {"queue": "gpu"}},
        {"flyte_options": {"queue": 1}},
        {"flyte_options": {"queue": "1"}},
        {"flyte_options": {"after": timedelta(seconds=5)}},
    ],
)
def test_every_field_counts(fields: dict[str, Any]) -> None:
    """Each field makes a difference, and so does each value of it; the same again makes none."""
    seen = test_every_field_counts.__dict__.setdefault("seen", {of(): {}})
    fingerprint = of(**fields)
    assert fingerprint == of(**fields)
    assert seen.setdefault(fingerprint, fields) == fields


@pytest.mark.parametrize(
    "policies",
    [
        {"short_name": "short"},
        {"retries": 2},
        {"retries": flyte_nb.RetryStrategy(2, flyte_nb.Backoff(timedelta(seconds=1)))},
        {"timeout": 600},
        {"cache": "auto"},
        {"description": "d"},
    ],
)
def test_every_policy_of_a_task_counts(policies: dict[str, Any]) -> None:
    """A policy counts by its value, also where the source is the same: `@env.task(retries=N)` with another N."""
    source = "@env.task(**policies)\ndef t(): ...\n"
    assert cell(source, policies={}).fingerprint != cell(source, policies=policies).fingerprint


def test_the_order_of_dependencies_and_variables_does_not_count() -> None:
    """Sets and mappings have no order."""
    assert of(depends_on=["a", "b"]) == of(depends_on=["b", "a"])
    assert of(env_vars={"A": "1", "B": "2"}) == of(env_vars={"B": "2", "A": "1"})
    assert of(flyte_options={"s": {"a", "b", "c"}}) == of(flyte_options={"s": {"c", "b", "a"}})


def test_the_specification_is_json_without_secrets() -> None:
    """What is stored can be stored, and the value of a secret is not in it though it counts."""
    flyte_nb.TaskEnvironment("ml", env_vars={"TOKEN": "hunter2"}, resources=flyte_nb.Resources(cpu=(1, 2)))
    first = current("ml")
    flyte_nb.TaskEnvironment("ml", env_vars={"TOKEN": "hunter3"}, resources=flyte_nb.Resources(cpu=(1, 2)))
    second = current("ml")
    assert json.loads(json.dumps(first.specification)) == first.specification == second.specification
    assert first.specification["env_vars"] == {"TOKEN": MASK}
    assert first.specification["resources"]["cpu"] == [1, 2]
    assert first.fingerprint != second.fingerprint


PROCESS = """
import functools
import flyte_nb as flyte
from flyte_nb.session import session

class Plain:
    def __init__(self): self.values = {"x", "y", "z"}

options = {"names": {"a", "b", "c"}, "plain": Plain(), "function": len, "partial": functools.partial(Plain.__init__),
           "nested": [{"k": frozenset("abc")}], "kind": Plain}
env = flyte.TaskEnvironment("ml", env_vars={"B": "1", "A": "2"}, secrets={"t", "u", "v"}, flyte_options=options,
                            cache=flyte.Cache("auto", ignored_inputs={"a", "b", "c"}))

@env.task
def train(): ...

print(session().bundles(["ml"])[0]["ml"].fingerprint)
"""


def test_the_fingerprint_is_the_same_in_every_process(tmp_path: Path) -> None:
    """Neither the order of sets nor addresses in memory get into it."""
    script = tmp_path / "define.py"
    script.write_text(PROCESS)
    found = {
        subprocess.run(
            [sys.executable, script], env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(found) == 1


def test_a_task_without_source_is_refused_by_name() -> None:
    """Code that Python cannot show cannot be deployed."""
    env = flyte_nb.TaskEnvironment("ml")
    exec("@env.task\nasync def train(): ...", {"env": env})  # noqa: S102
    with pytest.raises(SourceUnavailableError, match=r"'ml\.train'") as caught:
        current("ml")
    assert caught.value.task == "ml.train"


def test_a_file_that_is_not_what_was_imported_is_refused() -> None:
    """If the file has become something that is not Python, the source is not available."""
    cell("@env.task\ndef t(): ...\n")
    text = "@env.task\ndef t(x: int = (1,\n"
    linecache.cache["<cell-0>"] = (len(text), None, text.splitlines(keepends=True), "<cell-0>")
    with pytest.raises(SourceUnavailableError):
        current("ml")
