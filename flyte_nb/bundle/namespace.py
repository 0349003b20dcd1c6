"""What names mean in the cells of a notebook, or in a module: definitions, references, or values of the run."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.bindings import (
    deciding_values,
    is_definition,
    is_guarded,
    is_override,
    is_task_decorator,
    kept_names,
    short_code,
    what_sets,
)
from flyte_nb.bundle.constants import run_time_part
from flyte_nb.bundle.scopes import BUILTINS
from flyte_nb.bundle.statements import FUNCTIONS, Statement, absolute_module
from flyte_nb.model.environment import TaskEnvironment
from flyte_nb.model.task import Task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flyte_nb.bundle.statements import SourceText

__all__ = ["Kind", "Meaning", "Namespace", "imported", "where"]

# Of IPython, in every notebook; a module would not have them.
_OF_THE_NOTEBOOK = frozenset(
    {"In", "Out", "_", "__", "___", "_i", "_ii", "_iii", "_dh", "_ih", "_oh", "get_ipython", "display"}
)
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
_MODULE_NAMES = frozenset({"__name__", "__file__", "__doc__", "__package__", "__spec__"})


class Kind(Enum):
    """What a name means."""

    DEFINITION = "a definition"
    TASK = "a task"
    ENVIRONMENT = "an environment"
    BUILTIN = "a builtin"
    RUN_TIME = "a run-time value"
    UNKNOWN = "not defined"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name means at some place.

    Attributes:
        kind: What it is.
        statement: What binds it, if anything does.
        refers_to: The full name of the task, or the name of the environment.
        reason: Why it is a value of the run, for people; otherwise empty.
        way_out: What to do about that, if it is not what is to be done about any value of the run.
    """

    kind: Kind
    statement: Statement | None = None
    refers_to: str = ""
    reason: str = ""
    way_out: str = ""


class Namespace:
    """The names that some cells, or one module, share.

    Attributes:
        values: The names as they are bound now.
        statements: All statements, as a clean run would execute them.
        place: The position of each statement.
    """

    def __init__(self, sources: Sequence[SourceText], values: Mapping[str, Any]) -> None:
        self.values = values
        self.sources = sources
        self.statements = [statement for source in sources for statement in source.statements]
        self.place = {statement: position for position, statement in enumerate(self.statements)}
        self._binders: dict[str, list[int]] = {}
        for position, statement in enumerate(self.statements):
            for name in statement.binds:
                self._binders.setdefault(name, []).append(position)
        self._reasons: dict[Statement, str] = {}

    @cached_property
    def _changers(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for position, statement in enumerate(self.statements):
            for name in statement.changes:
                found.setdefault(name, []).append(position)
        return found

    def binder(self, name: str, before: Statement | None = None) -> Statement | None:
        """Return what binds `name` in the end, or where `before` is executed; None if nothing does.

        What is bound only further down counts, too: cells may have run in another order.
        """
        positions = self._binders.get(name)
        if not positions:
            return None
        end = self.place.get(before, len(self.statements)) if before else len(self.statements)
        earlier = [position for position in positions if position < end]
        return self.statements[earlier[-1] if earlier else positions[-1]]

    def changers(self, name: str, binder: Statement) -> list[Statement]:
        """Return the statements after `binder` that change the value of `name` in place."""
        positions = self._changers.get(name, ())
        own = self.place[binder]
        later = [position for position in self._binders[name] if position > own]
        end = later[0] if later else len(self.statements)
        return [self.statements[position] for position in positions if own < position <= end]

    def meaning(self, name: str, before: Statement | None = None) -> Meaning:
        """Return what `name` means in the end, or where `before` is executed."""
        statement = self.binder(name, before)
        if statement is None:
            return self._unbound(name)
        if reference := self._reference(name, statement):
            return reference
        if reason := self._reason(statement, name):
            return Meaning(Kind.RUN_TIME, statement, reason=reason)
        return Meaning(Kind.DEFINITION, statement)

    def _unbound(self, name: str) -> Meaning:
        value = self.values.get(name)
        if isinstance(value, TaskEnvironment):
            return Meaning(Kind.ENVIRONMENT, refers_to=value.name)
        if isinstance(value, Task):
            return Meaning(Kind.TASK, refers_to=value.name)
        if name in _OF_THE_NOTEBOOK:
            way_out = "Leave it out of the task, and so lines that begin with % or !, which need it"
            return Meaning(Kind.RUN_TIME, reason="which only a notebook has", way_out=way_out)
        if name in BUILTINS or name in _MODULE_NAMES:
            return Meaning(Kind.BUILTIN)
        if name in self.values:
            return Meaning(Kind.RUN_TIME, reason="which was set while the notebook ran, not by a definition in a cell")
        way_out = "Define it in a cell, or correct the name"
        return Meaning(Kind.UNKNOWN, reason="which nothing defines", way_out=way_out)

    def _reference(self, name: str, statement: Statement) -> Meaning | None:
        """Return the meaning of a name of a task or an environment."""
        node, value = statement.node, self.values.get(name)
        if isinstance(node, FUNCTIONS) and not any(map(is_task_decorator, node.decorator_list)):
            return None  # whatever the name is bound to now, a clean run makes it a function
        if isinstance(value, Task) and not is_override(node):
            return Meaning(Kind.TASK, statement, value.name)
        if isinstance(value, TaskEnvironment):
            return Meaning(Kind.ENVIRONMENT, statement, value.name)
        return None

    # Definitions and values of the run

    def _reason(self, statement: Statement, name: str) -> str:
        """Return why `statement` gives `name` a value only when it runs, or nothing if it is a definition."""
        node = statement.node
        if isinstance(node, ast.Import | ast.ImportFrom):
            return ""
        if name not in kept_names(node):
            return f"which is deleted or only set for a while in {where(statement)}"
        if reason := self._own_reason(statement):
            return reason
        for changer in self.changers(name, statement):
            if reason := self._own_reason(changer):
                return f"a constant that is changed at run time in {where(changer)} ({reason.partition(' in ')[0]})"
        return ""

    def _own_reason(self, statement: Statement) -> str:
        if statement not in self._reasons:
            self._reasons[statement] = ""  # while it is looked at: a name may lead back to itself
            self._reasons[statement] = self._find_reason(statement)
        return self._reasons[statement]

    def _find_reason(self, statement: Statement) -> str:
        node = statement.node
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            return ""
        if not is_definition(node):
            return f"{what_sets(node)} in {where(statement)}"
        view = _View(self, statement)
        for value in () if is_override(node) else deciding_values(node):
            part = run_time_part(value, view)
            if part is not None:
                return f"a run-time value set in {where(statement)} ({short_code(part)})"
        own = set(statement.binds) if isinstance(node, ast.If | ast.Try) else set()
        for used in statement.uses.now.keys() - own:
            inner = self.meaning(used, statement)
            if inner.kind is Kind.RUN_TIME:
                return f"a run-time value set in {where(statement)} (it is made of `{used}`, {inner.reason})"
            if inner.kind is Kind.UNKNOWN and not is_guarded(node):
                return f"a run-time value set in {where(statement)} (it is made of `{used}`, which nothing defines)"
        return ""


@dataclass(frozen=True, slots=True)
class _View:
    """What names mean where one statement is executed."""

    namespace: Namespace
    statement: Statement

    def origin(self, name: str) -> str | None:
        binder = self.namespace.binder(name, self.statement)
        return None if binder is None else imported(binder, name)

    def is_bound(self, name: str) -> bool:
        return self.namespace.binder(name, self.statement) is not None

    def makes_values(self, name: str) -> bool:
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


def where(statement: Statement, line: int | None = None) -> str:
    """Return the place of a statement, or of a line in it, as people say it."""
    return f"{statement.source.title}, line {line or statement.line}"


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
