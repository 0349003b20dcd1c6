"""Where names come from that a statement uses: from an import, from an assignment, from a class that holds values."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flyte_nb.bundle.statements import absolute_module

if TYPE_CHECKING:
    from flyte_nb.bundle.namespace import Namespace
    from flyte_nb.bundle.statements import Statement

__all__ = ["View", "imported"]

# Classes made by one of these only hold what they are given.
_RECORD_BASES = frozenset(
    [
        "enum.Enum",
        "enum.Flag",
        "enum.IntEnum",
        "enum.IntFlag",
        "enum.StrEnum",
        "pydantic.BaseModel",
        "typing.NamedTuple",
        "typing.TypedDict",
        "typing_extensions.TypedDict",
    ]
)
_RECORD_DECORATORS = frozenset({"dataclasses.dataclass", "pydantic.dataclasses.dataclass", "attr.s", "attrs.define"})


@dataclass(frozen=True, slots=True)
class View:
    """What names mean where one statement is executed."""

    namespace: Namespace
    statement: Statement

    def origin(self, name: str) -> str | None:
        """Return the full name of what an import binds to `name`, or None if none does."""
        binder = self.namespace.binder(name, self.statement)
        return None if binder is None else imported(binder, name)

    def is_bound(self, name: str) -> bool:
        """Say whether anything binds `name`."""
        return self.namespace.binder(name, self.statement) is not None

    def written(self, name: str) -> ast.expr | None:
        """Return the expression that an assignment binds to `name`, or None if none does."""
        binder = self.namespace.binder(name, self.statement)
        match binder.node if binder else None:
            case (
                ast.Assign(targets=[ast.Name(id=to)], value=value) | ast.AnnAssign(target=ast.Name(id=to), value=value)
            ):
                return value if to == name else None
        return None

    def makes_values(self, name: str) -> bool:
        """Say whether `name` is a class whose instances only hold what they are given."""
        binder = self.namespace.binder(name, self.statement)
        return binder is not None and _is_record(binder, self.namespace)


def imported(statement: Statement, name: str) -> str | None:
    """Return the full name of what an import binds to `name`, or None if it is not one."""
    node = statement.node
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname == name:
                return alias.name
            if alias.asname is None and alias.name.partition(".")[0] == name:
                return name
    if isinstance(node, ast.ImportFrom):
        module = absolute_module(node, statement.source.package)
        for alias in node.names:
            if (alias.asname or alias.name) == name or alias.name == "*":
                return f"{module}.{name if alias.name == '*' else alias.name}"
    return None


def _is_record(statement: Statement, namespace: Namespace) -> bool:
    """Say whether a class only holds what its instances are given: a dataclass, an enumeration, a named tuple."""
    node = statement.node
    if isinstance(node, ast.Assign):  # Point = namedtuple("Point", "x y")
        match node.value:
            case ast.Call(func=function):
                made = _origin(function, namespace, statement)
                return made in _RECORD_BASES or made == "collections.namedtuple"
        return False
    if not isinstance(node, ast.ClassDef):
        return False
    decorators = [decorator.func if isinstance(decorator, ast.Call) else decorator for decorator in node.decorator_list]
    if any(_origin(decorator, namespace, statement) in _RECORD_DECORATORS for decorator in decorators):
        return True
    for base in node.bases:
        if _origin(base, namespace, statement) in _RECORD_BASES:
            return True
        above = namespace.binder(base.id, statement) if isinstance(base, ast.Name) else None
        if above and above is not statement and _is_record(above, namespace):
            return True
    return False


def _origin(node: ast.expr, namespace: Namespace, statement: Statement) -> str | None:
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    binder = namespace.binder(node.id, statement)
    origin = imported(binder, node.id) if binder else None
    return ".".join([origin, *reversed(attributes)]) if origin else None
