"""Where deployments come from: the notebook or the script that deploys."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from flyte_nb.masking import without_credentials

__all__ = ["origin_of_this_process"]


def origin_of_this_process() -> str:
    """Return the path of the notebook as Jupyter tells it (JPY_SESSION_NAME), or else that of the script, or ""."""
    path = os.environ.get("JPY_SESSION_NAME", "")
    if not path:
        script = getattr(sys.modules.get("__main__"), "__file__", None)
        path = str(Path(script).resolve()) if isinstance(script, str) and Path(script).is_file() else ""
    return str(without_credentials(path))
