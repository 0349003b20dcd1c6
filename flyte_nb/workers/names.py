"""Names under which what the user defines goes from one side to the other: a class, a function, a task."""

from __future__ import annotations

import importlib
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from flyte_nb.libraries import has_name, is_library
from flyte_nb.model.environment import TaskEnvironment
from flyte_nb.model.spec import EnvironmentSpec
from flyte_nb.model.stand_ins import as_environment, as_task

if TYPE_CHECKING:
    from collections.abc import Callable

    from flyte_nb.model.task import Task

__all__ = ["NOTEBOOK", "Names"]

NOTEBOOK = ""
"""The module of what cells define; in a worker, that of the environment."""
_TASKS, _ENVIRONMENTS = "flyte_nb: a task", "flyte_nb: an environment"


class Names:
    """What names mean on one side, as values that cross ask for it: see `flyte_nb.crossing.definitions`.

    Attributes:
        side: What this side is called in messages.

    Args:
        side: As above.
        is_notebook: Says whether a module is the notebook, or that of an environment.
        notebook: Gives what the notebook, or the environment's module, has under a name, or raises LookupError.
        task: Gives the task of a full name.
    """

    def __init__(
        self,
        side: str,
        is_notebook: Callable[[str], bool],
        notebook: Callable[[str], Any],
        task: Callable[[str], Task[..., Any]],
    ) -> None:
        self.side = side
        self._is_notebook, self._notebook, self._task = is_notebook, notebook, task

    def name_of(self, value: Any) -> tuple[str, str] | None:
        """Return module and qualified name under which `value` travels, or None of what is not the user's."""
        if task := as_task(value):
            return _TASKS, task.name
        if environment := as_environment(value):
            return _ENVIRONMENTS, environment.name
        if not has_name(value):
            return None
        module: str = value.__module__
        if self._is_notebook(module):
            return NOTEBOOK, value.__qualname__
        return None if is_library(module) else (module, value.__qualname__)

    def find(self, module: str, name: str) -> Any:
        """Return what travels under a name, or raise LookupError."""
        if module == _TASKS:
            return self._task(name)
        if module == _ENVIRONMENTS:
            return TaskEnvironment.of(EnvironmentSpec.checked(name))
        first, _, inner = name.partition(".")
        try:
            value = self._notebook(first) if module == NOTEBOOK else getattr(importlib.import_module(module), first)
            return attrgetter(inner)(value) if inner else value
        except (ImportError, AttributeError) as error:
            raise LookupError(str(error)) from error
