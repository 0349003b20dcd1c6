"""Kubernetes quantities ("500m", "16Gi", "1e3") as exact integers."""

from __future__ import annotations

import re

__all__ = ["LARGEST", "UNIT", "nearest_size", "parse_bytes", "parse_cores"]

UNIT = 10**9
"""How many steps one core or one byte has: Kubernetes keeps nine decimal places."""

LARGEST = (2**63 - 1) * UNIT
"""The largest quantity Kubernetes holds."""

_FRACTIONS = {"n": 1, "u": 10**3, "m": 10**6}
_DECIMAL = {suffix: UNIT * 1000**power for power, suffix in enumerate(("", "k", "M", "G", "T", "P", "E"))}
_BINARY = {f"{suffix}i": UNIT * 1024**power for power, suffix in enumerate("KMGTPE", start=1)}
_CORES = {"": UNIT, **_FRACTIONS}
_BYTES = {**_DECIMAL, **_BINARY}

_QUANTITY = re.compile(
    r"(?P<sign>[+-]?)(?:(?P<whole>[0-9]+)(?:\.(?P<fraction>[0-9]*))?|\.(?P<bare_fraction>[0-9]+))"
    r"(?:[eE](?P<exponent>[+-]?[0-9]{1,3})|(?P<suffix>[A-Za-z]*))"
)
# Longer than any quantity that means something, shorter than what makes int() slow.
_LONGEST = 64


def parse_cores(text: str) -> int | None:
    """Return a number of cores such as "500m" or "1.5" in billionths of a core, or None if it is not one."""
    return _parse(text, _CORES)


def parse_bytes(text: str) -> int | None:
    """Return a size such as "512Mi", "1G" or "1024" in billionths of a byte, or None if it is not one."""
    return _parse(text, _BYTES)


def nearest_size(text: str) -> str | None:
    """Return the size that a misspelled one such as "16GB", "16 gi" or "500m" most likely means, or None."""
    match = re.fullmatch(r"([0-9]{1,19}(?:\.[0-9]{1,9})?)([kmgtpe]?)(i?)b?", text[:_LONGEST].replace(" ", "").lower())
    if match is None:
        return None
    number, letter, binary = match.groups()
    letter = letter if letter == "k" and not binary else letter.upper()
    candidate = number + letter + binary
    return candidate if UNIT <= (parse_bytes(candidate) or 0) <= LARGEST else None


def _parse(text: str, suffixes: dict[str, int]) -> int | None:
    match = _QUANTITY.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    fraction = match["bare_fraction"] or match["fraction"] or ""
    multiplier = suffixes.get(match["suffix"] or "")
    if multiplier is None:
        return None
    exponent = int(match["exponent"] or 0)
    numerator: int = int((match["whole"] or "") + fraction) * multiplier * 10 ** max(exponent, 0)
    denominator: int = 10 ** (len(fraction) + max(-exponent, 0))
    # Kubernetes rounds what is finer than it keeps away from zero.
    magnitude = -(-numerator // denominator)
    return -magnitude if match["sign"] == "-" else magnitude
