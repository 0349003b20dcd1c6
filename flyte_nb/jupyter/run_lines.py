"""What follows %flyte_run: an expression, and where it runs: `train(3) --on local`, or `--on local train(3)`."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flyte_nb.errors import InvalidExpressionError
from flyte_nb.jupyter.secrets import expression_without_secrets

if TYPE_CHECKING:
    from flyte_nb.execution.runner import Runner

__all__ = ["FILENAME", "RunLine", "on_one_line", "parsed_expression", "run_line"]

FILENAME = "<%flyte_run>"
"""Where tracebacks say that the expression stands."""

_PLACE = r"--on(?:=|\s+)(?P<on>[\w-]+)"
_AHEAD = re.compile(rf"{_PLACE}(?:\s+(?P<expression>.*))?", re.DOTALL)
_BEHIND = re.compile(rf"(?P<expression>.*?)\s*{_PLACE}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RunLine:
    """What is to be run.

    Attributes:
        expression: Source of an expression.
        on: The name of the place, if one was given.
    """

    expression: str
    on: str | None = None


def run_line(line: str, runner: Runner) -> RunLine:
    """Return what `line` says.

    What Python reads as an expression is one: `a --on` subtracts, and a string may hold anything.

    Raises:
        InvalidExpressionError: There is no expression.
        UnknownPlaceError: `runner` has no such place.
    """
    text = line.strip().rstrip(";").strip()
    found = _AHEAD.fullmatch(text) or _BEHIND.fullmatch(text)
    if found and not _is_expression(text):
        return RunLine(_checked(found["expression"] or ""), runner.checked_place(found["on"]))
    return RunLine(_checked(text))


def parsed_expression(expression: str) -> ast.Expression:
    """Return the syntax tree of `expression`, which may await, or raise what Python raises."""
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree: ast.Expression = compile(expression, FILENAME, "eval", flags)
    return tree


def on_one_line(expression: str) -> str:
    """Return `expression` as messages show it."""
    return " ".join(expression_without_secrets(expression).split())


def _is_expression(text: str) -> bool:
    try:
        parsed_expression(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _checked(text: str) -> str:
    """Return `text` if it is an expression."""
    if not text:
        raise InvalidExpressionError(text, "there is nothing to run")
    try:
        parsed_expression(text)
    except SyntaxError as error:
        raise InvalidExpressionError(on_one_line(text), f"{error.msg} at column {error.offset}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise InvalidExpressionError(on_one_line(text), str(error) or "this is nested too deeply") from None
    return text
