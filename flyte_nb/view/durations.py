"""How long something took, or will take, as people say it."""

from __future__ import annotations

__all__ = ["about_text", "duration_text", "took_text"]


def duration_text(seconds: float) -> str:
    """Return `seconds` as "0.302 s", "2 min 05 s" or "3 h 12 min"."""
    if round(seconds, 3) < 60:
        return f"{max(0.0, seconds):.3f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60:,} h {minutes % 60:02} min"


def took_text(seconds: float | None) -> str:
    """Return what `duration_text` does, or a dash for what has not ended."""
    return "–" if seconds is None else duration_text(seconds)


def about_text(seconds: float) -> str:
    """Return an estimate no more exactly than it is known: "about 12 s", "about 2 min 10 s", "about 3 h 10 min"."""
    if seconds < 59.5:
        return f"about {max(1, round(seconds))} s"
    tens = round(seconds / 10)
    if tens < 60:
        rest = f" {tens % 6}0 s" if tens % 6 else ""
        return f"about {tens // 6} min{rest}"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"about {minutes} min"
    rest = f" {minutes % 60} min" if minutes % 60 else ""
    return f"about {minutes // 60:,} h{rest}"
