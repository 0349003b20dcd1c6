"""Which values are secret by the look of them: those are never shown and never stored."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MASK", "error_text", "masked", "without_credentials"]

MASK = "***"

_SECRET_NAME = re.compile(
    r"secret|token|passw|passphrase|pwd|credential|authorization|(api|private|access|ssh|signing|encryption)_?key"
    r"|(?<![a-z])(pass|pat|auth)(?![a-z])",
    re.IGNORECASE,
)
# User and password before the host (a password may hold "@"), and secrets among the parameters.
_CREDENTIALS_IN_URL = re.compile(
    r"(?<=://)[^/?#\s]+(?=@)|(?<=[?&])(?P<parameter>[\w-]*(token|key|secret|password|signature)=)[^&#\s]+",
    re.IGNORECASE,
)


def masked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` without those whose name says that they are secret, and without credentials in URLs.

    Mappings inside are treated alike.
    """
    return {name: MASK if _SECRET_NAME.search(name) else _inside(value) for name, value in values.items()}


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return masked(value)
    if isinstance(value, list):
        return [_inside(entry) for entry in value]
    return without_credentials(value)


def without_credentials(value: Any) -> Any:
    """Return `value`, text or JSON of any depth, with user, password and tokens in URLs masked."""
    if isinstance(value, str):
        return _CREDENTIALS_IN_URL.sub(lambda found: f"{found['parameter'] or ''}{MASK}", value)
    if isinstance(value, dict):
        return {name: without_credentials(content) for name, content in value.items()}
    if isinstance(value, list):
        return [without_credentials(entry) for entry in value]
    return value


def error_text(error: BaseException) -> str:
    """Return the type and message of `error` for a status, with credentials masked; never raises."""
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - an exception's own __str__ may do anything, and must not hide the exception
        message = "(its message cannot be shown)"
    return f"{type(error).__name__}: {without_credentials(message)}".removesuffix(": ")
