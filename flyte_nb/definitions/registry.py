"""The session-wide map of name to current environment: who said what, all or nothing, and change events.

A cell owns what it says. `begin` opens the run of a cell and takes back what its previous run said; `commit` makes the
run count, `rollback` makes it never have happened. The log of facts is the truth and the catalog its fold.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING, Any

from flyte_nb.definitions.catalog import Attach, Catalog, Define, Depend, Fact, Owner, Place, Remove
from flyte_nb.errors import CircularDependencyError, EnvironmentInUseError, UnknownEnvironmentError
from flyte_nb.graph import find_cycle
from flyte_nb.listeners import Listeners
from flyte_nb.model.environment import TaskEnvironment

if TYPE_CHECKING:
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.model.task import Task

__all__ = ["Environments", "Owner", "Registry", "RegistryChanged"]

# What is said outside of any cell: in a script, or before the extension was loaded.
_NO_CELL = Owner("")


@dataclass(frozen=True, slots=True)
class RegistryChanged:
    """The definitions of these names, or their tasks or dependencies, may be different now."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Savepoint:
    owner: Owner
    log: dict[Owner, list[Fact]]
    catalog: Catalog
    version: int
    touched: frozenset[str]
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
        self._owner = _NO_CELL
        self._savepoints: list[_Savepoint] = []
        self._touched: set[str] = set()
        self._uncovered = False
        self._listeners: Listeners[RegistryChanged] = Listeners()
        self._sorted: tuple[object, object, list[str]] | None = None

    # What the session says

    def define(self, spec: EnvironmentSpec) -> None:
        """Make `spec` the definition of its name, or raise CircularDependencyError and change nothing."""
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
            self._log, self._catalog = {}, Catalog()
            self._settle()

    def _say(self, fact: Fact) -> None:
        with self._lock:
            facts = self._log.get(self._owner, [])
            self._catalog.add(fact, Place(self._owner, len(facts)))
            facts.append(fact)
            # The last to speak is folded last: of two cells that define one name, the one that ran last wins.
            self._log.pop(self._owner, None)
            self._log[self._owner] = facts
            self._slots.setdefault(self._owner, len(self._slots))
            self._touched.add(fact.name)
            self._settle()

    def _settle(self) -> None:
        """Announce what changed, unless a cell is running: then `commit` does."""
        self._sorted = None
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
        """End the run as if it had never begun."""
        with self._lock:
            saved = self._savepoints.pop()
            self._owner, self._log = saved.owner, saved.log
            self._touched, self._uncovered = set(saved.touched), saved.uncovered
            intact = saved.catalog.version == saved.version
            self._catalog = saved.catalog if intact else self._fold()
            self._settle()

    def forget(self, keys: Collection[str | None]) -> None:
        """Take back what the cells `keys`, which no longer exist, have said."""
        with self._lock:
            gone = [owner for owner in self._log if owner.key in keys]
            if not gone:
                return
            self._save()
            self._take_back(gone)
            try:
                self.commit()
            except CircularDependencyError:
                return  # what they hid would close a cycle: the session stays as it is

    def _save(self) -> None:
        log = dict(self._log)
        if self._owner in log:
            log[self._owner] = list(log[self._owner])
        point = _Savepoint(
            self._owner, log, self._catalog, self._catalog.version, frozenset(self._touched), self._uncovered
        )
        self._savepoints.append(point)

    def _take_back(self, owners: Iterable[Owner]) -> None:
        facts = [fact for owner in owners for fact in self._log.pop(owner, ())]
        if not facts:
            return
        self._touched.update(fact.name for fact in facts)
        self._catalog = self._fold()
        self._sorted = None
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
            cells, catalog = self.cell_order(), self._catalog
            if self._sorted is None or self._sorted[0] is not catalog or self._sorted[1] != cells:
                places = catalog.places()
                rank = self._ranking(cells)
                names = sorted(places, key=lambda name: (rank(places[name].owner), places[name].position))
                self._sorted = (catalog, dict(cells), names)
            return list(self._sorted[2])

    def _ranking(self, cells: Mapping[str, int]) -> Callable[[Owner], tuple[int, int]]:
        """Return how cells compare: those of the notebook by position, then the others by when they first spoke."""
        ranks: dict[Owner, tuple[int, int]] = {_NO_CELL: (-1, 0)}

        def rank(owner: Owner) -> tuple[int, int]:
            if owner not in ranks:
                position = cells.get(owner.key)
                ranks[owner] = (1, self._slots[owner]) if position is None else (0, position)
            return ranks[owner]

        return rank

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
            rank = self._ranking(self.cell_order())
            later = sorted(added.items(), key=lambda item: (rank(item[1].owner), item[1].position))
            return tuple(dict.fromkeys((*spec.depends_on, *(dependency for (dependency, _), _ in later))))

    @property
    def edges(self) -> Mapping[str, tuple[str, ...]]:
        """What each defined name depends on, defined or not."""
        return self._catalog.dependencies

    def dependents(self, name: str) -> tuple[str, ...]:
        """Return the names that depend on `name` directly."""
        return tuple(self._catalog.dependents.get(name, ()))

    def tasks(self, name: str) -> Mapping[str, Task[..., Any]]:
        """Return the tasks of `name` by full name, in the order of the notebook."""
        with self._lock:
            attached = self._catalog.tasks(name)
            rank = self._ranking(self.cell_order())
            in_order = sorted(attached.values(), key=lambda item: (rank(item[1].owner), item[1].position))
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
