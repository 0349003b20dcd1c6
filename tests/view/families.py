"""Families of graphs with 200 environments, which layouts are judged by."""

from __future__ import annotations

import random

__all__ = ["FAMILIES", "layered", "recent"]


def recent(seed, count=200, window=50):
    """Environments that each depend on one or two of the fifty defined last: a session that grows."""
    draw = random.Random(seed)  # noqa: S311 - nothing to guess
    names = [f"env-{number:03}" for number in range(count)]
    edges = [
        (names[draw.randrange(max(0, at - window), at)], names[at])
        for at in range(1, count)
        for _ in range(draw.randint(1, 2))
    ]
    return names, list(dict.fromkeys(edges))


def layered(seed, count=200, layers=10):
    """Ten stages of twenty; each environment depends on one or two, a fifth of them of any earlier stage."""
    draw = random.Random(seed)  # noqa: S311 - nothing to guess
    per = count // layers
    names, edges = [f"env-{number:03}" for number in range(count)], []
    for at in range(per, count):
        for _ in range(draw.randint(1, 2)):
            stage = at // per - 1 if draw.random() > 0.2 else draw.randrange(at // per)
            edges.append((names[draw.randrange(stage * per, (stage + 1) * per)], names[at]))
    return names, list(dict.fromkeys(edges))


FAMILIES = [recent, layered]
