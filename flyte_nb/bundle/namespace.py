"""What names mean in the cells of a notebook, or in a module: definitions, references, or values of the run."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
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
from flyte_nb.bundle.changes import changes_of
from flyte_nb.bundle.constants import run_time_part
from flyte_nb.bundle.origins import View
from flyte_nb.bundle.scopes import BUILTINS
from flyte_nb.bundle.statements import FUNCTIONS, Statement
from flyte_nb.model.stand_ins import as_environment, as_task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flyte_nb.bundle.changes import FunctionCall, FunctionChanges
    from flyte_nb.bundle.statements import SourceText

__all__ = ["Kind", "Meaning", "Namespace", "where"]

# Of IPython, in every notebook; a module would not have them.
_OF_THE_NOTEBOOK = frozenset(
    {"In", "Out", "_", "__", "___", "_i", "_ii", "_iii", "_dh", "_ih", "_oh", "get_ipython", "display"}
)
_NEVER_RUN_TIME = (*FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom)
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
        self._function_changes: dict[Statement, FunctionChanges | None] = {}

    @cached_property
    def _changers(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for position, statement in enumerate(self.statements):
            for name in self._with_aliases({*statement.changes, *self._registered_with(statement)}, statement):
                found.setdefault(name, []).append(position)
        return found

    def _with_aliases(self, names: set[str], statement: Statement) -> set[str]:
        """Return `names`, which `statement` changes, and what else has the same values there."""
        found: set[str] = set()
        pending = [*names]
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                binder = self.binder(name, statement)
                if binder is not None and binder.alias_of and binder is not statement:
                    pending.append(binder.alias_of)
        return found

    def _registered_with(self, statement: Statement) -> Iterator[str]:
        """Yield the names whose values a definition changes when it is made: by its decorators and its bases."""
        for call in statement.decorated:
            if isinstance(call, str):
                yield call
            else:
                yield from (name for name, _ in self._changed_by(call, statement))
        node = statement.node if statement.is_class else None
        for base in node.bases if isinstance(node, ast.ClassDef) else ():
            above = self.binder(base.id, statement) if isinstance(base, ast.Name) else None
            if above and above is not statement and _notes_subclasses(above.node):
                yield from above.binds

    @cached_property
    def _fillers(self) -> dict[str, list[tuple[int, Statement]]]:
        found: dict[str, list[tuple[int, Statement]]] = {}
        for position, statement in enumerate(self.statements):
            for call in statement.calls:
                for name, function in self._changed_by(call, statement):
                    for same in self._with_aliases({name}, statement):
                        found.setdefault(same, []).append((position, function))
        return found

    def _changed_by(self, call: FunctionCall, at: Statement) -> list[tuple[str, Statement]]:
        """Return the names that a call changes, or binds, each with the function that is called."""
        found: dict[str, Statement] = {}
        pending, seen = [call], set()
        while pending:
            current = pending.pop()
            function = self.binder(current.function, at)
            if function is None or not function.is_function or (function, current) in seen:
                continue
            seen.add((function, current))
            if function not in self._function_changes:
                node = function.node
                self._function_changes[function] = changes_of(node) if isinstance(node, FUNCTIONS) else None
            changes = self._function_changes[function]
            if changes is not None:
                given = changes.by(current) if current is call else changes.names
                found.update(dict.fromkeys(given, self.binder(call.function, at) or function))
                pending += changes.calls
        return list(found.items())

    def binder(self, name: str, before: Statement | None = None) -> Statement | None:
        """Return what binds `name` in the end, or where `before` is executed; None if nothing does.

        What is bound only further down counts, too: cells may have run in another order.
        """
        positions = self._binders.get(name)
        if not positions:
            return None
        end = self.place.get(before, len(self.statements)) if before else len(self.statements)
        return self.statements[positions[bisect_left(positions, end) - 1]]

    def binders(self, name: str) -> list[Statement]:
        """Return all statements that bind `name`."""
        return [self.statements[position] for position in self._binders.get(name, ())]

    def changers(self, name: str, binder: Statement) -> list[Statement]:
        """Return the statements after `binder` that change the value of `name` in place."""
        positions = self._changers.get(name, ())
        own = self.place[binder]
        bound = self._binders[name]
        after = bisect_right(bound, own)
        end = bound[after] if after < len(bound) else len(self.statements)
        return [self.statements[position] for position in positions if own < position <= end]

    def fillers(self, name: str, binder: Statement) -> list[tuple[Statement, Statement]]:
        """Return the statements after `binder` that call a function which changes the value of `name`, with it."""
        found = self._fillers.get(name, ())
        return [(self.statements[position], function) for position, function in found if position > self.place[binder]]

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
        if environment := as_environment(value):
            return Meaning(Kind.ENVIRONMENT, refers_to=environment.name)
        if task := as_task(value):
            return Meaning(Kind.TASK, refers_to=task.name)
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
        if (task := as_task(value)) and not is_override(node):
            return Meaning(Kind.TASK, statement, task.name)
        if environment := as_environment(value):
            return Meaning(Kind.ENVIRONMENT, statement, environment.name)
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
            for each in self._made_of(statement):  # what comes last needs no deep recursion then
                if each not in self._reasons:
                    self._reasons[each] = ""  # while it is looked at: a name may lead back to itself
                    self._reasons[each] = self._find_reason(each)
        return self._reasons[statement]

    def _made_of(self, statement: Statement) -> list[Statement]:
        """Return `statement` after those whose values it is made of."""
        found: dict[Statement, None] = {}
        seen: set[Statement] = set()
        pending = [(statement, False)]
        while pending:
            current, is_over = pending.pop()
            if is_over:
                found[current] = None
            elif current not in seen and current not in self._reasons:
                seen.add(current)
                pending.append((current, True))
                if not isinstance(current.node, _NEVER_RUN_TIME):
                    pending += [(each, False) for each in self._parts_of(current)]
        return list(found)

    def _parts_of(self, statement: Statement) -> Iterator[Statement]:
        for name in statement.uses.now.keys() - set(statement.changes):
            binder = self.binder(name, statement)
            if binder is not None and binder is not statement:
                yield binder
                yield from self.changers(name, binder)

    def _find_reason(self, statement: Statement) -> str:
        node = statement.node
        if isinstance(node, _NEVER_RUN_TIME):
            return ""
        if not is_definition(node):
            return f"{what_sets(node)} in {where(statement)}"
        view = View(self, statement)
        for value in () if is_override(node) else deciding_values(node):
            part = run_time_part(value, view)
            if part is not None:
                return f"a run-time value set in {where(statement)} ({short_code(part)})"
        own = set(statement.binds) if isinstance(node, ast.If | ast.Try) else set()
        for used in statement.uses.now.keys() - own - set(statement.changes):
            inner = self.meaning(used, statement)
            if inner.kind is Kind.RUN_TIME:
                return f"a run-time value set in {where(statement)} (it is made of `{used}`, {inner.reason})"
            if inner.kind is Kind.UNKNOWN and not is_guarded(node):
                return f"a run-time value set in {where(statement)} (it is made of `{used}`, which nothing defines)"
        return ""


def where(statement: Statement, line: int | None = None) -> str:
    """Return the place of a statement, or of a line in it, as people say it."""
    return f"{statement.source.title}, line {line or statement.line}"


def _notes_subclasses(node: ast.stmt) -> bool:
    """Say whether a class is told of the classes that inherit from it."""
    return isinstance(node, ast.ClassDef) and any(
        isinstance(part, FUNCTIONS) and part.name == "__init_subclass__" for part in node.body
    )
