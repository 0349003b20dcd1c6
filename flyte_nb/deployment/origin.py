"""Where deployments come from: the notebook or the script that deploys."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from flyte_nb.masking import without_credentials

__all__ = ["origin_of_this_process"]


def origin_of_this_process() -> str:
    """Return the path of the script, or that of the notebook as its front end tells it, or "" where none does.

    Jupyter Server tells it by the environment variable JPY_SESSION_NAME, VS Code by a variable of the notebook.
    """
    names: dict[str, Any] = vars(sys.modules["__main__"])
    script = names.get("__file__")
    if isinstance(script, str) and Path(script).is_file():
        path = str(Path(script).resolve())  # even if a notebook has started it, whose variables it then has
    else:
        path = os.environ.get("JPY_SESSION_NAME") or str(names.get("__vsc_ipynb_file__") or "")
    # Not every name of a file is text that can be stored.
    return str(without_credentials(path)).encode("utf-8", "backslashreplace").decode()
