"""One environment of the SDK that the session has, and which cell has said what of it."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["Known"]

_DEPENDENCIES, _TASKS = "depends_on", "_tasks"


class Known:
    """What is known of an environment: as it was constructed, and what cells have changed and added, each on its own.

    Attributes:
        environment: The object.
        owner: The cell that constructed it.
        changes: Fields that cells have set since, with the cell.
        added: Dependencies that were added later, each entry with the cell.
        tasks: Its tasks by full name, with the cells.
    """

    def __init__(self, environment: Any, owner: str) -> None:
        self.environment, self.owner = environment, owner
        self._constructed: dict[str, Any] = {**_fields_of(environment), _DEPENDENCIES: list(environment.depends_on)}
        self.changes: list[tuple[dict[str, Any], str]] = []
        self.added: list[tuple[Any, str]] = []
        self.tasks: dict[str, tuple[Any, str]] = {}

    def copy(self) -> Known:
        """Return what is known now, which what comes later leaves as it is."""
        copied = Known.__new__(Known)
        copied.environment, copied.owner = self.environment, self.owner
        copied._constructed = dict(self._constructed)  # noqa: SLF001 - its own class
        copied.changes = [(dict(change), owner) for change, owner in self.changes]
        copied.added, copied.tasks = list(self.added), dict(self.tasks)
        return copied

    @property
    def said(self) -> dict[str, Any]:
        """Its fields as they are known: dependencies without those that were added."""
        said = dict(self._constructed)
        for change, _ in self.changes:
            said.update(change)
        return said

    @property
    def _dependencies(self) -> list[Any]:
        return [*self.said[_DEPENDENCIES], *(each for each, _ in self.added)]

    # What is new

    def changed(self) -> dict[str, Any]:
        """Return the fields that the object has otherwise than they are known."""
        said, present = self.said, _fields_of(self.environment)
        changed = {name: value for name, value in present.items() if value != said[name]}
        known, entries = self._dependencies, self.environment.depends_on
        if list(map(id, entries[: len(known)])) != list(map(id, known)):  # they were set, not added to
            added = {id(each) for each, _ in self.added}
            changed[_DEPENDENCIES] = [each for each in entries if id(each) not in added]
        return changed

    def added_dependencies(self) -> list[Any]:
        """Return the entries that are not known."""
        entries: list[Any] = self.environment.depends_on[len(self._dependencies) :]
        return entries

    def added_tasks(self) -> dict[str, Any]:
        """Return the tasks that are not known."""
        known = {name: task for name, (task, _) in self.tasks.items()}
        return {name: task for name, task in self.environment.tasks.items() if known.get(name) is not task}

    # What is taken back

    def involves(self, owners: Collection[str | None]) -> bool:
        """Say whether one of these cells has said something of it."""
        entries = (*self.changes, *self.added, *self.tasks.values())
        return self.owner in owners or any(owner in owners for _, owner in entries)

    def take_back(self, owners: Collection[str | None]) -> None:
        """Take out what these cells have said since it was constructed."""
        self.changes = [entry for entry in self.changes if entry[1] not in owners]
        self.added = [entry for entry in self.added if entry[1] not in owners]
        self.tasks = {name: entry for name, entry in self.tasks.items() if entry[1] not in owners}

    def put_back(self, earlier: Known, owners: Collection[str]) -> None:
        """Take in what these cells had said in `earlier`."""
        self.changes += [entry for entry in earlier.changes if entry[1] in owners]
        self.added += [entry for entry in earlier.added if entry[1] in owners]
        self.tasks |= {name: entry for name, entry in earlier.tasks.items() if entry[1] in owners}

    def inherit(self, earlier: Known) -> None:
        """Take what other cells have added to the object that had this name before."""
        self.added += earlier.added
        self.tasks |= {name: entry for name, entry in earlier.tasks.items() if name not in self.environment.tasks}
        self.environment.depends_on += [each for each, _ in earlier.added]
        self.environment.tasks.update({name: task for name, (task, _) in self.tasks.items()})

    def heal(self, environment: Any) -> None:
        """Let what depends on the name of `environment` depend on that object."""

        def current(each: Any) -> Any:
            return environment if each.name == environment.name else each

        for said in (self._constructed, *(change for change, _ in self.changes)):
            if _DEPENDENCIES in said:
                said[_DEPENDENCIES] = list(map(current, said[_DEPENDENCIES]))
        self.added = [(current(each), owner) for each, owner in self.added]
        self.environment.depends_on[:] = list(map(current, self.environment.depends_on))

    # The object

    def restore(self) -> None:
        """Make the object say what is known of it."""
        present = _fields_of(self.environment)
        for name, value in self.said.items():
            if name != _DEPENDENCIES and present[name] != value:
                setattr(self.environment, name, _copied(value))
        self.environment.depends_on[:] = self._dependencies
        self.environment.tasks.clear()
        self.environment.tasks.update({name: task for name, (task, _) in self.tasks.items()})

    def empty(self) -> None:
        """Let the object have no dependencies and no tasks any more."""
        self.environment.depends_on.clear()
        self.environment.tasks.clear()


def _fields_of(environment: Any) -> dict[str, Any]:
    """Return what an environment says beside its dependencies and tasks."""
    return {
        one.name: _copied(getattr(environment, one.name))
        for one in fields(environment)
        if one.init and one.name not in (_DEPENDENCIES, _TASKS)
    }


def _copied(value: Any) -> Any:
    """Return a copy of what can change in place."""
    return type(value)(value) if isinstance(value, dict | list) else value
