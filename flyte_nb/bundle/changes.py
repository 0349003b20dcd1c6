"""What statements, and calls of the user's own functions, change in place."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flyte_nb.bundle.bindings import is_task_decorator
from flyte_nb.bundle.constants import CHANGING_FUNCTIONS, MUTATORS, SHUFFLING_FUNCTIONS
from flyte_nb.bundle.scopes import arguments_of, bound_names, inside, root_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["FunctionCall", "FunctionChanges", "calls_in", "changed_in", "changes_of", "decorator_calls"]

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call of a function by its bare name.

    Attributes:
        function: The name.
        given: The name that each argument begins with, by its position or its keyword.
    """

    function: str
    given: tuple[tuple[int | str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FunctionChanges:
    """What a function changes in place, or binds, outside of itself.

    Attributes:
        parameters: Its parameters, each with its position.
        names: Names of its module.
        calls: What it calls.
    """

    parameters: tuple[tuple[int, str], ...]
    names: frozenset[str]
    calls: tuple[FunctionCall, ...]

    def by(self, call: FunctionCall) -> set[str]:
        """Return the names that `call`, a call of this function, changes where it stands."""
        given = dict(call.given)
        changed = {given.get(position, given.get(name)) for position, name in self.parameters}
        return {*self.names, *(name for name in changed if name)}


def changed_in(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the names whose values `nodes` change in place: `d["a"] = 1`, `xs.append(2)`, `setattr(config, ...)`."""
    for node in nodes:
        match node:
            case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
                yield from filter(None, [root_name(node)])
            case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in MUTATORS:
                yield from filter(None, [root_name(value)])
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[first, *_]):
                if name in CHANGING_FUNCTIONS:
                    yield from filter(None, [root_name(first)])
            case ast.Expr(value=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[first, *_])):
                if name in SHUFFLING_FUNCTIONS:
                    yield from filter(None, [root_name(first)])
            case ast.For(target=target, iter=iterated) | ast.AsyncFor(target=target, iter=iterated):
                items = bound_names([target]).keys() - bound_names(node.body).keys()
                if any(name in items for part in node.body for name in changed_in(inside(part))):
                    yield from (part.id for part in ast.walk(iterated) if isinstance(part, ast.Name))


def calls_in(nodes: Iterable[ast.AST]) -> Iterator[FunctionCall]:
    """Yield the calls by bare names that `nodes` make."""
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            places: list[tuple[int | str, ast.expr]] = [
                *enumerate(node.args),
                *((keyword.arg or "**", keyword.value) for keyword in node.keywords),
            ]
            given = ((place, root_name(value)) for place, value in places)
            yield FunctionCall(node.func.id, tuple((place, name) for place, name in given if name))


def decorator_calls(node: ast.stmt) -> Iterator[FunctionCall | str]:
    """Yield what the decorators of a definition call, or the name that one belongs to: `@handlers.register`."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    if any(map(is_task_decorator, decorators)):
        return
    for decorator in decorators:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(called, ast.Name):
            yield next(calls_in([decorator]), FunctionCall(called.id))
        elif isinstance(called, ast.Attribute) and (name := root_name(called)):
            yield name


def changes_of(function: AnyFunction) -> FunctionChanges:
    """Return what a function, and the functions inside of it, change outside of it."""
    local: set[str] = set()
    declared: set[str] = set()
    for part in ast.walk(function):
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            local.update(argument.arg for argument in arguments_of(part))
            local.update(bound_names(part.body if isinstance(part.body, list) else [part.body]))
        elif isinstance(part, ast.Global):
            declared.update(part.names)
    changed = set(changed_in(ast.walk(function)))
    rebound = bound_names(function.body)  # frame = frame.copy(): what was given stays as it is
    plain = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    parameters = tuple(
        (position, argument.arg)
        for position, argument in enumerate(plain)
        if argument.arg in changed and argument.arg not in rebound
    )
    names = frozenset((changed - local) | (declared & (changed | local)))
    return FunctionChanges(parameters, names, tuple(calls_in(ast.walk(function))))
