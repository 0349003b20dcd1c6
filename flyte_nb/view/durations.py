"""How long something took, as people say it."""

from __future__ import annotations

__all__ = ["duration_text"]


def duration_text(seconds: float) -> str:
    """Return `seconds` as "0.302 s", "2 min 05 s" or "3 h 12 min"."""
    if round(seconds, 3) < 60:
        return f"{max(0.0, seconds):.3f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60:,} h {minutes % 60:02} min"
