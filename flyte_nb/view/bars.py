"""Bars of a timeline: what ran when, and what was the longest, as HTML that stays in the notebook."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING

from flyte_nb.view.durations import duration_text
from flyte_nb.view.states import STATES, between

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flyte_nb.deployment.applying.status import EnvironmentStatus

__all__ = ["MOST_BARS", "TRACK", "Bar", "bar_html", "with_bars"]

MOST_BARS = 30
"""How many environments have bars: more could not be compared at a glance."""

TRACK = 220
"""Pixels."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What began and perhaps ended, in seconds since the beginning of the whole.

    Attributes:
        state: The state whose colour it has.
        started: When it began.
        ended: When it ended; None while it goes on.
    """

    state: str
    started: float
    ended: float | None


def bar_html(bar: Bar, span: float, track: int = TRACK) -> str:
    """Return where `bar` lies between the beginning and the end of a whole that takes `span` seconds.

    Args:
        bar: What is shown.
        span: How many seconds the whole track stands for.
        track: How long that is, in pixels.
    """
    whole = span or 1.0
    left = min(98.0, 100 * bar.started / whole)
    room = 100 - left
    width = room if bar.ended is None else min(room, max(1.0, 100 * (bar.ended - bar.started) / whole))
    told = f"began after {duration_text(bar.started)}"
    return (
        f'<div title="{told}" style="width:{track}px;padding-top:5px"><div style="margin-left:{left:.1f}%;'
        f'width:{width:.1f}%;height:8px;border-radius:4px;background-color:{between(bar.state)}"></div></div>'
    )


def with_bars(statuses: Iterable[EnvironmentStatus]) -> frozenset[str]:
    """Return the names of those that have bars: of too many what failed, what goes on, and what took longest."""
    begun = [status for status in statuses if status.started]
    shown = begun if len(begun) <= MOST_BARS else nsmallest(MOST_BARS, begun, key=_worth)
    return frozenset(status.name for status in shown)


def _worth(status: EnvironmentStatus) -> tuple[int, float]:
    if status.duration is not None:
        return (0 if STATES[status.state.value].loud else 2), -status.duration
    return 1, status.started.timestamp() if status.started else 0.0
