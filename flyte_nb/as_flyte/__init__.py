"""What `import flyte` means in a module that is adopted, or that a worker runs: it defines in this session.

The names of the Flyte SDK take what they take there. What the session has no field for is kept as `flyte_options`.
Names that are not here are those of the SDK itself; where it is not installed, what only declares something is kept as
the call that it is.
"""

from __future__ import annotations

import logging
from typing import Any

from flyte_nb.as_flyte.environments import Documentation, Environment, TaskEnvironment
from flyte_nb.as_flyte.images import Image
from flyte_nb.as_flyte.mapping import map  # noqa: A004 - as in Flyte
from flyte_nb.as_flyte.tasks import ctx, group, trace
from flyte_nb.as_flyte.values import DECLARING, Cache, Resources
from flyte_nb.errors import InvalidValueError
from flyte_nb.functions import deploy, run
from flyte_nb.model import Backoff, RetryStrategy, Secret, Timeout
from flyte_nb.model.written import Name

__all__ = [
    "Backoff",
    "Cache",
    "Documentation",
    "Environment",
    "Image",
    "Resources",
    "RetryStrategy",
    "Secret",
    "TaskEnvironment",
    "Timeout",
    "ctx",
    "deploy",
    "group",
    "logger",
    "map",
    "run",
    "trace",
]

logger = logging.getLogger("flyte.user")


def __getattr__(name: str) -> Any:
    """Return what the SDK itself has under a name that is not here."""
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        import flyte  # type: ignore[import-not-found,unused-ignore]  # it need not be installed
    except ImportError:
        if name in DECLARING:
            return Name(f"flyte.{name}")
        example = "pip install flyte"
        raise InvalidValueError("import flyte", name, "needs the Flyte SDK, which is not installed", example) from None
    return getattr(flyte, name)
