"""What follows %flyte_run: where an expression ends and an option begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.errors import InvalidExpressionError, UnknownPlaceError
from flyte_nb.jupyter.run_lines import RunLine, run_line
from flyte_nb.session import session

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def read(line: str) -> RunLine:
    return run_line(line, session().runner)


EXPRESSIONS = [
    "t(1)",
    "t",
    "await t(1)",
    "asyncio.gather(t(1), t(2))",
    "[t(1)][0]",
    "t('--on x')",
    "t(a)-(-1)",
    "t(\n1,\n)",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
@pytest.mark.parametrize(
    "form", ["{} --on local", "{} --on=local", "{}  --on   local ;", "--on local {}", "--on=local {}", "--on local\n{}"]
)
def test_the_option_stands_on_either_side(expression: str, form: str) -> None:
    """Before the expression or after it, with a blank or an equals sign."""
    assert read(form.format(expression)) == RunLine(expression, "local")


@pytest.mark.parametrize("expression", [*EXPRESSIONS, "a --on", "a --on - b", "--on", "--on (t)", "t()  # --on local"])
def test_what_python_reads_as_an_expression_is_one(expression: str) -> None:
    """Two minus signs subtract and negate, and what stands in a string or a comment is no option."""
    assert read(expression) == RunLine(expression, None)


@pytest.mark.parametrize(
    "line", ["", ";", "--on local", "--on=local", "t( --on local", "t() --on local x", "t() --at local"]
)
def test_without_an_expression_there_is_nothing_to_run(line: str) -> None:
    """An option alone, or half an expression, is refused."""
    with pytest.raises(InvalidExpressionError):
        read(line)


@given(expression=st.sampled_from(EXPRESSIONS), place=st.from_regex(r"[A-Za-z_][\w-]{0,9}", fullmatch=True))
def test_any_word_is_taken_for_a_place(expression: str, place: str) -> None:
    """On either side; whether there is such a place is for the runner to say."""
    for line in (f"{expression} --on {place}", f"--on {place} {expression}"):
        with pytest.raises(UnknownPlaceError) as refused:
            read(line)
        assert refused.value.place == place


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("t(1) --on locl", "Did you mean 'local'? Known places: inline, local, flyte."),
        ("--on moon t(1)", "Tasks do not run on 'moon'."),
        ("t(1) --on", "say where it runs: --on local, flyte or inline"),
        ("t(1) --on local", "'e' is not deployed to local. Deploy it: %flyte_deploy e"),
    ],
)
@pytest.mark.parametrize("form", ["%flyte_run {}", "def f():\n    %flyte_run {}\nf()"])
def test_mistakes_are_one_line(ip: InteractiveShell, line: str, said: str, form: str) -> None:
    """A place that does not exist, and what is not deployed there, before anything runs."""
    ip.run_cell("e = flyte.TaskEnvironment('e')\n@e.task\nasync def t(n: int) -> int:\n    return 1 / 0")
    result = ip.run_cell(form.format(line))
    assert type(result.error_in_exec).__name__ == "UsageError"
    assert said in str(result.error_in_exec)
    assert "\n" not in str(result.error_in_exec)


def test_inline_says_what_is_meant_without_it(ip: InteractiveShell) -> None:
    """The kernel itself is a place, too."""
    ip.run_cell("e = flyte.TaskEnvironment('e')\n@e.task\nasync def t(n: int) -> int:\n    return n").raise_error()
    ip.run_cell("x = %flyte_run t(1) --on inline").raise_error()
    assert ip.user_ns["x"] == 1


def test_a_variable_of_that_name_is_subtracted(ip: InteractiveShell) -> None:
    """Where somebody has called a number `on`, Python has its way."""
    ip.run_cell("e = flyte.TaskEnvironment('e')\n@e.task\ndef t(n: int) -> int:\n    return n\non = 5").raise_error()
    ip.run_cell("x = %flyte_run t(1) --on").raise_error()
    assert ip.user_ns["x"] == 6
