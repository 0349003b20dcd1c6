"""Where deployments come from: the notebook or the script that deploys."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from uuid import uuid4

from flyte_nb.masking import without_credentials

__all__ = ["origin_of_this_process"]


def origin_of_this_process() -> str:
    """Return the path of the notebook or of the script; where neither is known, a name that no other session has.

    Jupyter tells the path of the notebook in JPY_SESSION_NAME, VS Code in the variable `__vsc_ipynb_file__`.
    """
    main = sys.modules.get("__main__")
    notebook = os.environ.get("JPY_SESSION_NAME") or getattr(main, "__vsc_ipynb_file__", "")
    if isinstance(notebook, str) and notebook:
        return str(without_credentials(notebook))
    script = getattr(main, "__file__", None)
    if isinstance(script, str) and Path(script).is_file():
        return str(without_credentials(str(Path(script).resolve())))
    return _session_name(os.getpid())


@cache
def _session_name(process: int) -> str:
    return f"session {uuid4().hex[:8]}"
