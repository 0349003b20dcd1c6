"""What a sequence of definitions amounts to: the current environments, tasks and edges by name.

Facts are what cells say: define, depend, attach, remove. A catalog is their fold, so leaving out the facts of one cell
and folding again gives exactly what the session would be had that cell never run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from flyte_nb.errors import CircularDependencyError
from flyte_nb.graph import cycle_through

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.model.task import Task

__all__ = ["Attach", "Catalog", "Define", "Depend", "Fact", "Owner", "Place", "Remove"]


class Owner(NamedTuple):
    """Who says something.

    Attributes:
        key: A cell's id, a module's name, or anything else that is nobody else's.
        recognised: Whether it can be recognised when it speaks again; cells of some front ends cannot.
        lasting: Whether what it says outlasts the cell that made it speak, as a module's definitions do.
    """

    key: str
    recognised: bool = True
    lasting: bool = False


class Place(NamedTuple):
    """Where something was said: by whom, and at which position in what they said."""

    owner: Owner
    position: int


@dataclass(frozen=True, slots=True)
class Define:
    """An environment was constructed."""

    spec: EnvironmentSpec

    @property
    def name(self) -> str:
        """The environment this is about."""
        return self.spec.name


@dataclass(frozen=True, slots=True)
class Depend:
    """Dependencies were added to an environment after it was constructed."""

    name: str
    dependencies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attach:
    """A task was added to an environment."""

    task: Task[..., Any]

    @property
    def name(self) -> str:
        """The environment this is about."""
        return self.task.environment


@dataclass(frozen=True, slots=True)
class Remove:
    """An environment was removed, with its tasks."""

    name: str


Fact = Define | Depend | Attach | Remove


class _Entry:
    """Everything said about one name, also before (or after) an environment of that name exists."""

    __slots__ = ("added", "place", "said_by", "spec", "tasks")

    def __init__(self) -> None:
        self.spec: EnvironmentSpec | None = None
        self.place: Place | None = None
        self.said_by: Owner | None = None
        self.added: dict[tuple[str, Owner], Place] = {}
        self.tasks: dict[str, tuple[Task[..., Any], Place]] = {}


class Catalog:
    """The current definition of every name; `add` is the only way in."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self.version = 0
        self.dependencies: dict[str, dict[str, None]] = {}
        self.dependents: dict[str, dict[str, None]] = {}

    def add(self, fact: Fact, place: Place, *, check: bool = True) -> None:
        """Take `fact` into account.

        Raises:
            CircularDependencyError: The fact would close a cycle (only if `check`); nothing was changed.
        """
        entry = self._entries.get(fact.name) or _Entry()
        if isinstance(fact, Define):
            self._define(entry, fact.spec, place, check)
        elif isinstance(fact, Depend):
            self._depend(entry, fact, place, check)
        elif isinstance(fact, Attach):
            entry.tasks[fact.task.name] = (fact.task, place)
        else:
            self._drop_edges(fact.name)
            self.dependencies.pop(fact.name, None)
            entry = _Entry()
        self._entries[fact.name] = entry
        self.version += 1

    def _define(self, entry: _Entry, spec: EnvironmentSpec, place: Place, check: bool) -> None:
        # The new construction replaces the last one, with what that one's cell added to it; other cells' stays.
        forgotten = entry.said_by
        added = {key: at for key, at in entry.added.items() if at.owner != forgotten}
        edges = dict.fromkeys((*spec.depends_on, *(dependency for dependency, _ in added)))
        if check:
            self._refuse_cycle(spec.name, edges)
        entry.tasks = {name: kept for name, kept in entry.tasks.items() if kept[1].owner != forgotten}
        entry.added = added
        entry.spec, entry.said_by = spec, place.owner
        entry.place = entry.place or place
        self._drop_edges(spec.name)
        self.dependencies[spec.name] = {}
        self._add_edges(spec.name, edges)

    def _depend(self, entry: _Entry, fact: Depend, place: Place, check: bool) -> None:
        new = dict.fromkeys(fact.dependencies)
        if check and entry.spec:
            self._refuse_cycle(fact.name, new)
        for dependency in new:
            entry.added.setdefault((dependency, place.owner), place)
        if entry.spec:
            self._add_edges(fact.name, new)

    def _refuse_cycle(self, name: str, new: dict[str, None]) -> None:
        if not self.dependents.get(name) and name not in new:
            return
        cycle = cycle_through(name, new, self.dependencies, self.dependents)
        if cycle:
            raise CircularDependencyError(cycle)

    def _drop_edges(self, name: str) -> None:
        for dependency in self.dependencies.get(name, ()):
            self.dependents[dependency].pop(name, None)

    def _add_edges(self, name: str, edges: dict[str, None]) -> None:
        self.dependencies[name].update(edges)
        for dependency in edges:
            self.dependents.setdefault(dependency, {})[name] = None

    def spec(self, name: str) -> EnvironmentSpec | None:
        """Return the definition of `name`, or None."""
        entry = self._entries.get(name)
        return entry.spec if entry else None

    def places(self) -> dict[str, Place]:
        """Return where each defined environment was first said."""
        return {name: entry.place for name, entry in self._entries.items() if entry.spec and entry.place}

    def added(self, name: str) -> Mapping[tuple[str, Owner], Place]:
        """Return the dependencies added to `name` after it was constructed, by dependency and who said so."""
        entry = self._entries.get(name)
        return entry.added if entry else {}

    def tasks(self, name: str) -> Mapping[str, tuple[Task[..., Any], Place]]:
        """Return the tasks attached to `name`, defined or not."""
        entry = self._entries.get(name)
        return entry.tasks if entry else {}
