"""The session-wide map of name to current environment: who said what, all or nothing, and change events.

A cell owns what it says. `begin` opens the run of a cell and takes back what its previous run said; `commit` makes the
run count, `rollback` makes it never have happened. The log of facts is the truth and the catalog its fold.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple

from flyte_nb.definitions.catalog import Attach, Catalog, Define, Depend, Fact, Owner, Place, Remove
from flyte_nb.definitions.imports import module_being_imported
from flyte_nb.errors import CircularDependencyError, EnvironmentInUseError, UnknownEnvironmentError
from flyte_nb.graph import find_cycle
from flyte_nb.listeners import Listeners
from flyte_nb.masking import declared_secrets
from flyte_nb.model.environment import TaskEnvironment

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.model.task import Task

__all__ = ["Environments", "Owner", "Registry", "RegistryChanged"]

# What is said outside of any cell: in a script, or before the extension was loaded.
_NO_CELL = Owner("")


@dataclass(frozen=True, slots=True)
class RegistryChanged:
    """The definitions of these names, or their tasks or dependencies, may be different now."""

    names: frozenset[str]


def _module(name: str) -> Owner:
    return Owner(f"module {name}", lasting=True)


class _Import(NamedTuple):
    """One execution of a module: its spec, and the cell that imported it first."""

    spec: ModuleSpec
    cell: Owner


@dataclass(frozen=True, slots=True)
class _Savepoint:
    owner: Owner
    log: dict[Owner, list[Fact]]
    catalog: Catalog
    version: int
    lasting: int
    uncovered: bool


class Registry:
    """Owns every definition of the session.

    `cell_order` gives the position of each cell in the notebook, as far as it is known; environments are registered in
    that order, and otherwise in the order in which their cells first ran.
    """

    def __init__(self) -> None:
        self.cell_order: Callable[[], Mapping[str, int]] = dict
        self._lock = RLock()
        self._log: dict[Owner, list[Fact]] = {}
        self._catalog = Catalog()
        self._slots: dict[Owner, int] = {}
        self._imports: dict[Owner, _Import] = {}
        self._lasting = 0  # how many facts modules have said
        self._parked: dict[Owner, list[Fact]] = {}  # of cells that were deleted
        self._owner = _NO_CELL
        self._savepoints: list[_Savepoint] = []
        self._touched: set[str] = set()
        self._uncovered = False
        self._checks_later = False
        self._listeners: Listeners[RegistryChanged] = Listeners()
        self._sorted: tuple[object, list[str]] | None = None  # names in order, and of what

    # What the session says

    def define(self, spec: EnvironmentSpec) -> None:
        """Make `spec` the definition of its name, or raise CircularDependencyError and change nothing."""
        declared_secrets.add_variables(secret.as_env_var for secret in spec.secrets if secret.as_env_var)
        self._say(Define(spec))

    def attach(self, task: Task[..., Any]) -> None:
        """Add `task` to the environment it names."""
        self._say(Attach(task))

    def add_dependencies(self, name: str, dependencies: Collection[str]) -> None:
        """Add all of `dependencies` to `name`, or raise CircularDependencyError and add none."""
        if dependencies:
            self._say(Depend(name, tuple(dependencies)))

    def remove(self, names: Collection[str], *, force: bool = False) -> None:
        """Remove environments and their tasks, all of `names` or none.

        Raises:
            UnknownEnvironmentError: One of them is not defined.
            EnvironmentInUseError: Others depend on one of them, and `force` was not given.
        """
        with self._lock:
            for name in names:
                self.require(name)
                users = [user for user in self._catalog.dependents.get(name, ()) if user not in names]
                if users and not force:
                    raise EnvironmentInUseError(name, users)
            for name in names:
                self._say(Remove(name))

    def reset(self) -> None:
        """Forget every definition."""
        with self._lock:
            self._touched.update(self._catalog.places())
            self._log, self._parked, self._catalog = {}, {}, Catalog()
            self._settle()

    def _say(self, fact: Fact) -> None:
        with self._lock:
            owner = self._speaker()
            facts = self._log.get(owner, [])
            self._catalog.add(fact, Place(owner, len(facts)), check=not self._checks_later)
            self._uncovered = self._uncovered or self._checks_later
            facts.append(fact)
            # The last to speak is folded last: of two cells that define one name, the one that ran last wins.
            self._log.pop(owner, None)
            self._log[owner] = facts
            self._lasting += owner.lasting
            self._slots.setdefault(owner, len(self._slots))
            self._touched.add(fact.name)
            self._settle()

    def _speaker(self) -> Owner:
        """Return who is speaking: the module whose body runs, or else the cell."""
        spec = module_being_imported()
        if spec is None:
            return self._owner
        owner = _module(spec.name)
        known = self._imports.get(owner)
        if known is None or known.spec is not spec:
            self._imports[owner] = _Import(spec, known.cell if known else self._owner)
            self._take_back([owner])  # a reload replaces what the module said before
        return owner

    def _settle(self) -> None:
        """Announce what changed, unless a cell is running: then `commit` does."""
        if not self._savepoints and self._touched:
            changed = RegistryChanged(frozenset(self._touched))
            self._touched = set()
            self._listeners.tell(changed)

    # Cells

    def begin(self, owner: Owner) -> None:
        """Open a run of the cell `owner`, taking back what its previous run said.

        Inside another run this is a savepoint of that run, which keeps its owner.
        """
        with self._lock:
            self._save()
            if len(self._savepoints) == 1:
                self._enter(owner)

    def own(self, owner: Owner) -> None:
        """Let the cell that is running be `owner`, if nothing better is known about it."""
        with self._lock:
            if self._savepoints and not self._owner.recognised and self._owner not in self._log:
                self._enter(owner)

    def _enter(self, owner: Owner) -> None:
        self._owner = owner
        self._parked.pop(owner, None)
        if owner.recognised:
            self._slots.setdefault(owner, len(self._slots))
        self._take_back([owner])

    def commit(self) -> None:
        """End the run and make it count.

        Raises:
            CircularDependencyError: Taking back what the cell used to say uncovered an earlier definition that closes
                a cycle; the run was rolled back.
        """
        with self._lock:
            last = len(self._savepoints) == 1
            cycle = self._uncovered and last and find_cycle(self._catalog.dependencies, self._catalog.dependencies)
            if cycle:
                self.rollback()
                raise CircularDependencyError(cycle)
            saved = self._savepoints.pop()
            if last:
                self._owner, self._uncovered = saved.owner, False
            self._settle()

    def rollback(self) -> None:
        """End the run as if it had never begun; only what modules said while they were imported stays.

        Listeners hear of it, because what they show may have been drawn in the middle of the run.
        """
        with self._lock:
            saved = self._savepoints.pop()
            imported = {owner: facts for owner, facts in {**saved.log, **self._log}.items() if owner.lasting}
            self._owner, self._log, self._uncovered = saved.owner, saved.log, saved.uncovered
            if saved.catalog.version == saved.version and saved.lasting == self._lasting:
                self._catalog = saved.catalog
            else:
                self._restore(imported)
            self._settle()

    def _restore(self, imported: Mapping[Owner, list[Fact]]) -> None:
        """Fold the log again, with what modules have said; a module that would close a cycle says nothing."""
        before = {owner: facts for owner, facts in self._log.items() if not owner.lasting}
        for owner, facts in imported.items():
            self._log = {**before, owner: facts}
            self._catalog = self._fold()
            if not find_cycle(self._catalog.dependencies, self._catalog.dependencies):
                before = self._log
        self._log = before
        self._catalog = self._fold()

    def amend(self, key: str, spec: EnvironmentSpec) -> None:
        """Let `spec` stand in the place of what the cell `key` has defined under that name, if it has."""
        with self._lock:
            for owner in [owner for owner in self._log if owner.key == key]:
                facts = self._log[owner]
                defined = [at for at, fact in enumerate(facts) if isinstance(fact, Define) and fact.name == spec.name]
                if not defined:
                    continue
                # A list of its own: the one there was may be part of a savepoint.
                self._log[owner] = [*facts[: defined[-1]], Define(spec), *facts[defined[-1] + 1 :]]
                self._catalog = self._fold()
                self._uncovered = bool(self._savepoints)
                self._touched.add(spec.name)
                self._settle()

    def has_said(self, key: str) -> bool:
        """Say whether anything counts that the cell `key` has said."""
        return any(owner.key == key for owner in self._log)

    def forget(self, keys: Collection[str | None]) -> list[str]:
        """Take back what the cells `keys`, which no longer exist, have said; return the names that are gone with it."""
        with self._lock:
            gone = [owner for owner in self._log if owner.key in keys]
            if not gone:
                return []
            before = self.names()
            facts = {owner: self._log[owner] for owner in gone}
            self._save()
            self._take_back(gone)
            try:
                self.commit()
            except CircularDependencyError:
                return []  # what they hid would close a cycle: the session stays as it is
            self._parked.update(facts)
            return [name for name in before if not self.spec(name)]

    def remember(self, keys: Collection[str]) -> None:
        """Let the cells `keys` count again that were forgotten and are back, as after an undo."""
        with self._lock:
            back = {owner: facts for owner, facts in self._parked.items() if owner.key in keys}
            if not back:
                return
            self._save()
            self._log.update(back)
            self._catalog = self._fold()
            self._touched.update(fact.name for facts in back.values() for fact in facts)
            self._uncovered = True
            try:
                self.commit()
            except CircularDependencyError:
                return  # the notebook has changed meanwhile: the cell says what is wrong when it runs again
            for owner in back:
                del self._parked[owner]

    # Modules that are adopted

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Make all that is said inside count or, if it fails, nothing: not even what modules said.

        Raises:
            CircularDependencyError: What earlier definitions were replaced by uncovers others that close a cycle.
        """
        with self._lock:
            self._save()
            imports = dict(self._imports)
        try:
            yield
            with self._lock:
                cycle = self._uncovered and find_cycle(self._catalog.dependencies, self._catalog.dependencies)
                if cycle:
                    raise CircularDependencyError(cycle)
        except BaseException:
            with self._lock:
                saved = self._savepoints.pop()
                self._log, self._uncovered, self._imports = saved.log, saved.uncovered, imports
                self._catalog = self._fold()
                self._settle()
            raise
        with self._lock:
            self._savepoints.pop()
            self._uncovered = self._uncovered and bool(self._savepoints)
            self._settle()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Make all that is said inside count or nothing, as `atomic`; only what it amounts to must be without cycles.

        Raises:
            CircularDependencyError: It is not.
        """
        with self.atomic():
            self._checks_later = True
            try:
                yield
            finally:
                self._checks_later = False

    def forget_modules(self, modules: Collection[str]) -> None:
        """Take back what these modules have said, which are about to be imported again."""
        with self._lock:
            self._take_back([_module(name) for name in modules])

    def defined_by_module(self, module: str) -> list[str]:
        """Return the environments that a module has constructed."""
        return [fact.name for fact in self._log.get(_module(module), ()) if isinstance(fact, Define)]

    def _save(self) -> None:
        log = dict(self._log)
        if self._owner in log:
            log[self._owner] = list(log[self._owner])
        point = _Savepoint(
            self._owner,
            log,
            self._catalog,
            self._catalog.version,
            self._lasting,
            self._uncovered,
        )
        self._savepoints.append(point)

    def _take_back(self, owners: Iterable[Owner]) -> None:
        facts = [fact for owner in owners for fact in self._log.pop(owner, ())]
        if not facts:
            return
        self._touched.update(fact.name for fact in facts)
        self._catalog = self._fold()
        self._uncovered = self._uncovered or any(
            isinstance(fact, Remove) or (isinstance(fact, Define) and self._catalog.spec(fact.name)) for fact in facts
        )

    def _fold(self) -> Catalog:
        catalog = Catalog()
        for owner, facts in self._log.items():
            for index, fact in enumerate(facts):
                catalog.add(fact, Place(owner, index), check=False)
        return catalog

    # What is true now

    def names(self) -> list[str]:
        """Return every defined name in the order of registration."""
        with self._lock:
            known = (self._catalog, self._catalog.version, self.cell_order())
            if self._sorted is None or self._sorted[0] != known:
                places, order = self._catalog.places(), self._order()
                # A copy of the cells: the order is of what they were.
                key = (*known[:2], dict(known[2]))
                self._sorted = (key, sorted(places, key=lambda name: order(places[name])))
            return list(self._sorted[1])

    def _order(self) -> Callable[[Place], tuple[int, ...]]:
        """Return how places compare: cells of the notebook by position, then the others by when they first spoke.

        A module counts just before the cell that imported it first.
        """
        cells = self.cell_order()
        ranks: dict[Owner, tuple[int, int, int]] = {_NO_CELL: (-1, 0, 1)}

        def rank(owner: Owner) -> tuple[int, int, int]:
            if owner not in ranks:
                position = cells.get(owner.key)
                if owner.lasting:
                    ranks[owner] = (*rank(self._imports[owner].cell)[:2], 0)
                elif position is None:
                    ranks[owner] = (1, self._slots.setdefault(owner, len(self._slots)), 1)
                else:
                    ranks[owner] = (0, position, 1)
            return ranks[owner]

        return lambda place: (*rank(place.owner), place.position)

    def spec(self, name: str) -> EnvironmentSpec | None:
        """Return the definition of `name`, or None."""
        return self._catalog.spec(name)

    def require(self, name: str) -> EnvironmentSpec:
        """Return the definition of `name`, or raise UnknownEnvironmentError."""
        spec = self._catalog.spec(name)
        if spec is None:
            raise UnknownEnvironmentError(name, self.names())
        return spec

    def dependencies(self, name: str) -> tuple[str, ...]:
        """Return what `name` depends on: as constructed, then as added, in the order of the notebook."""
        with self._lock:
            spec, added = self._catalog.spec(name), self._catalog.added(name)
            if spec is None:
                return ()
            if not added:
                return spec.depends_on
            order = self._order()
            later = sorted(added.items(), key=lambda item: order(item[1]))
            return tuple(dict.fromkeys((*spec.depends_on, *(dependency for (dependency, _), _ in later))))

    @property
    def edges(self) -> Mapping[str, Collection[str]]:
        """What each defined name depends on, defined or not."""
        return self._catalog.dependencies

    def dependents(self, name: str) -> tuple[str, ...]:
        """Return the names that depend on `name` directly."""
        return tuple(self._catalog.dependents.get(name, ()))

    def tasks(self, name: str) -> Mapping[str, Task[..., Any]]:
        """Return the tasks of `name` by full name, in the order of the notebook."""
        with self._lock:
            in_order: Iterable[tuple[Task[..., Any], Place]] = self._catalog.tasks(name).values()
            if len(self._catalog.tasks(name)) > 1:
                order = self._order()
                in_order = sorted(in_order, key=lambda item: order(item[1]))
            return {task.name: task for task, _ in in_order}

    def subscribe(self, listener: Callable[[RegistryChanged], None]) -> Callable[[], None]:
        """Call `listener` after every change that took effect; return what ends that."""
        return self._listeners.add(listener)


class Environments(Mapping[str, TaskEnvironment]):
    """The environments of a registry by name, in the order of registration; a live, read-only view."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def __getitem__(self, name: str) -> TaskEnvironment:
        return TaskEnvironment.of(self._registry.require(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._registry.names())

    def __len__(self) -> int:
        return len(self._registry.edges)

    def __repr__(self) -> str:
        return f"<{len(self)} environments: {', '.join(self._registry.names()[:20])}{'...' if len(self) > 20 else ''}>"
