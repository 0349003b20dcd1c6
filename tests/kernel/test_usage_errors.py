"""Bad input is one line, never a traceback, and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .notebook import Notebook


@pytest.fixture(scope="module")
def defined(kernel: Notebook) -> Notebook:
    kernel.ok("%load_ext flyte_nb\nimport asyncio, flyte_nb as flyte")
    kernel.ok("%%flyte_env base --image one:1\n@env.task\nasync def t(n: int) -> int:\n    return n\n", "a")
    kernel.ok("%%flyte_env api --depends-on base\n", "b")
    kernel.ok("spent = t(1)\nawait spent\nremoved = flyte.TaskEnvironment('removed')", "c")
    kernel.ok("@removed.task\nasync def gone(n: int) -> int:\n    return n\n", "d")
    kernel.ok("%flyte_remove removed\nbefore = flyte.plan()", "e")
    return kernel


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%%flyte_env", "required: name"),
        ("%%flyte_env Bad-Name\n", "Bad-Name"),
        ("%%flyte_env base extra\n", "extra"),
        ("%%flyte_env base --pyhton 3.12\n", "Did you mean '--python'?"),
        ("%%flyte_env base --image\n", "--image"),
        ("%%flyte_env base --image 'one:1\n", "No closing quotation"),
        ("%%flyte_env base --image one:1 --python 3.12\n", "--python"),
        ("%%flyte_env base --python three\n", "three"),
        ("%%flyte_env base --cpu abc\n", "Resources.cpu"),
        ("%%flyte_env base --memory lots\n", "Resources.memory"),
        ("%%flyte_env base --gpu a100:2\n", "A100:2"),
        ("%%flyte_env base --disk -1\n", "Resources.disk"),
        ("%%flyte_env base --depends-on 'No Name'\n", "No Name"),
        ("%%flyte_env base --depends-on base\n", "base -> base"),
        ("%%flyte_env base --depends-on api\n", "base -> api -> base"),
        ("%%flyte_env base --env NOVALUE\n", "NAME=VALUE"),
        ("%%flyte_env base --env 1A=2\n", "1A"),
        ("%%flyte_env new --clone-from bose\n", "Did you mean 'base'?"),
        ("%%flyte_env base --clone-from base\n", "base"),
        ("%%flyte_env base --cache sometimes\n", "sometimes"),
        ("%%flyte_env base --var not-a-name\n", "--var"),
        ("%%flyte_env base --var class\n", "--var"),
        ("%%flyte_env asyncio\n", "something else (module)"),
        ("%%flyte_env asyncio\n", "--var asyncio_env"),
        ("%%flyte_env new --var before\n", "--var before_env"),
        ("%%flyte_env list\n", "--var list_env"),
        ("%%flyte_env new --var list\n", "--var list_env"),
        ("%%flyte_env base --depends-on api\nawait asyncio.sleep(0)", "base -> api -> base"),
        ("%flyte_env", "required: name"),
        ("%flyte_env bose", "Did you mean 'base'?"),
        ("%flyte_env base --image one:1", "begin a cell with %%flyte_env"),
        ("%flyte_envs base", "base"),
        ("%flyte_graph bose", "Did you mean 'base'?"),
        ("%flyte_plan bose", "Did you mean 'base'?"),
        ("%flyte_plan --target moon", "moon"),
        ("%flyte_deploy bose", "Did you mean 'base'?"),
        ("%flyte_deploy --target moon", "moon"),
        ("%flyte_deploy --max-concurrency 0", "max_concurrency"),
        ("%flyte_deploy --max-concurrency many", "'many'. Type %flyte_deploy? for help."),
        ("%flyte_deploy --max-con=many", "'many'. Type %flyte_deploy? for help."),
        ("%flyte_deploy --max-concurency=2", "Did you mean '--max-concurrency'?"),
        ("%flyte_deploy --nothing", "--nothing"),
        ("%flyte_deploy 'base", "No closing quotation"),
        ("def f():\n    x = %flyte_deploy bose\nf()", "Did you mean 'base'?"),
        ("%flyte_run", "nothing to run"),
        ("%flyte_run t", "t(...)"),
        ("%flyte_run t()", "missing a required argument: 'n'"),
        ("%flyte_run t(1, 2)", "too many positional arguments"),
        ("%flyte_run t(m=1)", "t(n: int)"),
        ("%flyte_run t(", "was never closed"),
        ("%flyte_run t(1) t(2)", "invalid syntax"),
        ("%flyte_run x = t(1)", "invalid syntax"),
        ("%flyte_run tt(1)", "Did you mean 't'?"),
        ("%flyte_run 1 + 1", "cannot be awaited"),
        ("%flyte_run print('hello');", "cannot be awaited"),
        ("%flyte_run spent", "awaited before"),
        ("%flyte_run gone(1)", "environment 'removed' is not defined"),
        ("x = %flyte_run t(\n  1,\n  2)", "too many positional arguments"),
        ("def f():\n    x = %flyte_run t()\nf()", "missing a required argument"),
        ("%flyte_remove", "required"),
        ("%flyte_remove bose", "Did you mean 'base'?"),
        ("%flyte_remove base", "is needed by 'api'"),
        ("%flyte_remove api bose", "Did you mean 'base'?"),
        ("%flyte_reset now", "now"),
    ],
)
def test_usage_error(defined: Notebook, cell: str, said: str) -> None:
    """One line on stderr says what is wrong; definitions and variables are as before."""
    result = defined.run(cell, "bad")
    assert result.ename == "UsageError"
    assert result.stderr == f"UsageError: {result.evalue}\n"
    assert said in result.evalue
    assert "\n" not in result.evalue
    assert result.traceback == ""
    assert result.displays == []
    assert defined.value("flyte.plan() == before, base.image, 'env' in globals()") == (True, "one:1", False)


@pytest.mark.parametrize("cell", ["%flyte_run missing", "%flyte_run t(missing)", "%flyte_run t(1 / 0)"])
def test_errors_of_the_expression(defined: Notebook, cell: str) -> None:
    """What the user's own expression raises has its own type, and shows the expression."""
    result = defined.run(cell)
    assert result.ename in ("NameError", "ZeroDivisionError")
    assert cell.removeprefix("%flyte_run ") in result.traceback


def test_plain_code(defined: Notebook) -> None:
    """In plain code the error keeps its type, and the traceback ends at the user's line."""
    result = defined.run("flyte.TaskEnvironment('Bad Name')", "bad")
    assert result.ename == "InvalidValueError"
    assert "flyte.TaskEnvironment('Bad Name')" in result.traceback
    assert "environment.py" not in result.traceback


def test_error_inside_a_task(defined: Notebook) -> None:
    """An error of ours that a task raises points at the line of the task."""
    defined.ok("@base.task\nasync def bad():\n    flyte.Resources(cpu='abc')", "c")
    result = defined.run("%flyte_run bad()")
    assert result.ename == "InvalidValueError"
    assert "flyte.Resources(cpu='abc')" in result.traceback
    defined.ok("", "c")
