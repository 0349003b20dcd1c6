"""Importing the module of an environment in its worker: there `import flyte` means flyte_nb, as where it is adopted."""

from __future__ import annotations

import importlib
import site
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flyte_nb.bundle.module_names import PACKAGE
from flyte_nb.project.loading import finder
from flyte_nb.worker.references import ReferenceFinder

if TYPE_CHECKING:
    from collections.abc import Callable

    from flyte_nb.workers.starting import Beginning
    from flyte_nb.workers.tasks import TaskShape

__all__ = ["load"]


def load(beginning: Beginning, shape: Callable[[str, str], TaskShape]) -> None:
    """Import the environment's module, which defines the environment and its tasks in this process's session.

    Args:
        beginning: Where it is, and what it is called.
        shape: Tells what is known of a task of another environment.
    """
    for folder in beginning.site_folders:
        site.addsitedir(folder)
    sys.path.insert(0, beginning.folder)
    finder.folders = frozenset({Path(beginning.folder).resolve()})
    finder.install()
    references = ReferenceFinder(beginning.modules, beginning.module, shape)
    sys.meta_path.insert(0, references)
    importlib.import_module(f"{PACKAGE}.{beginning.module}")
