"""Moments as the records of runs tell them."""

from __future__ import annotations

from datetime import datetime, timezone

__all__ = ["utc"]


def utc(seconds: float) -> datetime:
    """Return the moment so many seconds after the epoch, in UTC, to the microsecond."""
    return datetime.fromtimestamp(seconds, timezone.utc)
