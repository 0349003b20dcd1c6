"""What can be read off the source of a project's modules, without running them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["called_names", "environment_variables", "imported_packages", "required_inputs"]


def imported_packages(source: str) -> set[str]:
    """Return the top-level names of what a module imports, inside functions too; relative imports are its own."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found


def environment_variables(source: str) -> set[str]:
    """Return the variables of the process that the declarations of environments and tasks in a module read."""
    tree = ast.parse(source)
    bound = {
        ast.unparse(target): node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and _function_called(node.value) == "flyte.TaskEnvironment"
        for target in node.targets
    }
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    decorators = (decorator for function in functions for decorator in function.decorator_list)
    tasks = {f"{name}.task" for name in bound}
    declared = [*bound.values(), *(each for each in decorators if _function_called(each) in tasks)]
    return {name for call in declared for name in _variables_read(call)}


def _function_called(node: ast.AST) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def _variables_read(call: ast.AST) -> Iterator[str]:
    for node in ast.walk(call):
        if isinstance(node, ast.Call) and _function_called(node) == "os.environ.get":
            yield ast.literal_eval(node.args[0])


def called_names(source: str) -> set[str]:
    """Return the last part of everything that a module calls."""
    calls = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return {ast.unparse(function).rpartition(".")[2] for function in calls}


def required_inputs(source: str) -> dict[str, list[str]]:
    """Return the functions at the top of a module, and which of their parameters have no default."""
    functions = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {function.name: _required(function.args) for function in functions}


def _required(arguments: ast.arguments) -> list[str]:
    positional = [*arguments.posonlyargs, *arguments.args]
    keyword = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    required = positional[: len(positional) - len(arguments.defaults)]
    return [argument.arg for argument in (*required, *(name for name, default in keyword if default is None))]
