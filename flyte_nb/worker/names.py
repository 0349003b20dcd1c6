"""What the user's names mean in a worker: those of the environment's own module, and of the modules that came along."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.module_names import PACKAGE
from flyte_nb.session import session
from flyte_nb.worker.references import TaskReference
from flyte_nb.workers.names import Names

if TYPE_CHECKING:
    from collections.abc import Callable

    from flyte_nb.model.task import Task
    from flyte_nb.workers.tasks import TaskShape

__all__ = ["names_of_worker"]


def names_of_worker(environment: str, module: str, shape: Callable[[str, str], TaskShape]) -> Names:
    """Return what names mean in the worker of `environment`, whose module has the name `module`."""
    own = f"{PACKAGE}.{module}"

    def notebook(name: str) -> Any:
        return getattr(sys.modules[own], name)

    def task(name: str) -> Task[..., Any]:
        elsewhere, _, function = name.partition(".")
        if elsewhere == environment:
            return session().tasks(environment)[name]
        return TaskReference(elsewhere, function, shape)

    return Names(f"the worker of {environment!r}", lambda name: name == own, notebook, task)
