"""Which environments can deploy together: wave 1 needs nothing, each later wave needs one of the wave before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["waves"]


def waves(names: Sequence[str], edges: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Return `names` by wave, in their given order within a wave. Linear in names and edges.

    Args:
        names: Distinct names.
        edges: (dependency, dependent) pairs of those names.

    Raises:
        ValueError: If the edges contain a cycle.
    """
    dependents: dict[str, list[str]] = {name: [] for name in names}
    missing = dict.fromkeys(names, 0)
    for dependency, dependent in edges:
        dependents[dependency].append(dependent)
        missing[dependent] += 1
    wave = {name: 0 for name in names if not missing[name]}
    ready = list(wave)
    for name in ready:  # grows while it is walked
        for dependent in dependents[name]:
            missing[dependent] -= 1
            if not missing[dependent]:
                wave[dependent] = wave[name] + 1
                ready.append(dependent)
    if len(ready) < len(missing):
        raise ValueError("the edges contain a cycle; a picture flows one way")
    found: list[list[str]] = [[] for _ in range(max(wave.values(), default=-1) + 1)]
    for name in names:
        found[wave[name]].append(name)
    return tuple(map(tuple, found))
