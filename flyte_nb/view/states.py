"""The states an environment or a call can be shown in: one table that pictures, text and the live views all read.

A state is never told by colour alone: each has a label, a glyph for text, and a mark of its own in pictures.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["STATES", "State", "between", "by_urgency", "counts_text", "state_text", "tally", "tally_text"]


@dataclass(frozen=True, slots=True)
class State:
    """How one state is shown.

    Attributes:
        label: The word people read of an environment; the state of a call is read as its name.
        glyph: One character of plain text.
        mark: An SVG path inside a circle of radius 8 around the origin, drawn as a stroke.
        light: The colour on a light background.
        dark: The colour on a dark background.
        filled: Whether the circle is solid, for states that ask to be seen.
        loud: Whether something went wrong.
        worded: Whether its word stands beside a call: it says more than that all is well, or goes on.
        ending: Whether it is one in which something has ended, and counts as done.
        left: The state in which a kernel that ends leaves what was in this one.
    """

    label: str
    glyph: str
    mark: str
    light: str
    dark: str
    filled: bool = False
    loud: bool = False
    worded: bool = False
    ending: bool = False
    left: str = ""


_GREY, _GREEN, _RED = ("#59636e", "#a7b0ba"), ("#1a7038", "#62d08c"), ("#bd2630", "#ff8f89")
_AMBER, _BLUE, _PLUM, _MAUVE = (
    ("#8a5200", "#f0b45f"),
    ("#0a60c2", "#6fb4ff"),
    ("#99386a", "#f094be"),
    ("#675b78", "#baacca"),
)


def _wrong(label: str, glyph: str, mark: str) -> State:
    return State(label, glyph, mark, *_RED, filled=True, loud=True, worded=True, ending=True)


# From what needs a person's attention to what does not: the order in which counts are listed.
STATES: Mapping[str, State] = MappingProxyType(
    {
        "failed": _wrong("failed", "✗", "M-3 -3L3 3M3 -3L-3 3"),
        "timed out": _wrong("timed out", "⧖", "M-2.6 -3.6H2.6L-2.6 3.6H2.6Z"),
        "lost": _wrong("lost", "∅", "M3.4 -3.4L-3.4 3.4M2.6 0A2.6 2.6 0 1 1 -2.6 0A2.6 2.6 0 1 1 2.6 0"),
        "undefined": State("not defined", "?", "M-2.2 -2.1a2.3 2.3 0 1 1 3.2 2.3q-1 .5 -1 1.4M0 4.3h.01", *_AMBER),
        "blocked": State("blocked", "‖", "M-1.9 -3.1V3.1M1.9 -3.1V3.1", *_PLUM, filled=True),
        "cancelled": State("cancelled", "⊘", "M-3.2 3.2L3.2 -3.2", *_AMBER, worded=True, ending=True),
        "running": State("deploying", "►", "M-1.7 -3.2L3.4 0L-1.7 3.2Z", *_BLUE, filled=True, left="lost"),
        "retrying": State(
            "retrying",
            "↻",
            "M3.4 -1.2A3.6 3.6 0 1 0 3.2 1.8M3.6 -3.6V-1H1",
            *_AMBER,
            filled=True,
            worded=True,
            left="lost",
        ),
        "remove": State("to remove", "-", "M-3.5 0H3.5", *_RED, filled=True),
        "create": State("to create", "+", "M-3.5 0H3.5M0 -3.5V3.5", *_GREEN, filled=True),
        "update": State("to update", "~", "M-3.8 .9C-2.5 -1.9 -1.2 -1.9 0 0S2.5 1.9 3.8 -.9", *_AMBER, filled=True),
        "queued": State("queued", "◔", "M0 -3.4V0L2.4 1.6", *_GREY, left="lost"),
        "pending": State("pending", "…", "M-3.3 0h.01M0 0h.01M3.3 0h.01", *_GREY, left="cancelled"),
        "skipped": State("skipped", "»", "M-3.4 -2.7L-.6 0L-3.4 2.7M.8 -2.7L3.6 0L.8 2.7", *_MAUVE, ending=True),
        "unchanged": State("unchanged", "=", "M-3.2 -1.6H3.2M-3.2 1.6H3.2", *_GREY, ending=True),
        "cached": State("cached", "≡", "M-3.4 -2.4H3.4M-3.4 0H3.4M-3.4 2.4H3.4", *_GREEN, worded=True, ending=True),
        "succeeded": State("deployed", "✓", "M-3.5 .3L-1.1 2.7L3.6 -2.5", *_GREEN, filled=True, ending=True),
        "removed": State("removed", "⊖", "M-3.4 -2.2H3.4M-2.2 -2.2V3.4H2.2V-2.2", *_GREEN, filled=True, ending=True),
        "defined": State("defined", "○", "M0 0h.01", *_GREY),
    }
)


def tally(states: Iterable[str]) -> dict[str, int]:
    """Return how often each state occurs, the most urgent first; states that do not occur are left out."""
    counts = Counter(states)
    return {name: counts[name] for name in STATES if counts[name]}


def tally_text(counts: Mapping[str, int]) -> str:
    """Return how many are in each state, the most urgent first: "1 failed, 3 deployed"."""
    return ", ".join(f"{counts[name]:,} {state.label}" for name, state in STATES.items() if counts.get(name))


def counts_text(counts: Mapping[str, int]) -> str:
    """Return counts by state in their own words, in their own order: "3 failed, 9,997 succeeded"."""
    return ", ".join(f"{count:,} {state}" for state, count in counts.items())


def state_text(state: str) -> str:
    """Return the state of an environment in plain text: "✓ deployed"."""
    return f"{STATES[state].glyph} {STATES[state].label}"


def by_urgency(states: Iterable[str]) -> str:
    """Return the state of `states` that most needs attention."""
    return next(iter(tally(states)), "defined")


def between(state: str) -> str:
    """Return a colour between the two of `state`: for shapes, not for text, where the background is not known."""
    light, dark = STATES[state].light, STATES[state].dark
    channels = ((int(light[at : at + 2], 16) + int(dark[at : at + 2], 16)) // 2 for at in (1, 3, 5))
    return "#" + "".join(f"{channel:02x}" for channel in channels)
