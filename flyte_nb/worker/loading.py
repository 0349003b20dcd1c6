"""Importing the module of an environment in its worker: there `import flyte` means flyte_nb, as where it is adopted."""

from __future__ import annotations

import importlib
import site
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flyte_nb.bundle.module_names import PACKAGE
from flyte_nb.project.loading import finder
from flyte_nb.worker.declared import WorkerLoader
from flyte_nb.worker.references import ReferenceFinder

if TYPE_CHECKING:
    from collections.abc import Callable

    from flyte_nb.workers.starting import Beginning
    from flyte_nb.workers.tasks import TaskShape

__all__ = ["install", "load"]


def load(beginning: Beginning) -> None:
    """Import the environment's module, which defines the environment and its tasks in this process's session."""
    for folder in beginning.site_folders:
        site.addsitedir(folder)
    sys.path.insert(0, beginning.folder)
    importlib.import_module(f"{PACKAGE}.{beginning.module}")


def install(beginning: Beginning, shape: Callable[[str, str], TaskShape]) -> None:
    """Let modules of environments be found, and import flyte_nb by the name of Flyte.

    Args:
        beginning: Where they are, and what they are called.
        shape: Tells what is known of a task of another environment.
    """
    finder.loader = WorkerLoader
    finder.folders = frozenset({Path(beginning.folder).resolve()})
    finder.install()
    sys.meta_path.insert(0, ReferenceFinder(beginning.modules, beginning.module, shape))
