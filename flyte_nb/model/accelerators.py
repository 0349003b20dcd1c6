"""The accelerators Flyte knows, and how many of each one task can have."""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["ACCELERATORS", "accelerator_problem", "nearest_accelerator"]

_ONE = (1,)
_UP_TO_2 = (1, 2)
_UP_TO_8 = tuple(range(1, 9))
_NEURON_CORES = (1, 4, 8, 16)

ACCELERATORS = MappingProxyType(
    {
        **dict.fromkeys(("T4", "V100", "L4", "L40s", "A10", "A10G"), _UP_TO_8),
        **dict.fromkeys(("A100", "A100_80G", "H100", "H200", "B200"), _UP_TO_8),
        **dict.fromkeys(("A2", "GB10", "RTX_PRO_4500"), _ONE),
        "RTX_PRO_6000": _UP_TO_2,
        # The upper-case S is Flyte's spelling here; the whole device is "L40s".
        **dict.fromkeys(("T4 shared", "L4 shared", "A10 shared", "A10G shared", "L40S shared"), _ONE),
        **dict.fromkeys(("Trn1", "Trn1n", "Trn2", "Trn2u"), _NEURON_CORES),
        "Inf1": tuple(range(1, 17)),
        "Inf2": tuple(range(1, 13)),
        **dict.fromkeys(("MI100", "MI210", "MI250", "MI250X"), _ONE),
        **dict.fromkeys(("MI300A", "MI300X", "MI325X", "MI350X", "MI355X"), _ONE),
        "Gaudi1": _ONE,
        "AppleSilicon": _ONE,
    }
)
"""Accelerator -> the counts that exist, in increasing order. Names are case-sensitive."""

_COUNT_OPTIONAL = frozenset({"AppleSilicon"})


def accelerator_problem(text: str) -> str | None:
    """Return what is wrong with an accelerator such as "A100:2", or None if Flyte accepts it."""
    model, colon, count = text.partition(":")
    counts = ACCELERATORS.get(model)
    if counts is None:
        return "is not an accelerator of Flyte (names are case-sensitive)"
    if not colon:
        return None if model in _COUNT_OPTIONAL else f"needs a count: {model} comes as {_either(counts)}"
    if count not in map(str, counts):
        return f"has a count that does not exist: {model} comes as {_either(counts)}"
    return None


def nearest_accelerator(text: str) -> str:
    """Return the valid accelerator that is spelled most like `text`; "A100:1" if none is."""
    from difflib import get_close_matches

    model, _, count = text[:64].partition(":")
    spelled_alike = {_plain(known): known for known in ACCELERATORS}
    close = get_close_matches(_plain(model), spelled_alike, n=1, cutoff=0.6)
    nearest = model if model in ACCELERATORS else spelled_alike[close[0]] if close else "A100"
    return f"{nearest}:{_nearest_count(count, ACCELERATORS[nearest])}"


def _nearest_count(count: str, counts: tuple[int, ...]) -> int:
    return min(counts, key=lambda known: abs(known - int(count))) if count.isdecimal() else counts[0]


def _plain(model: str) -> str:
    return "".join(filter(str.isalnum, model)).lower()


def _either(counts: tuple[int, ...]) -> str:
    if len(counts) == 1:
        return f"{counts[0]} only"
    if counts == tuple(range(counts[0], counts[-1] + 1)):
        return f"{counts[0]} to {counts[-1]}"
    return f"{', '.join(map(str, counts[:-1]))} or {counts[-1]}"
