"""The functions in a piece of source."""

from __future__ import annotations

import ast

from flyte_nb.bundle.statements import FUNCTIONS

__all__ = ["AnyFunction", "is_in_function", "outermost_functions"]

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


def outermost_functions(node: ast.AST) -> list[AnyFunction]:
    """Return the functions in `node`, without those inside of other functions and lambdas."""
    if isinstance(node, FUNCTIONS):
        return [node]
    if isinstance(node, ast.Lambda):
        return []
    return [function for child in ast.iter_child_nodes(node) for function in outermost_functions(child)]


def is_in_function(node: ast.stmt, name: str) -> bool:
    """Say whether all uses of `name` are in functions, into which an import can be written."""
    everywhere = sum(isinstance(part, ast.Name) and part.id == name for part in ast.walk(node))
    functions = outermost_functions(node)
    inside = sum(
        isinstance(part, ast.Name) and part.id == name
        for function in functions
        for statement in function.body
        for part in ast.walk(statement)
    )
    return everywhere == inside
