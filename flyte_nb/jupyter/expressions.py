"""Running what follows %flyte_run: an expression that calls a task, or gives something to await."""

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
import re
from typing import TYPE_CHECKING, Any

from flyte_nb.errors import InvalidExpressionError, did_you_mean
from flyte_nb.jupyter.run_lines import FILENAME, on_one_line, parsed_expression
from flyte_nb.model.stand_ins import as_task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyte_nb.execution.journal import Journal
    from flyte_nb.execution.runner import Runner

__all__ = ["run_expression"]

_BARE_OPTION = re.compile(r"\s--on$")


async def run_expression(
    expression: str, names: dict[str, Any], local: Mapping[str, Any], runner: Runner, journal: Journal
) -> Any:
    """Run a checked expression and return its value; what a task raises is raised.

    A call of a task is taken apart, so that its arguments are checked before anything runs and a sync task is a run,
    too. Anything else must give an awaitable, or have called tasks by itself, as `journal` tells.

    Raises:
        InvalidExpressionError: The value is nothing that can be awaited, or was awaited before.
        InvalidArgumentsError: The arguments do not fit the task; nothing was run.
    """
    __tracebackhide__ = True
    _check_place(expression, names, local)
    tree = parsed_expression(expression)
    if isinstance(tree.body, ast.Await):
        tree.body = tree.body.value  # `%flyte_run await f()` means what it says
    if local is not names:
        # In a function. One namespace for both: the body of a comprehension or lambda sees no other.
        names = {**names, **local}
    # Tracebacks find the text of the expression here.
    linecache.cache[FILENAME] = (len(expression), None, f"{expression}\n".splitlines(keepends=True), FILENAME)
    if isinstance(tree.body, ast.Call):
        _check_name(expression, tree.body.func, {**vars(builtins), **names})
        function = await _value(tree.body.func, names)
        args, kwargs = await _value(_arguments(tree.body), {**names, "__arguments__": _captured})
        if task := as_task(function):
            return (await runner.run(task, args, kwargs)).result
        value = function(*args, **kwargs)
    else:
        value = await _value(tree.body, names)
    shown = on_one_line(expression)
    if as_task(value):
        raise InvalidExpressionError(shown, f"this is a task; call it: {shown}(...)")
    if journal and not inspect.isawaitable(value):
        return value  # of `s(1) + 1`, or of `(await a()) + 1`: the work is done
    if not inspect.isawaitable(value):
        raise InvalidExpressionError(shown, f"this gives {type(value).__name__}, which cannot be awaited")
    if inspect.iscoroutine(value) and inspect.getcoroutinestate(value) != inspect.CORO_CREATED:
        raise InvalidExpressionError(shown, "this coroutine was awaited before; call the task again")
    return await value


def _check_place(expression: str, names: Mapping[str, Any], local: Mapping[str, Any]) -> None:
    """Refuse `train(3) --on`, which subtracts what nobody has defined."""
    if _BARE_OPTION.search(expression) and "on" not in names and "on" not in local:
        raise InvalidExpressionError(on_one_line(expression), "say where it runs: --on local, flyte or inline")


def _check_name(expression: str, called: ast.expr, known: Mapping[str, Any]) -> None:
    if isinstance(called, ast.Name) and called.id not in known:
        tasks = [name for name, value in known.items() if as_task(value)]
        raise InvalidExpressionError(
            on_one_line(expression), f"{called.id!r} is not defined.{did_you_mean(called.id, tasks)}"
        )


def _captured(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, kwargs


def _arguments(call: ast.Call) -> ast.expr:
    """Return an expression that gives the arguments of `call` without calling it."""
    capture = ast.Name("__arguments__", ast.Load())
    return ast.copy_location(ast.Call(ast.copy_location(capture, call), call.args, call.keywords), call)


async def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    __tracebackhide__ = True
    code = compile(ast.Expression(node), FILENAME, "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    value = eval(code, names)  # noqa: S307 - the user's own expression, in the user's own namespace
    return await value if code.co_flags & inspect.CO_COROUTINE else value
