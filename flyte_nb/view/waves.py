"""Which environments of a picture can deploy together: wave 1 needs nothing, each later wave needs the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb import graph

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
    dependencies: dict[str, list[str]] = {name: [] for name in names}
    for dependency, dependent in edges:
        dependencies[dependent].append(dependency)
    return tuple(map(tuple, graph.waves(names, dependencies)))
