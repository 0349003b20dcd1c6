"""Which names a piece of source binds, as Python's scopes have it; nothing is run."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["BUILTINS", "Function", "arguments_of", "bound_names", "declared_names", "inside", "root_name"]

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
# Without what IPython adds to them.
BUILTINS = frozenset(dir(builtins)) - {"display", "get_ipython"}

_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_NEW_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def inside(node: ast.AST) -> Iterator[ast.AST]:
    """Yield `node` and all below that is executed with it: not the bodies of functions, classes and lambdas."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        if isinstance(current, _NEW_SCOPES) and current is not node:
            continue
        pending.extend(reversed(list(ast.iter_child_nodes(current))))


def bound_names(nodes: Iterable[ast.AST]) -> dict[str, None]:
    """Return the names that `nodes`, the statements of one scope, bind or delete there, in order.

    Of a star import nothing is known here.
    """
    found: dict[str, None] = {}
    for node in nodes:
        _collect(node, found, comprehension=False)
    return found


def declared_names(nodes: Iterable[ast.AST]) -> tuple[set[str], set[str]]:
    """Return the names that `nodes`, the statements of one scope, declare as global, and as nonlocal."""
    declared: tuple[set[str], set[str]] = (set(), set())
    for node in nodes:
        for part in inside(node) if not isinstance(node, _NEW_SCOPES) else ():
            if isinstance(part, ast.Global):
                declared[0].update(part.names)
            elif isinstance(part, ast.Nonlocal):
                declared[1].update(part.names)
    return declared


def _collect(node: ast.AST, found: dict[str, None], *, comprehension: bool) -> None:
    """Add what `node` binds; in a comprehension only `:=` binds a name of the scope around it."""
    if isinstance(node, ast.AnnAssign) and node.value is None and isinstance(node.target, ast.Name):
        return  # it only says what a name would be
    found.update(dict.fromkeys(_bound_by(node, comprehension=comprehension)))
    if isinstance(node, _NEW_SCOPES):
        return
    within = comprehension or isinstance(node, _Comprehension)
    for child in ast.iter_child_nodes(node):
        _collect(child, found, comprehension=within)


def _bound_by(node: ast.AST, *, comprehension: bool) -> list[str]:
    """Return the names that `node` itself binds."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Import(names=aliases):
            return [alias.asname or alias.name.partition(".")[0] for alias in aliases]
        case ast.ImportFrom(names=aliases):
            return [alias.asname or alias.name for alias in aliases if alias.name != "*"]
        case ast.NamedExpr(target=ast.Name(id=name)):
            return [name]
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) if not comprehension:
            return [name]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return [name]
        case ast.MatchMapping(rest=str(name)):
            return [name]
    return [node.name.id] if type(node).__name__ == "TypeAlias" else []  # type: ignore[attr-defined]  # from 3.12 on


def arguments_of(function: Function) -> list[ast.arg]:
    """Return the parameters of a function."""
    given = function.args
    stars = [star for star in (given.vararg, given.kwarg) if star]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *stars]


def root_name(node: ast.AST) -> str | None:
    """Return the name that `a.b[c].d` begins with, or None where it begins with something else."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
