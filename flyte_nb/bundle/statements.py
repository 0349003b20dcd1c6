"""The statements of a cell or of a module file, as they were written."""

from __future__ import annotations

import ast
import io
import re
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.bindings import undecorated
from flyte_nb.bundle.changes import calls_in, changed_in, decorator_calls
from flyte_nb.bundle.constants import CHANGING_FUNCTIONS, MUTATORS, SHUFFLING_FUNCTIONS
from flyte_nb.bundle.scopes import bound_names, inside, root_name
from flyte_nb.bundle.uses import Uses, uses
from flyte_nb.masking import without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flyte_nb.bundle.changes import FunctionCall

__all__ = [
    "FUNCTIONS",
    "SourceText",
    "Statement",
    "absolute_module",
    "decorator_row",
    "first_line",
    "first_row",
    "imported_modules",
]

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_TEMPLATE = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_ONLY_BIND = (*FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom)
_SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete, ast.Expr)
_STAR = re.compile(r"import\s*\(?\s*\*")
_MUTATION = re.compile(
    rf"\.\s*(?:{'|'.join(sorted(MUTATORS))})\s*\("
    rf"|\b(?:{'|'.join(sorted(CHANGING_FUNCTIONS | SHUFFLING_FUNCTIONS))})\s*\("
)
# Magics of whole cells that run the cell as it is.
_TRANSPARENT = frozenset({"capture", "prun", "time"})


@dataclass(frozen=True, slots=True)
class TaskFunction:
    """The function of a task, without the decorator that makes it one.

    Attributes:
        uses: The names that it uses.
        code: What Python sees of it.
    """

    uses: Uses
    code: str


class Statement:
    """One statement of a cell or a module, where nothing is around it.

    Attributes:
        source: Where it stands.
        binds: The names that it binds or deletes.
        changes: The names whose values it changes in place: `d["a"] = 1`, `xs.append(2)`.
        calls: The functions that it calls by their bare names when it is executed.
        decorated: What its decorators call, or belong to.
        alias_of: The name that its value begins with, if it only gives that another name.
        is_function: Whether it defines a function.
        is_class: Whether it defines a class.
        line: The line on which it begins, decorators left aside.
        first_line: The line on which it begins, with its decorators.
        end_line: The line on which it ends.
    """

    def __init__(self, source: SourceText, index: int, node: ast.stmt) -> None:
        self.source, self._index = source, index
        self._functions: dict[int, TaskFunction] = {}
        self.binds = (*_bound(node, source), *_starred(node, source))
        self.changes = tuple(dict.fromkeys(_changed(node, source)))
        self.calls = tuple(_called(node))
        self.decorated = tuple(decorator_calls(node))
        self.alias_of = _alias_of(node)
        self.is_function, self.is_class = isinstance(node, FUNCTIONS), isinstance(node, ast.ClassDef)
        self.line, self.end_line = node.lineno, node.end_lineno or node.lineno
        self.first_line = first_line(node)

    @property
    def node(self) -> ast.stmt:
        """Its syntax."""
        return self.source.nodes[self._index]

    @cached_property
    def uses(self) -> Uses:
        """The names that it uses."""
        return uses(self.node, lazy_annotations=self.source.is_lazy)

    @cached_property
    def code(self) -> str:
        """What Python sees of it: without comments and layout."""
        return ast.unparse(self.node)

    @cached_property
    def modules(self) -> tuple[str, ...]:
        """The modules that are imported anywhere in it."""
        if not self.source.may_import:
            return ()
        return tuple(imported_modules([self.node], self.source.package))

    def function(self, node: ast.stmt) -> TaskFunction:
        """Return what matters of a task's function that is this statement, or in it."""
        if node.lineno not in self._functions:
            plain = undecorated(node)
            used = uses(plain, lazy_annotations=self.source.is_lazy)
            self._functions[node.lineno] = TaskFunction(used, ast.unparse(plain))
        return self._functions[node.lineno]

    def __repr__(self) -> str:
        return f"<{self.source.title}, line {self.line}: {', '.join(self.binds)}>"


class SourceText:
    """The text of one cell or module. What it says is kept; its syntax, which is large, only while it is needed.

    Attributes:
        text: The text.
        title: What people call it: "cell [3]", "helpers.py".
        package: The package that relative imports start from, if any.
    """

    def __init__(self, text: str, title: str, package: str = "") -> None:
        self.text, self.title, self.package = text, title, package
        self._nodes: list[ast.stmt] | None = None

    @cached_property
    def lines(self) -> list[str]:
        """Its lines, as Python counts them, with their ends."""
        return list(io.StringIO(self.text, newline=""))

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """Its statements; none if it is not Python."""
        return tuple(Statement(self, index, node) for index, node in enumerate(self.nodes))

    @property
    def nodes(self) -> list[ast.stmt]:
        """The syntax of its statements."""
        if self._nodes is None:
            try:
                self._nodes = self._parsed()
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                self._nodes = []
        return self._nodes

    def forget_syntax(self) -> None:
        """Let go of the syntax; who asks for it gets it anew."""
        self._nodes = None
        self.__dict__.pop("_functions", None)

    def _parsed(self) -> list[ast.stmt]:
        nodes = _parsed(self.text)
        hidden = _hidden_cell(nodes)
        if hidden is not None:  # it stands one line further down
            self.text = f"\n{hidden}"
            nodes = _parsed(self.text)
        return nodes

    def function(self, name: str, line: int) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, Statement] | None:
        """Return the function of that name that begins on `line`, at any depth, and the statement it is in."""
        for statement in self.statements:
            if statement.first_line == line and isinstance(node := statement.node, FUNCTIONS) and node.name == name:
                return node, statement
        return self._functions.get((name, line))

    @cached_property
    def _functions(self) -> dict[tuple[str, int], tuple[ast.FunctionDef | ast.AsyncFunctionDef, Statement]]:
        return {
            (node.name, first_line(node)): (node, statement)
            for statement in self.statements
            for node in ast.walk(statement.node)
            if isinstance(node, FUNCTIONS)
        }

    @cached_property
    def is_lazy(self) -> bool:
        """Whether annotations are not evaluated here."""
        return "__future__" in self.text and any(
            isinstance(node, ast.ImportFrom)
            and node.module == "__future__"
            and any(alias.name == "annotations" for alias in node.names)
            for node in self.nodes
        )

    @cached_property
    def shared_lines(self) -> frozenset[int]:
        """The lines on which more than one statement stands."""
        counts = Counter(line for each in self.statements for line in {each.line, each.end_line})
        return frozenset(line for line, count in counts.items() if count > 1)

    # What the text shows at a glance, so that most statements need no closer look

    @cached_property
    def may_walrus(self) -> bool:
        """Whether an expression in it may bind a name."""
        return ":=" in self.text

    @cached_property
    def may_import(self) -> bool:
        """Whether it may import something."""
        return "import" in self.text

    @cached_property
    def may_star(self) -> bool:
        """Whether it may import all names of a module."""
        return bool(_STAR.search(self.text))

    @cached_property
    def may_mutate(self) -> bool:
        """Whether a method that changes a value in place may be called in it."""
        return bool(_MUTATION.search(self.text))

    @cached_property
    def may_hold_credentials(self) -> bool:
        """Whether something in it looks like a key or a password."""
        return bool(without_credentials(self.text) != self.text)


def first_line(node: ast.stmt) -> int:
    """Return the line on which a statement begins, with its decorators, as functions say it: brackets left aside."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def first_row(node: ast.stmt, lines: Sequence[str]) -> int:
    """Return which of `lines`, counted from 0, a statement begins on, with its decorators."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return decorator_row(decorators[0], lines) if decorators else node.lineno - 1


def decorator_row(decorator: ast.expr, lines: Sequence[str]) -> int:
    """Return which of `lines`, counted from 0, has the "@" of a decorator, which may stand in brackets below it."""
    row = decorator.lineno - 1
    while not lines[row].lstrip().startswith("@"):
        row -= 1
    return row


def _bound(node: ast.stmt, source: SourceText) -> Iterable[str]:
    if not source.may_walrus:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                return (name,)
            case ast.Assign(targets=[ast.Name(id=name)]):
                return (name,)
            case ast.Expr():
                return ()
    return bound_names([node])


def _parsed(text: str) -> list[ast.stmt]:
    tree: Any = compile(text, "<cell>", "exec", _TEMPLATE, dont_inherit=True)
    body: list[ast.stmt] = tree.body
    return body


def _hidden_cell(nodes: list[ast.stmt]) -> str | None:
    """Return the cell below a first line such as %%time, which IPython gives to the magic as text."""
    match nodes:
        case [
            ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr="run_cell_magic"),
                    args=[ast.Constant(value=str(magic)), ast.Constant(), ast.Constant(value=str(body))],
                )
            )
        ] if magic in _TRANSPARENT:
            return body
    return None


def _starred(node: ast.stmt, source: SourceText) -> tuple[str, ...]:
    """Return what star imports bind: the modules are loaded, because the cell has run."""
    names: list[str] = []
    if not source.may_star:
        return ()
    for part in inside(node):
        if isinstance(part, ast.ImportFrom) and any(alias.name == "*" for alias in part.names):
            module = sys.modules.get(absolute_module(part, source.package))
            public = getattr(module, "__all__", None)
            names += public if public is not None else [name for name in vars(module or object) if name[:1] != "_"]
    return tuple(names)


def imported_modules(nodes: Iterable[ast.AST], package: str = "") -> Iterator[str]:
    """Yield the full names of the modules that are imported anywhere in `nodes`; some may be names inside of one."""
    for top in nodes:
        for node in ast.walk(top):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = absolute_module(node, package)
                yield module
                yield from (f"{module}.{alias.name}" for alias in node.names)


def absolute_module(node: ast.ImportFrom, package: str) -> str:
    """Return the full name of the module that `node` imports from."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def _changed(node: ast.stmt, source: SourceText) -> Iterable[str]:
    if isinstance(node, _ONLY_BIND):
        return ()
    if source.may_mutate or not isinstance(node, _SIMPLE):
        return changed_in(inside(node))
    return changed_in(part for target in _targets(node) for part in inside(target))


def _targets(node: ast.stmt) -> list[ast.expr]:
    match node:
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            return targets
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            return [target]
    return []


def _called(node: ast.stmt) -> Iterable[FunctionCall]:
    if isinstance(node, _ONLY_BIND) or isinstance(getattr(node, "value", None), ast.Constant | ast.Name):
        return ()
    return calls_in(inside(node))


def _alias_of(node: ast.stmt) -> str | None:
    match node:
        case ast.Assign(value=ast.Name() | ast.Attribute() | ast.Subscript() as value):
            return root_name(value)
    return None
