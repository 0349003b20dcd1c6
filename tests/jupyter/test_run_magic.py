"""The expression of %flyte_run: what it sees, and how often it is evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


@pytest.fixture
def tasks(ip: InteractiveShell) -> InteractiveShell:
    ip.run_cell(
        "calls = []\ne = flyte.TaskEnvironment('e')\n"
        "@e.task\nasync def t(n: int) -> int:\n    return n\n"
        "@e.task\ndef s(n: int) -> int:\n    return n\n"
        "async def plain(n):\n    return n\n"
        "def make(f):\n    calls.append(f)\n    return f"
    ).raise_error()
    return ip


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("t(1)", 1),
        ("s(2)", 2),
        ("plain(3)", 3),
        ("make(t)(4)", 4),
        ("make(plain)(5)", 5),
        ("t(*[6])", 6),
        ("t(**{'n': 7})", 7),
        ("t(n=await plain(8))", 8),
        ("(t)(9)", 9),
        ("e.tasks['e.t'](10)", 10),
        ("t.aio(11)", 11),
        ("s.aio(12)", 12),
        ("[t(13)][0]", 13),
        ("t(1) if False else t(14)", 14),
        ("t(sum([x for x in range(6)]))", 15),
        ("t.override(retries=1)(16)", 16),
    ],
)
@pytest.mark.parametrize("form", ["x = %flyte_run {}", "def f():\n    y = %flyte_run {}\n    return y\nx = f()"])
def test_value(tasks: InteractiveShell, expression: str, value: int, form: str) -> None:
    """Calls of tasks and all that can be awaited give their value, each part being evaluated once."""
    tasks.run_cell(form.format(expression)).raise_error()
    assert tasks.user_ns["x"] == value
    assert len(tasks.user_ns["calls"]) == expression.count("make")


def test_arguments_are_checked_first(tasks: InteractiveShell) -> None:
    """A call that does not fit runs nothing."""
    result = tasks.run_cell("x = %flyte_run t()")
    assert type(result.error_in_exec).__name__ == "UsageError"
    assert "t(n: int) -> int" in str(result.error_in_exec)


def test_names_are_those_of_the_moment(tasks: InteractiveShell) -> None:
    """In a function the local variable is meant; in the notebook an assignment expression binds there."""
    tasks.run_cell("n = 1\nasync def f(n):\n    y = %flyte_run t(n)\n    return y\nx = await f(2)").raise_error()
    assert tasks.user_ns["x"] == 2


@pytest.mark.parametrize("expression", ["t(" * 300 + ")" * 300, "(" * 5000, "t('\\0" + "\0')"])
def test_hostile_expressions(tasks: InteractiveShell, expression: str) -> None:
    """What Python itself cannot read is an error like others."""
    result = tasks.run_cell(f"get_ipython().run_line_magic('flyte_run', {expression!r})")
    assert type(result.error_in_exec).__name__ == "UsageError"


def test_braces_and_dollars(tasks: InteractiveShell) -> None:
    """Braces and dollars mean what they mean in Python: nothing is expanded."""
    tasks.run_cell("n = 5\nx = %flyte_run t(len({'n': '$n'}['n']))").raise_error()
    assert tasks.user_ns["x"] == len("$n")


def test_await_after_the_magic_means_what_it_says(ip: InteractiveShell) -> None:
    """`%flyte_run await t(1)` is the same as `%flyte_run t(1)`."""
    ip.run_cell("env = flyte.TaskEnvironment('e')\n@env.task\nasync def t(n: int) -> int:\n    return n").raise_error()
    ip.run_cell("x = %flyte_run await t(1)").raise_error()
    assert ip.user_ns["x"] == 1


def test_a_terminal_waits_for_the_body_of_an_environment_cell(ip: InteractiveShell) -> None:
    """As with any cell magic, a blank line ends the cell."""
    assert ip.check_complete("%%flyte_env base --cpu 1")[0] == "incomplete"
    assert ip.check_complete("%%flyte_env base --cpu 1\nx = 1\n\n")[0] == "complete"


def test_a_terminal_shows_the_end_alone(ip: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    """It cannot replace what it has shown: the tree is printed once, as text."""
    ip.run_cell("env = flyte.TaskEnvironment('e')\n@env.task\nasync def t(n: int):\n    await asyncio.sleep(0.4)")
    ip.run_cell("x = %flyte_run t(1)").raise_error()
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("✓ e.t(n=1)  0.4")
