"""Which names of its module a statement uses: when it is executed, and when what it defines is called."""

from __future__ import annotations

import ast
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.scopes import Function, arguments_of, bound_names, declared_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Uses", "uses"]


@dataclass(frozen=True, slots=True)
class Uses:
    """The names of the module that a statement uses, each with the line of its first use.

    Attributes:
        now: When the statement is executed: defaults, decorators, bases, class bodies, values.
        later: When what it defines is called.
        hints: In annotations that Python does not evaluate; whoever asks for types does.
    """

    now: dict[str, int] = field(default_factory=dict)
    later: dict[str, int] = field(default_factory=dict)
    hints: dict[str, int] = field(default_factory=dict)


def uses(node: ast.stmt, *, lazy_annotations: bool = False) -> Uses:
    """Return what `node` uses; with `lazy_annotations`, its module has `from __future__ import annotations`."""
    finder = _Finder(lazy_annotations=lazy_annotations)
    finder.visit(node)
    return finder.found


@dataclass
class _Scope:
    """Where names are looked up: of a function, a lambda, a comprehension, or the body of a class."""

    names: set[str]
    is_class: bool = False
    is_called: bool = False
    globals: set[str] = field(default_factory=set)


class _Finder(ast.NodeVisitor):
    def __init__(self, *, lazy_annotations: bool) -> None:
        self.found = Uses()
        self._lazy = lazy_annotations
        self._scopes: list[_Scope] = []

    # Names

    def _use(self, name: str, line: int, into: dict[str, int] | None = None) -> None:
        if not self._is_local(name):
            called = any(scope.is_called for scope in self._scopes)
            kind = (self.found.later if called else self.found.now) if into is None else into
            kind.setdefault(name, line)

    def _is_local(self, name: str) -> bool:
        if name == "__class__":
            return any(scope.is_class for scope in self._scopes)
        innermost = True
        for scope in reversed(self._scopes):
            if name in scope.globals:
                return False
            # What a class binds is seen in its own body only, not in functions and comprehensions inside.
            if name in scope.names and (innermost or not scope.is_class):
                return True
            innermost = False
        return False

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._use(node.id, node.lineno)
        elif self._scopes and self._scopes[-1].is_class and isinstance(node.ctx, ast.Store):
            self._scopes[-1].names.add(node.id)

    def visit_Assign(self, node: ast.Assign) -> None:
        self._visit_all([node.value, *node.targets])  # as it is executed

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self._visit_all([node.iter, node.target, *node.body, *node.orelse])

    visit_AsyncFor = visit_For  # noqa: N815

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._visit_all([node.value, node.target])

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):  # it is read before it is bound
            self._use(node.target.id, node.lineno)
        self.generic_visit(node)

    # Scopes

    @contextmanager
    def _inside(self, scope: _Scope) -> Iterator[None]:
        self._scopes.append(scope)
        try:
            yield
        finally:
            self._scopes.pop()

    def _bind(self, name: str) -> None:
        if self._scopes and self._scopes[-1].is_class:
            self._scopes[-1].names.add(name)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._visit_all(node.decorator_list)
        with self._inside(_type_parameters(node)):
            self._visit_all(getattr(node, "type_params", ()))
            for argument in arguments_of(node):
                self._hint(argument.annotation)
            self._hint(node.returns)
        self._visit_defaults(node)
        self._bind(node.name)
        with self._inside(_type_parameters(node)), self._inside(_function_scope(node, node.body)):
            self._visit_all(node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the name ast asks for

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_defaults(node)
        with self._inside(_function_scope(node, [node.body])):
            self.visit(node.body)

    def _visit_defaults(self, node: Function) -> None:
        self._visit_all([*node.args.defaults, *(default for default in node.args.kw_defaults if default)])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._visit_all(node.decorator_list)
        with self._inside(_type_parameters(node)):
            self._visit_all([*getattr(node, "type_params", ()), *node.bases, *node.keywords])
            with self._inside(_Scope({"__module__", "__qualname__", "__class__"}, is_class=True)):
                self._visit_all(node.body)
        self._bind(node.name)

    def visit_TypeAlias(self, node: Any) -> None:
        self._bind(node.name.id)
        with self._inside(_type_parameters(node)):
            self._visit_all([*node.type_params, node.value])

    def _visit_comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        first, *others = node.generators
        self.visit(first.iter)  # in the scope around
        targets = bound_names(generator.target for generator in node.generators)
        with self._inside(_Scope(set(targets))):
            self._visit_all(first.ifs)
            for generator in others:
                self._visit_all([generator.iter, *generator.ifs])
            parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            self._visit_all(parts)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _visit_comprehension  # noqa: N815

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name in bound_names([node]):
            self._bind(name)

    visit_ImportFrom = visit_Import  # noqa: N815

    # Annotations

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)
        if not (self._scopes and self._scopes[-1].is_called):  # those of local variables are never evaluated
            self._hint(node.annotation)
        self.visit(node.target)

    def _hint(self, annotation: ast.expr | None) -> None:
        if annotation is None:
            return
        if not self._lazy:
            self.visit(annotation)
        for name, line in _names_in_hint(annotation, lazy=self._lazy):
            self._use(name, line, self.found.hints)

    # Code in strings

    def visit_Call(self, node: ast.Call) -> None:
        match node:
            case ast.Call(func=ast.Name(id="exec" | "eval"), args=[ast.Constant(value=str(code))], keywords=[]):
                self._visit_code(code, node.lineno)  # with names of its own it sees no others
            case ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Name(id="globals"), args=[])),
                args=[ast.Constant(value=str(name)), *_],
            ):
                self._use(name, node.lineno)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        match node:
            case ast.Subscript(
                value=ast.Call(func=ast.Name(id="globals"), args=[]), slice=ast.Constant(value=str(name))
            ) if isinstance(node.ctx, ast.Load):
                self._use(name, node.lineno)
        self.generic_visit(node)

    def _visit_code(self, code: str, line: int) -> None:
        """Note what `code`, which `exec` or `eval` is given, uses where they are called."""
        try:
            tree = ast.parse(code.strip())
        except (SyntaxError, ValueError):
            return  # it fails when it is executed
        for node in ast.walk(tree):
            if hasattr(node, "lineno"):
                node.lineno = line
        with self._inside(_Scope(set(bound_names(tree.body)))):
            self._visit_all(tree.body)


def _function_scope(node: Function, body: Sequence[ast.AST]) -> _Scope:
    global_names, elsewhere = declared_names(body)
    names = bound_names(body).keys() - elsewhere - global_names
    names.update(argument.arg for argument in arguments_of(node))
    return _Scope(names, is_called=True, globals=global_names)


def _type_parameters(node: ast.AST) -> _Scope:
    """Return the scope of `def f[T](...)`, which has no names before Python 3.12."""
    return _Scope({parameter.name for parameter in getattr(node, "type_params", ())})


def _names_in_hint(annotation: ast.expr, *, lazy: bool) -> Iterator[tuple[str, int]]:
    """Yield the names in the texts of an annotation, and in all of it where Python does not evaluate it."""
    for node in _types_in(annotation):
        if lazy and isinstance(node, ast.Name):
            yield node.id, node.lineno
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                inner = ast.parse(node.value.strip(), mode="eval").body
            except (SyntaxError, ValueError):
                continue
            yield from ((name.id, node.lineno) for name in _types_in(inner) if isinstance(name, ast.Name))


def _types_in(node: ast.expr) -> Iterator[ast.expr]:
    """Yield `node` and what is in it, without the texts in it that are no types."""
    yield node
    match node:
        case ast.Subscript(value=value, slice=index):
            yield from _types_in(value)
            called = value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")
            if called == "Annotated" and isinstance(index, ast.Tuple):
                yield from _types_in(index.elts[0])
                yield from (part for part in ast.walk(index) if isinstance(part, ast.Name))
            elif called != "Literal":
                yield from _types_in(index)
        case _:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    yield from _types_in(child)
