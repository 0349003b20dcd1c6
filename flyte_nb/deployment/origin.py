"""Where deployments come from: the notebook or the script that deploys."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from flyte_nb.masking import without_credentials

__all__ = ["origin_of_this_process"]


def origin_of_this_process() -> str:
    """Return the path of the script, or that of the notebook as its front end tells it; otherwise the folder.

    Jupyter Server tells it by the environment variable JPY_SESSION_NAME, VS Code by a variable of the notebook. Where
    none does, as when a notebook is executed headless, all that is executed in one folder counts as one.
    """
    names: dict[str, Any] = vars(sys.modules["__main__"])
    script = names.get("__file__")
    if isinstance(script, str) and Path(script).is_file():
        path = str(Path(script).resolve())  # even if a notebook has started it, whose variables it then has
    else:
        path = os.environ.get("JPY_SESSION_NAME") or str(names.get("__vsc_ipynb_file__") or _folder())
    # Not every name of a file is text that can be stored.
    return str(without_credentials(path)).encode("utf-8", "backslashreplace").decode()


@lru_cache(maxsize=1)
def _folder() -> str:
    """Return the folder in which the first deployment was planned: the process may go to others."""
    return f"{Path.cwd()}{os.sep}"
