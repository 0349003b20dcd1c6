"""Which values are secret by the look of them: those are never shown and never stored."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MASK", "masked"]

MASK = "***"

_SECRET_NAME = re.compile(
    r"secret|token|passw|passphrase|credential|api_?key|private_?key|access_?key|auth(?!or)", re.I
)
_CREDENTIALS_IN_URL = re.compile(r"(?<=://)[^/\s@]+(?=@)")


def masked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` with texts masked, to any depth: those whose name says secret, and credentials in URLs."""
    return {
        name: MASK if isinstance(v, str) and _SECRET_NAME.search(name) else _inside(v) for name, v in values.items()
    }


def _inside(value: Any) -> Any:
    if isinstance(value, str):
        return _CREDENTIALS_IN_URL.sub(MASK, value)
    if isinstance(value, dict):
        return masked(value)
    if isinstance(value, list):
        return [_inside(entry) for entry in value]
    return value
