"""What the tasks of one environment need: exactly the definitions that they use, from wherever they are."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flyte_nb.bundle.constants import FLYTE
from flyte_nb.bundle.function_nodes import AnyFunction, is_in_function
from flyte_nb.bundle.module_names import ENVIRONMENT
from flyte_nb.bundle.namespace import Kind, where
from flyte_nb.bundle.origins import imported
from flyte_nb.bundle.problems import HiddenDependency
from flyte_nb.bundle.scopes import root_name
from flyte_nb.bundle.uses import uses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from flyte_nb.bundle.namespace import Meaning, Namespace
    from flyte_nb.bundle.statements import Statement

__all__ = ["Located", "Part", "Slice", "slice_of"]

# What a module of an environment calls these two.
_OF_THE_MODULE = frozenset({ENVIRONMENT, "flyte"})


@dataclass(frozen=True, slots=True)
class Located:
    """Where a task is written.

    Attributes:
        task: Its full name.
        namespace: The names it sees.
        statement: The statement it is in.
        node: Its function, which may be inside of something.
        captured: Variables of a function around it that it uses.
    """

    task: str
    namespace: Namespace
    statement: Statement
    node: AnyFunction
    captured: tuple[str, ...] = ()


@dataclass(slots=True)
class Part:
    """One statement that the module of an environment has.

    Attributes:
        namespace: Where it comes from.
        statement: The statement.
        names: Of an import, the names that are used.
        task: The full name of the task that it defines, or nothing.
        node: What is written of it: of a task inside of a loop, only the function.
        foreign: Names of tasks and environments of other modules that its functions use, with what they mean.
        needs: The statements that must come before it.
        changes: The names whose values it changes in place.
    """

    namespace: Namespace
    statement: Statement
    node: ast.stmt
    names: set[str] = field(default_factory=set)
    task: str = ""
    foreign: dict[str, Meaning] = field(default_factory=dict)
    needs: set[Statement] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Slice:
    """All that the module of one environment has.

    Attributes:
        environment: The environment.
        parts: The statements, by themselves.
        foreign: Names that mean tasks and environments of other modules when the module is imported.
        aliases: Names that mean a task or the environment of this module itself.
        problems: What it would use and not have.
    """

    environment: str
    parts: dict[ast.stmt, Part] = field(default_factory=dict)
    foreign: dict[str, Meaning] = field(default_factory=dict)
    aliases: dict[str, Meaning] = field(default_factory=dict)
    problems: list[HiddenDependency] = field(default_factory=list)


def slice_of(
    environment: str, tasks: Iterable[Located], known: Callable[[Meaning], str], elsewhere: Mapping[str, Namespace]
) -> Slice:
    """Return what the module of `environment` needs.

    Args:
        environment: The environment.
        tasks: Its tasks.
        known: Returns the environment that a reference leads to, or "" if it is not defined.
        elsewhere: The namespaces of modules whose definitions are taken out of them, by name.
    """
    cutter = _Cutter(environment, known, elsewhere)
    for task in tasks:
        cutter.add_task(task)
    cutter.follow()
    return cutter.slice


class _Cutter:
    def __init__(self, environment: str, known: Callable[[Meaning], str], elsewhere: Mapping[str, Namespace]) -> None:
        self.slice = Slice(environment)
        self._known, self._elsewhere = known, elsewhere
        self._pending: list[tuple[Part, str]] = []
        self._changed: set[tuple[Statement, str]] = set()
        self._unless: list[tuple[Statement, HiddenDependency]] = []
        self._meanings: dict[tuple[Statement, str], Meaning] = {}

    def add_task(self, located: Located) -> None:
        """Begin with a task."""
        part = Part(located.namespace, located.statement, located.node, task=located.task)
        self.slice.parts[located.node] = part
        self._pending.append((part, located.task))
        if (function := located.node.name) in _OF_THE_MODULE:
            self._add_taken(part, located.task, function, located.node.lineno)
        for name in located.captured:
            line = uses(located.node).later.get(name, located.node.lineno)
            reason = "a variable of the function around it, which only a run of that function has"
            self._refuse(part, located.task, name, line, reason)

    def follow(self) -> None:
        """Add what is used, until nothing is missing."""
        while self._pending:
            part, task = self._pending.pop()
            self._follow(part, task)
        included = {part.statement for part in self.slice.parts.values()}
        for function, problem in self._unless:
            if function not in included:  # otherwise what it does, it does where it is deployed
                self._add(problem)
        bound = self._bound_by_functions()
        self.slice.problems = [problem for problem in self.slice.problems if problem.name not in bound]

    def _bound_by_functions(self) -> set[str]:
        """Return the names that only functions of the module bind, by a `global` statement."""
        return {
            name
            for part in (self.slice.parts.values() if self.slice.problems else ())
            for node in ast.walk(part.node)
            if isinstance(node, ast.Global)
            for name in node.names
            if part.namespace.binder(name) is None
        }

    def _follow(self, part: Part, task: str) -> None:
        if part.task:
            captured = {problem.name for problem in self.slice.problems if problem.task == part.task}
            used = part.statement.function(part.node).uses
        else:
            captured, used = set(), part.statement.uses
        own = set(part.statement.binds) if isinstance(part.node, ast.If | ast.Try) else set()
        for name, line in used.now.items():
            if name not in own:
                self._need(part, task, name, line, now=True)
        for name, line in used.later.items():
            if name not in captured:
                self._need(part, task, name, line, now=False)
        for name, line in used.hints.items():
            self._need(part, task, name, line, now=False)

    def _need(self, part: Part, task: str, name: str, line: int, *, now: bool) -> None:
        meaning = self._meaning(part.namespace, name, part.statement if now else None)
        match meaning.kind:
            case Kind.DEFINITION if meaning.statement:
                self._include(part, task, name, line, meaning.statement, now=now)
            case Kind.TASK | Kind.ENVIRONMENT:
                self._refer(part, task, name, line, meaning, now=now)
            case Kind.RUN_TIME | Kind.UNKNOWN:
                self._refuse(part, task, name, line, meaning.reason, meaning.way_out)

    def _meaning(self, namespace: Namespace, name: str, before: Statement | None) -> Meaning:
        binder = namespace.binder(name, before)
        if binder is None:
            return namespace.meaning(name, before)
        if (binder, name) not in self._meanings:  # each of the statements that change a value asks what it is
            self._meanings[binder, name] = namespace.meaning(name, before)
        return self._meanings[binder, name]

    def _include(self, user: Part, task: str, name: str, line: int, statement: Statement, *, now: bool) -> None:
        namespace = user.namespace
        if (origin := imported(statement, name)) and self._is_taken_from(origin):
            self._include_from(user, task, name, origin, now=now)
            return
        if name in _OF_THE_MODULE and (origin or "").partition(".")[0] not in FLYTE:
            self._add_taken(user, task, name, line)
            return
        part = self._part(namespace, statement, task)
        part.names.add(name)
        if now and statement is not user.statement:
            user.needs.add(statement)
        if isinstance(statement.node, ast.Import):
            self._include_modules_inside(user, task, name, statement)
        if isinstance(statement.node, ast.Import | ast.ImportFrom):
            return
        self._include_changers(user, task, name, statement, now=now)
        for filler, function in namespace.fillers(name, statement):
            problem = self._problem(user, task, name, line, f"which a call changes in {where(filler)}")
            self._unless.append((function, problem))

    def _include_changers(self, user: Part, task: str, name: str, statement: Statement, *, now: bool) -> None:
        """Add what changes the value that `statement` gives `name`."""
        namespace = user.namespace
        is_known = (statement, name) in self._changed
        if is_known and (not now or name in user.changes):  # one change after the other: as the notebook has them
            return
        self._changed.add((statement, name))
        for changer in namespace.changers(name, statement):
            change = self._part(namespace, changer, task)
            change.changes.add(name)
            change.needs.add(statement)
            if now and namespace.place[changer] < namespace.place[user.statement]:
                user.needs.add(changer)

    def _include_modules_inside(self, user: Part, task: str, name: str, statement: Statement) -> None:
        """Add the other imports that give `name` what is used of it: `import xml.dom` beside `import xml.sax`."""
        wanted = list(_attributes_of(name, user.node))
        for other in user.namespace.binders(name):
            if other is not statement and isinstance(other.node, ast.Import):
                inside = [alias.name for alias in other.node.names if alias.asname is None]
                if any(_meet(module, attribute) for module in inside for attribute in wanted):
                    self._part(user.namespace, other, task).names.add(name)

    def _part(self, namespace: Namespace, statement: Statement, task: str) -> Part:
        part = self.slice.parts.get(statement.node)
        if part is None:
            part = self.slice.parts[statement.node] = Part(namespace, statement, statement.node)
            self._pending.append((part, task))
        return part

    def _is_taken_from(self, origin: str) -> bool:
        return origin.rpartition(".")[0] in self._elsewhere

    def _include_from(self, user: Part, task: str, name: str, origin: str, *, now: bool) -> None:
        """Follow an import into a module whose definitions are taken out of it."""
        module, _, original = origin.rpartition(".")
        namespace = self._elsewhere[module]
        meaning = namespace.meaning(original)
        if meaning.kind is Kind.DEFINITION and meaning.statement and original == name:
            part = self._part(namespace, meaning.statement, task)
            part.names.add(original)
            if now:
                user.needs.add(meaning.statement)
            return
        line = (user.statement.uses.now | user.statement.uses.later).get(name, user.statement.line)
        self._refuse(user, task, name, line, f"which `{module}` does not define under this name")

    def _refer(self, user: Part, task: str, name: str, line: int, meaning: Meaning, *, now: bool) -> None:
        environment = self._known(meaning)
        if not environment:
            reason = f"{meaning.kind.value} ({meaning.refers_to}) that is not defined now"
            self._refuse(user, task, name, line, reason, "Run the cell that defines it, or correct the name")
        elif environment == self.slice.environment:
            self.slice.aliases[name] = meaning
        elif now or not is_in_function(user.node, name):
            self.slice.foreign[name] = meaning
        else:
            user.foreign[name] = meaning

    def _refuse(self, user: Part, task: str, name: str, line: int, reason: str, way_out: str = "") -> None:
        self._add(self._problem(user, task, name, line, reason, way_out=f"{way_out}." if way_out else ""))

    def _add_taken(self, user: Part, task: str, name: str, line: int) -> None:
        reason = "a name that its module has for something else"
        self._add(self._problem(user, task, name, line, reason, way_out="Give it another name."))

    def _add(self, problem: HiddenDependency) -> None:
        if all(known.name != problem.name for known in self.slice.problems):
            self.slice.problems.append(problem)

    def _problem(
        self, user: Part, task: str, name: str, line: int, reason: str, *, way_out: str = ""
    ) -> HiddenDependency:
        by = user.task or ", ".join(user.statement.binds) or where(user.statement)
        function = task.partition(".")[2]
        pass_it = f"Pass it as an input, {function}({name}=...), or define it in a cell as a function or a constant."
        return HiddenDependency(name, task, by, where(user.statement, line), reason, way_out or pass_it)


def _attributes_of(name: str, node: ast.AST) -> Iterator[str]:
    """Yield what `node` reads of a module, as far as it goes: `xml.dom.minidom`."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and root_name(part) == name:
            yield ast.unparse(part)


def _meet(module: str, attribute: str) -> bool:
    """Say whether `attribute` is in `module`, or on the way to it."""
    return all(left == right for left, right in zip(module.split("."), attribute.split("."), strict=False))
