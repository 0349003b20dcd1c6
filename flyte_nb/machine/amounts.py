"""Amounts of what a machine has, in words."""

from __future__ import annotations

__all__ = ["bytes_text", "counted"]

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def counted(amount: float, noun: str) -> str:
    """Return a number of things: "1 core", "0.5 cores", "2 GPUs"."""
    return f"{amount:.10g} {noun}{'' if amount == 1 else 's'}"


def bytes_text(size: int) -> str:
    """Return a number of bytes in the largest unit of which there is at least one: "1.5 GiB"."""
    amount, unit = float(size), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.3g} {_UNITS[unit]}" if amount < 1000 else f"{amount:.0f} {_UNITS[unit]}"
