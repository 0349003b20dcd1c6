"""Moments as people read them: in the time zone of this machine, which is named beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["clock_head", "clock_text", "moment_text"]


def moment_text(moment: datetime) -> str:
    """Return date, time to the second, and time zone: "2026-05-04 14:00:00 CEST"."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def clock_text(moment: datetime) -> str:
    """Return the time of the day, to the millisecond; `clock_head` names its time zone."""
    return moment.astimezone().strftime("%H:%M:%S.%f")[:-3]


def clock_head(what: str, moment: datetime | None) -> str:
    """Return the head of a column of clocks, one of which is that of `moment`: "started (CEST)"."""
    return what if moment is None else f"{what} ({moment.astimezone():%Z})"
