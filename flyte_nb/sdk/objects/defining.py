"""Environments of the SDK that cells construct, as definitions of the session, and what cells do to them later.

After each cell they are compared with what is known of them. What is new was said by that cell, and is taken back from
the objects, too, when the cell runs again, fails or is deleted: so they always say what the session says.
"""

from __future__ import annotations

import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import flyte
from flyte._environment import list_loaded_environments  # nothing public tells what was constructed

from flyte_nb.errors import FlyteNbError, UnknownEnvironmentError, UnreadableObjectError
from flyte_nb.masking import error_text
from flyte_nb.model.home import home
from flyte_nb.sdk.objects.following import follow, leave
from flyte_nb.sdk.objects.known import Known
from flyte_nb.sdk.objects.modules import modules_of
from flyte_nb.sdk.objects.reading import is_function_task, specification_of, task_of
from flyte_nb.sdk.stubs import ImageStub

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from flyte_nb.model.spec import EnvironmentSpec

__all__ = ["SdkDefinitions"]


class SdkDefinitions:
    """Follows the SDK's environments from cell to cell.

    What is constructed while a module is imported is the module's, and taken on request; what was there before is not.

    Args:
        amend: Lets what a cell has said of an environment be another specification, as that cell's.
        with_earlier: Whether what was constructed before now counts as constructed by the first cell that begins.
    """

    def __init__(self, amend: Callable[[str, EnvironmentSpec], None], *, with_earlier: bool) -> None:
        self._amend_session = amend
        self._owner = ""
        self._known: dict[int, Known] = {}
        # What the session does not have: constructed earlier, or by cells that have failed or changed since.
        self._ignored: dict[int, Known] = {}
        self._of_modules: dict[int, tuple[Any, str]] = {}  # with the name of the module
        self._adopted: set[int] = set()  # what modules have constructed, and a cell has taken
        self._names: set[str] = set()  # of all that was ever taken
        # What cells have added to environments that no cell constructs any more, for when one does again.
        self._left: dict[str, Known] = {}
        self._parked: dict[str, list[Known]] = {}  # what deleted cells had said, with all that was known then
        self._saved: tuple[dict[int, Known], dict[str, Known]] = ({}, {})
        if not with_earlier:
            self._ignore_new()

    @property
    def earlier(self) -> list[str]:
        """The names of environments that the session does not have, though cells or others have constructed them."""
        return list(dict.fromkeys(known.environment.name for known in self._ignored.values()))

    # Cells come and go

    def begin(self, owner: str) -> None:
        """Let the cell `owner` begin: what it said before is taken back from the objects."""
        self._saved = (_copied(self._known), _copied(self._left))
        self._owner = owner
        self._parked.pop(owner, None)
        self._take_back({owner})

    def forget(self, owners: Collection[str]) -> None:
        """Take back from the objects what cells have said that were deleted."""
        for owner in owners:
            involved = [known.copy() for known in self._known.values() if known.involves({owner})]
            if involved:
                self._parked[owner] = involved
        self._take_back(set(owners))

    def remember(self, owners: Collection[str]) -> None:
        """Let what deleted cells had said count again, which are back."""
        back = {owner: self._parked.pop(owner) for owner in owners if owner in self._parked}
        gone = set(self._parked)
        for owner, parked in back.items():
            for known in parked:
                key, is_constructor = id(known.environment), known.owner == owner
                if is_constructor and key not in self._known:
                    known.take_back(gone)
                    self._known[key] = known
                    self._ignored.pop(key, None)
                    self._left.pop(known.environment.name, None)
                elif key in self._known and not is_constructor:
                    self._known[key].put_back(known, {owner})
                if key in self._known:
                    self._restore(self._known[key])

    def _take_back(self, owners: Collection[str]) -> None:
        for known in self._left.values():
            known.take_back(owners)
        for key, known in list(self._known.items()):
            if not known.involves(owners):
                continue
            for task, owner in known.tasks.values():
                if owner in owners:
                    leave(task)
            was_changed = any(owner in owners for _, owner in known.changes)
            known.take_back(owners)
            if known.owner not in owners:
                known.restore()
                if was_changed:
                    self._amend(known)
                continue
            del self._known[key]
            leave(known.environment)
            known.empty()
            self._left[known.environment.name] = known
            self._ignore([known.environment])
            self._heal_from_others(known.environment.name)

    # The cell that runs

    def adopt(self, module: str) -> tuple[str, ...]:
        """Let what a module holds be new to the cell that runs; return the names of it."""
        self._new()
        present = modules_of([each for each, _ in self._of_modules.values()])
        mine = [key for key, name in present.items() if f"{name}.".startswith(f"{module}.")]
        self._adopted.update(mine)
        return tuple(dict.fromkeys(self._of_modules.pop(key)[0].name for key in mine))

    def take(self) -> list[str]:
        """Say to the session what the cell that runs has said so far; return what there is to tell about it.

        Raises:
            FlyteNbError: It cannot be; the session may have taken a part of it, and here it counts as not said.
        """
        before = (_copied(self._known), _copied(self._left), _copied(self._ignored))
        try:
            return self._take(self._new())
        except BaseException as error:
            for key in self._known.keys() - before[0].keys():
                _leave(self._known[key])
            self._known, self._left, self._ignored = before
            if isinstance(error, Exception) and not isinstance(error, FlyteNbError):
                raise UnreadableObjectError(error_text(error)) from error
            raise

    def _take(self, new: list[Any]) -> list[str]:
        for ignored in self._ignored.values():
            self._hand_on(ignored)
        latest = {each.name: each for each in new}
        self._ignore([each for each in new if latest[each.name] is not each])
        told = [line for environment in latest.values() for line in self._define(environment)]
        return told + [line for known in list(self._known.values()) for line in self._compare(known)]

    def end(self, *, succeeded: bool) -> None:
        """End the run of the cell: if it did not succeed, the objects are again what they were before it."""
        before, left = self._saved
        if not succeeded:
            for key, known in self._known.items():
                if key not in before:
                    _leave(known)
            self._known, self._left = before, left
            for known in before.values():
                self._ignored.pop(id(known.environment), None)
                self._restore(known)
            for ignored in self._ignored.values():
                ignored.restore()
            self._ignore_new()
        self._saved = ({}, {})

    def rest(self) -> None:
        """Let every object be as the SDK made it, until `resume`."""
        for known in self._known.values():
            _leave(known)

    def resume(self) -> None:
        """Follow again what the session has; what was constructed meanwhile is not taken."""
        for known in self._known.values():
            _follow(known)
        self._ignore_new()

    # What cells say

    def _new(self) -> list[Any]:
        """Return what was constructed since the last look, but not by modules."""
        seen = (self._known, self._ignored, self._of_modules)
        new = [each for each in _constructed() if not any(id(each) in one for one in seen)]
        modules = modules_of([each for each in new if id(each) not in self._adopted])
        self._of_modules.update({id(each): (each, modules[id(each)]) for each in new if id(each) in modules})
        return [each for each in new if id(each) not in modules]

    def _define(self, environment: Any) -> list[str]:
        home().define(specification_of(environment))
        known = Known(environment, self._owner)
        self._known[id(environment)] = known
        follow(environment)
        if (left := self._left.pop(environment.name, None)) is not None:
            known.inherit(left)
            for task, _ in known.tasks.values():
                task.parent_env = weakref.ref(environment)
        if environment.name in self._names:
            for other in self._known.values():
                other.heal(environment)
        self._names.add(environment.name)
        return self._of_others(environment.name, environment.depends_on)

    def _compare(self, known: Known) -> list[str]:
        environment, told = known.environment, []
        if changed := known.changed():
            known.changes.append((changed, self._owner))
            environment.depends_on[:] = [*known.said["depends_on"], *(each for each, _ in known.added)]
            self._amend(known)
        if added := known.added_dependencies():
            home().add_dependencies(environment.name, list(dict.fromkeys(each.name for each in added)))
            known.added += [(each, self._owner) for each in added]
            told += self._of_others(environment.name, added)
        for name, task in known.added_tasks().items():
            if is_function_task(task):
                ours = task_of(task, environment)
                home().attach(ours)
                follow(task, ours)
            else:
                kind = type(task).__name__
                told.append(f"{name} is a {kind}, which runs on a cluster only, by the SDK: it is not in this session.")
            known.tasks[name] = (task, self._owner)
        return told

    def _amend(self, known: Known) -> None:
        """Let the session know the fields that an object has by now; what was added to it stays as it was said."""
        names = tuple(dict.fromkeys(each.name for each in known.said["depends_on"]))
        self._amend_session(known.owner, replace(specification_of(known.environment), depends_on=names))

    def _of_others(self, name: str, dependencies: Collection[Any]) -> list[str]:
        """Return lines about those dependencies of `name` that are a module's or no environment for tasks."""
        missing = {each.name: each for each in dependencies if home().spec(each.name) is None}
        told = []
        for other, each in missing.items():
            if not isinstance(each, flyte.TaskEnvironment):
                kind = type(each).__name__
                told.append(f"{name} depends on {other}, of the kind {kind}, which only the SDK itself deploys.")
            elif id(each) in self._of_modules:
                module = self._of_modules[id(each)][1]
                told.append(
                    f"{name} depends on {other} of the module {module}, which is not in this session: "
                    f"%flyte_adopt {module}"
                )
        return told

    def _hand_on(self, ignored: Known) -> None:
        """Hand what was added to an object that the session does not have to what its name means now.

        Raises:
            UnknownEnvironmentError: It means nothing.
        """
        environment = ignored.environment
        dependencies, tasks = ignored.added_dependencies(), ignored.added_tasks()
        if not (dependencies or tasks):
            return
        ignored.restore()
        meant = [known for known in self._known.values() if known.environment.name == environment.name]
        if not meant:
            raise UnknownEnvironmentError(environment.name, ())
        meant[-1].environment.depends_on += dependencies
        for name, task in tasks.items():
            meant[-1].environment.tasks[name] = task
            task.parent_env = weakref.ref(meant[-1].environment)

    def _heal_from_others(self, name: str) -> None:
        """Let what depends on `name` depend on what another cell has constructed under it, if one has."""
        meant = [known.environment for known in self._known.values() if known.environment.name == name]
        for known in self._known.values() if meant else ():
            known.heal(meant[-1])

    def _restore(self, known: Known) -> None:
        known.restore()
        _follow(known)

    def _ignore_new(self) -> None:
        self._ignore(self._new())

    def _ignore(self, environments: Collection[Any]) -> None:
        for environment in environments:
            ignored = self._ignored[id(environment)] = Known(environment, "")
            ignored.tasks = {name: (task, "") for name, task in environment.tasks.items()}


def _constructed() -> list[Any]:
    """Return the environments for tasks that were constructed in this process and not forgotten since."""
    return [
        each
        for each in list_loaded_environments()
        if isinstance(each, flyte.TaskEnvironment) and not isinstance(each, ImageStub)
    ]


def _copied(known: dict[Any, Known]) -> dict[Any, Known]:
    return {key: each.copy() for key, each in known.items()}


def _leave(known: Known) -> None:
    leave(known.environment)
    for task, _ in known.tasks.values():
        leave(task)


def _follow(known: Known) -> None:
    follow(known.environment)
    for task, _ in known.tasks.values():
        task.parent_env = weakref.ref(known.environment)
        if is_function_task(task):
            follow(task, task_of(task, known.environment))
