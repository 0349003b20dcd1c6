"""What the tasks of one environment need: exactly the definitions that they use, from wherever they are."""

from __future__ import annotations

import ast
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flyte_nb.bundle.bindings import is_task_decorator
from flyte_nb.bundle.namespace import Kind, imported, where
from flyte_nb.bundle.problems import HiddenDependency
from flyte_nb.bundle.statements import FUNCTIONS, Statement
from flyte_nb.bundle.uses import uses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from flyte_nb.bundle.namespace import Meaning, Namespace

__all__ = ["Located", "Part", "Slice", "outermost_functions", "slice_of", "undecorated"]

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


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
    """

    namespace: Namespace
    statement: Statement
    node: ast.stmt
    names: set[str] = field(default_factory=set)
    task: str = ""
    foreign: dict[str, Meaning] = field(default_factory=dict)
    needs: set[Statement] = field(default_factory=set)


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
        self._seen: set[tuple[ast.stmt, str]] = set()

    def add_task(self, located: Located) -> None:
        """Begin with a task."""
        part = Part(located.namespace, located.statement, located.node, task=located.task)
        self.slice.parts[located.node] = part
        self._pending.append((part, located.task))
        for name in located.captured:
            line = uses(located.node).later.get(name, located.node.lineno)
            reason = "a variable of the function around it, which only a run of that function has"
            self._refuse(part, located.task, name, line, reason)

    def follow(self) -> None:
        """Add what is used, until nothing is missing."""
        while self._pending:
            part, task = self._pending.pop()
            self._follow(part, task)
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
            used = uses(undecorated(part.node), lazy_annotations=part.statement.source.is_lazy)
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
        meaning = part.namespace.meaning(name, part.statement if now else None)
        match meaning.kind:
            case Kind.DEFINITION if meaning.statement:
                self._include(part, task, name, meaning.statement, now=now)
            case Kind.TASK | Kind.ENVIRONMENT:
                self._refer(part, task, name, line, meaning, now=now)
            case Kind.RUN_TIME | Kind.UNKNOWN:
                self._refuse(part, task, name, line, meaning.reason, meaning.way_out)

    def _include(self, user: Part, task: str, name: str, statement: Statement, *, now: bool) -> None:
        namespace = user.namespace
        if (origin := imported(statement, name)) and self._is_taken_from(origin):
            self._include_from(user, task, name, origin, now=now)
            return
        part = self._part(namespace, statement, task)
        part.names.add(name)
        if now and statement is not user.statement:
            user.needs.add(statement)
        for changer in namespace.changers(name, statement):
            if not isinstance(statement.node, ast.Import | ast.ImportFrom):
                change = self._part(namespace, changer, task)
                change.needs.add(statement)
                if now and namespace.place[changer] < namespace.place[user.statement]:
                    user.needs.add(changer)

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
        elif now or not _is_in_function(user.node, name):
            self.slice.foreign[name] = meaning
        else:
            user.foreign[name] = meaning

    def _refuse(self, user: Part, task: str, name: str, line: int, reason: str, way_out: str = "") -> None:
        by = user.task or ", ".join(user.statement.binds) or where(user.statement)
        function = task.partition(".")[2]
        way_out = way_out or (
            f"Pass it as an input, {function}({name}=...), or define it in a cell as a function or a constant"
        )
        if any(problem.name == name for problem in self.slice.problems):
            return
        used_in = where(user.statement, line)
        self.slice.problems.append(HiddenDependency(name, task, by, used_in, reason, f"{way_out}."))


def undecorated(node: ast.stmt) -> ast.stmt:
    """Return the function of a task without the decorator that makes it one."""
    if not isinstance(node, FUNCTIONS):
        return node
    plain = copy(node)
    plain.decorator_list = [decorator for decorator in node.decorator_list if not is_task_decorator(decorator)]
    return plain


def outermost_functions(node: ast.AST) -> list[AnyFunction]:
    """Return the functions in `node`, without those inside of other functions and lambdas."""
    if isinstance(node, FUNCTIONS):
        return [node]
    if isinstance(node, ast.Lambda):
        return []
    return [function for child in ast.iter_child_nodes(node) for function in outermost_functions(child)]


def _is_in_function(node: ast.stmt, name: str) -> bool:
    """Say whether all uses of `name` are in functions, into which an import can be written."""
    everywhere = sum(isinstance(part, ast.Name) and part.id == name for part in ast.walk(node))
    functions = outermost_functions(node)
    inside = sum(
        isinstance(part, ast.Name) and part.id == name
        for function in functions
        for statement in function.body
        for part in ast.walk(statement)
    )
    return everywhere == inside
