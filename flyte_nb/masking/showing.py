"""Text for people, without what is secret in it."""

from __future__ import annotations

import re

from flyte_nb.masking.credentials import MASK, without_credentials
from flyte_nb.masking.declared import LONGEST, declared_secrets

__all__ = ["beginning_without_credentials", "error_text"]

_CUT_ADDRESS = re.compile(r"(?<=://)[^/?#\s@]+\Z")


def beginning_without_credentials(text: str, limit: int) -> str:
    """Return the first `limit` characters of `text`, masked as the whole would be: looks and declarations.

    The cut may hide that something is a password: https://user:pass... with its "@" cut off.
    """
    shown = declared_secrets.masked(text[: limit + LONGEST])
    if len(shown) > limit:
        shown = _CUT_ADDRESS.sub(MASK, shown[:limit])
    return str(without_credentials(shown))


def error_text(error: BaseException) -> str:
    """Return the type and message of `error` for a status, with what is secret masked; never raises."""
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - an exception's own __str__ may do anything, and must not hide the exception
        message = "(its message cannot be shown)"
    return f"{type(error).__name__}: {without_credentials(declared_secrets.masked(message))}".removesuffix(": ")
