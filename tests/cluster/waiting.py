"""Waiting for what happens elsewhere, and not for ever."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["wait_for"]

_PATIENCE_SECONDS = 120.0


def wait_for(condition: Callable[[], object]) -> None:
    """Return when `condition` holds."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.02)
