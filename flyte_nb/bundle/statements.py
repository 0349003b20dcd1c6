"""The statements of a cell or of a module file, as they were written."""

from __future__ import annotations

import ast
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.constants import MUTATORS
from flyte_nb.bundle.scopes import bound_names, inside, root_name
from flyte_nb.bundle.uses import Uses, uses

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FUNCTIONS", "SourceText", "Statement", "absolute_module"]

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_TEMPLATE = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
# Magics of whole cells that run the cell as it is.
_TRANSPARENT = frozenset({"capture", "prun", "time"})


class Statement:
    """One statement of a cell or a module, where nothing is around it.

    Attributes:
        source: Where it stands.
        node: Its syntax.
        binds: The names that it binds or deletes.
    """

    __slots__ = ("__dict__", "binds", "node", "source")

    def __init__(self, source: SourceText, node: ast.stmt) -> None:
        self.source, self.node = source, node
        self.binds: tuple[str, ...] = tuple(bound_names([node])) + _starred(node, source)

    @cached_property
    def uses(self) -> Uses:
        """The names that it uses."""
        return uses(self.node, lazy_annotations=self.source.is_lazy)

    @cached_property
    def changes(self) -> tuple[str, ...]:
        """The names whose values it changes in place: `d["a"] = 1`, `xs.append(2)`."""
        return tuple(dict.fromkeys(_changed(self.node)))

    @cached_property
    def code(self) -> str:
        """What Python sees of it: without comments and layout."""
        return ast.unparse(self.node)

    @property
    def line(self) -> int:
        """The line on which it begins, decorators left aside."""
        return self.node.lineno

    def __repr__(self) -> str:
        return f"<{self.source.title}, line {self.line}: {', '.join(self.binds)}>"


class SourceText:
    """The text of one cell or module, parsed when it is first asked.

    Attributes:
        text: The text.
        title: What people call it: "cell In [3]", "helpers.py".
        package: The package that relative imports start from, if any.
        is_broken: Whether it is not Python.
    """

    def __init__(self, text: str, title: str, package: str = "") -> None:
        self.text, self.title, self.package = text, title, package
        self.is_broken = False

    @cached_property
    def lines(self) -> list[str]:
        """Its lines, as Python counts them, with their ends."""
        return _lines(self.text)

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """Its statements; none if it is not Python."""
        return tuple(Statement(self, node) for node in self._nodes)

    @cached_property
    def _nodes(self) -> list[ast.stmt]:
        try:
            nodes = _parsed(self.text)
            hidden = _hidden_cell(nodes)
            if hidden is not None:  # it stands one line further down
                self.text = f"\n{hidden}"
                nodes = _parsed(self.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            self.is_broken = True
            return []
        return nodes

    @cached_property
    def is_lazy(self) -> bool:
        """Whether annotations are not evaluated here."""
        return any(
            isinstance(node, ast.ImportFrom)
            and node.module == "__future__"
            and any(alias.name == "annotations" for alias in node.names)
            for node in self._nodes
        )

    @cached_property
    def functions(self) -> dict[tuple[str, int], tuple[ast.FunctionDef | ast.AsyncFunctionDef, Statement]]:
        """Every function in it, at any depth, with the statement it is in, by name and first line."""
        found = {}
        for statement in self.statements:
            for node in ast.walk(statement.node):
                if isinstance(node, FUNCTIONS):
                    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                    found[node.name, first] = (node, statement)
        return found


def _parsed(text: str) -> list[ast.stmt]:
    tree: Any = compile(text, "<cell>", "exec", _TEMPLATE, dont_inherit=True)
    body: list[ast.stmt] = tree.body
    return body


def _lines(text: str) -> list[str]:
    import io

    return list(io.StringIO(text, newline=""))


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
    for part in inside(node):
        if isinstance(part, ast.ImportFrom) and any(alias.name == "*" for alias in part.names):
            module = sys.modules.get(absolute_module(part, source.package))
            public = getattr(module, "__all__", None)
            names += public if public is not None else [name for name in vars(module or object) if name[:1] != "_"]
    return tuple(names)


def absolute_module(node: ast.ImportFrom, package: str) -> str:
    """Return the full name of the module that `node` imports from."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def _changed(node: ast.stmt) -> Iterator[str]:
    for part in inside(node):
        match part:
            case ast.Assign(targets=targets):
                yield from _roots(targets)
            case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
                yield from _roots([target])
            case ast.Delete(targets=targets):
                yield from _roots(targets)
            case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in MUTATORS:
                yield from filter(None, [root_name(value)])


def _roots(targets: list[ast.expr]) -> Iterator[str]:
    for target in targets:
        if isinstance(target, ast.Attribute | ast.Subscript) and (name := root_name(target)):
            yield name
        elif isinstance(target, ast.Tuple | ast.List):
            yield from _roots(target.elts)
