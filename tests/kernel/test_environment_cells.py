"""The body of %%flyte_env is an ordinary cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .notebook import Notebook


def test_await(notebook: Notebook) -> None:
    """Top-level await works, also as the value of the cell."""
    result = notebook.ok("%%flyte_env e\nx = await asyncio.sleep(0, 1)\nawait asyncio.sleep(0, x + 1)\n")
    assert result.value == "2"


def test_value(notebook: Notebook) -> None:
    """The last expression is the value of the cell, and a semicolon hides it."""
    assert notebook.ok("%%flyte_env e\n@env.task\nasync def t(): ...\nenv.name").value == "'e'"
    assert notebook.ok("%%flyte_env e\nenv.name;").value is None
    assert notebook.ok("%%flyte_env e").value is None


def test_traceback(notebook: Notebook) -> None:
    """A traceback points at the line as it is in the cell."""
    result = notebook.run("%%flyte_env e\nx = 1\n\nx / 0\n")
    assert result.ename == "ZeroDivisionError"
    assert "line 4" in result.traceback
    assert "----> 4 x / 0" in result.traceback


def test_syntax_error(notebook: Notebook) -> None:
    """A syntax error points at the line as it is in the cell, and defines nothing."""
    result = notebook.run("%%flyte_env e\n\nx = = 1\n")
    assert result.ename == "SyntaxError"
    assert "line 3" in result.traceback
    assert notebook.value("list(flyte.registry())") == []


def test_source(notebook: Notebook) -> None:
    """`inspect.getsource` gives the source of a task, with its decorator."""
    source = "@env.task(retries=2)\nasync def t(n: int) -> int:\n    # doubles\n    return 2 * n\n"
    notebook.ok(f"%%flyte_env e\nimport inspect\n\n{source}\nother = 1")
    assert notebook.value("inspect.getsource(t.function)") == source


def test_magics_inside(notebook: Notebook) -> None:
    """Magics and shell commands work in the body."""
    result = notebook.ok(
        "%%flyte_env e\n@env.task\nasync def t() -> int:\n    return 1\n"
        "x = %flyte_run t()\n!echo from the shell\nfiles = !echo listed\n%flyte_env e\nx, list(files)"
    )
    assert "from the shell" in result.stdout
    assert result.value == "(1, ['listed'])"


@pytest.mark.parametrize("end", ["", "\n1 / 0"])
def test_env_is_restored(notebook: Notebook, end: str) -> None:
    """The name `env` is bound in the body only: afterwards it is what it was before, or nothing."""
    notebook.run(f"%%flyte_env e\nassert env.name == 'e'{end}")
    assert notebook.value("'env' in globals()") is False
    notebook.ok("env = 'mine'")
    notebook.run(f"%%flyte_env e\nenv = 'rebound'{end}")
    assert notebook.value("env") == "mine"


def test_variable(notebook: Notebook) -> None:
    """The environment is bound to its name with underscores, or to the variable of --var."""
    notebook.ok("%%flyte_env ml-training\n")
    notebook.ok("%%flyte_env base-utils --var base\n")
    notebook.ok("%%flyte_env other --var env\n")
    assert notebook.value("ml_training.name, base.name, env.name") == ("ml-training", "base-utils", "other")
    assert notebook.value("'base_utils' in globals()") is False


def test_variable_of_a_failing_cell(notebook: Notebook) -> None:
    """A cell that fails leaves the variable as it was."""
    notebook.run("%%flyte_env ml-training\n1 / 0")
    assert notebook.value("'ml_training' in globals()") is False
    notebook.ok("%%flyte_env ml-training --image one:1\n")
    notebook.run("%%flyte_env ml-training --image two:2\n1 / 0")
    assert notebook.value("ml_training.image") == "one:1"


def test_all_options(notebook: Notebook) -> None:
    """Every option says what the argument of TaskEnvironment of that name says."""
    notebook.ok("%%flyte_env base\n")
    notebook.ok(
        "%%flyte_env ml-training --image pytorch:latest --cpu 2 --memory 4Gi --gpu A100:2 --disk 10Gi "
        "--depends-on base --env A=1 B='two words' --description 'what it is for' --cache auto\n"
    )
    notebook.ok(
        "same = flyte.TaskEnvironment('same', image='pytorch:latest', depends_on=[base], cache='auto',\n"
        "    resources=flyte.Resources(cpu='2', memory='4Gi', gpu='A100:2', disk='10Gi'),\n"
        "    description='what it is for', env_vars={'A': '1', 'B': 'two words'})"
    )
    fields = ["image", "resources", "depends_on", "description", "env_vars", "cache"]
    assert notebook.value(f"[n for n in {fields} if getattr(same, n) != getattr(ml_training, n)]") == []
    notebook.ok("%%flyte_env cloned --clone-from ml-training --gpu 1\n")
    assert notebook.value("cloned.image, cloned.description, cloned.resources.cpu") == (
        "pytorch:latest",
        "what it is for",
        None,
    )
    notebook.ok("%%flyte_env built --python 3.12 --pip pandas 'scikit-learn>=1.5'\n")
    assert "pandas" in notebook.value("repr(built.image)")


def test_help(notebook: Notebook) -> None:
    """`%%flyte_env?` explains the options."""
    text = notebook.help("%%flyte_env?")
    assert "--depends-on" in text
    assert "environments to deploy before this one" in text
