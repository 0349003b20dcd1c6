"""Whether the SDK is there: the other modules of this package import it, and so are imported when it is needed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from flyte_nb.errors import MissingSdkError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["imported_sdk", "require_sdk"]


def require_sdk(what: str) -> None:
    """Import the SDK.

    Args:
        what: What needs it, for the error.

    Raises:
        MissingSdkError: It is not installed.
    """
    try:
        import flyte  # noqa: F401
    except ImportError as error:
        if error.name != "flyte":
            raise  # it is there, but not whole
        raise MissingSdkError(what) from None


def imported_sdk() -> ModuleType | None:
    """Return the module `flyte` if somebody has imported it."""
    return sys.modules.get("flyte")
