"""What statements bind, by their looks: definitions and constants, or something that only a run gives."""

from __future__ import annotations

import ast
from copy import copy
from typing import TYPE_CHECKING

from flyte_nb.bundle.constants import SHUFFLING_FUNCTIONS
from flyte_nb.bundle.scopes import bound_names, inside

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "deciding_values",
    "is_definition",
    "is_guarded",
    "is_override",
    "is_task_decorator",
    "kept_names",
    "short_code",
    "undecorated",
    "what_sets",
]


def is_task_decorator(node: ast.expr) -> bool:
    """Say whether a decorator is `env.task` or `env.task(...)`, by its looks."""
    called = node.func if isinstance(node, ast.Call) else node
    return isinstance(called, ast.Attribute) and called.attr == "task"


def is_override(node: ast.stmt) -> bool:
    """Say whether `node` is `fast = train.override(...)`, which is another task than the one of that name."""
    return isinstance(node, ast.Assign) and any(
        isinstance(part, ast.Attribute) and part.attr == "override" for part in ast.walk(node.value)
    )


def is_definition(node: ast.stmt) -> bool:
    """Say whether a statement does nothing but bind names, or change what is bound, by definitions and values."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return True
        case ast.Assign() | ast.AugAssign() | ast.Pass() | ast.Raise() | ast.AnnAssign():
            return True
        case ast.Delete(targets=targets):
            return not any(isinstance(target, ast.Name) for target in targets)
        case ast.Expr(value=ast.Constant() | ast.Call()):
            return True
        case ast.If() | ast.Try():
            return not _is_main(node) and all(map(is_definition, _inner_statements(node)))
    return type(node).__name__ == "TypeAlias"


def deciding_values(node: ast.stmt) -> Iterator[ast.expr]:
    """Yield the expressions that decide what a definition gives."""
    match node:
        case ast.Assign(value=value, targets=targets):
            yield value
            yield from (target.slice for target in targets if isinstance(target, ast.Subscript))
        case ast.AugAssign(value=value):
            yield value
        case ast.AnnAssign(value=value) if value is not None:
            yield value
        case ast.Expr(value=ast.Call(func=function) as call) if _is_random(function):
            yield call
        case ast.Expr(value=ast.Call(args=args, keywords=keywords)):  # it changes a constant, or binds nothing
            yield from args
            yield from (keyword.value for keyword in keywords)
        case ast.If(test=test):
            yield test
    for inner in _inner_statements(node):
        yield from deciding_values(inner)


def _is_random(function: ast.expr) -> bool:
    """Say whether a call of `function` changes a value in place, another way each time."""
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in SHUFFLING_FUNCTIONS
    return False


def _inner_statements(node: ast.stmt) -> list[ast.stmt]:
    match node:
        case ast.If(body=body, orelse=orelse):
            return [*body, *orelse]
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
            return [*body, *(part for handler in handlers for part in handler.body), *orelse, *final]
    return []


def _is_main(node: ast.stmt) -> bool:
    match node:
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
            return True
    return False


def is_guarded(node: ast.stmt) -> bool:
    """Say whether a name that is missing is expected: `try: ... except NameError`."""
    return isinstance(node, ast.Try)


def kept_names(node: ast.stmt) -> set[str]:
    """Return the names that are still bound after `node`."""
    if isinstance(node, ast.Delete):
        return set()
    kept = set(bound_names([node]))
    for part in inside(node):
        if isinstance(part, ast.ExceptHandler) and part.name:
            kept.discard(part.name)
    return kept


def what_sets(node: ast.stmt) -> str:
    """Return what kind of value `node`, which is no definition, gives; for people."""
    match node:
        case ast.For() | ast.AsyncFor() | ast.While():
            return "a variable of a loop"
        case ast.With() | ast.AsyncWith():
            return "a run-time value set in a `with` block"
        case ast.Delete():
            return "which is deleted"
        case _ if _is_main(node):
            return "which is set only where the file is run as a program,"
    return "a run-time value set"


def short_code(node: ast.expr) -> str:
    """Return an expression as code for a message."""
    text = " ".join(ast.unparse(node).split())
    return f"`{text if len(text) <= 60 else text[:57] + '...'}`"


def undecorated(node: ast.stmt) -> ast.stmt:
    """Return the function of a task without the decorator that makes it one."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node
    plain = copy(node)
    plain.decorator_list = [decorator for decorator in node.decorator_list if not is_task_decorator(decorator)]
    return plain
