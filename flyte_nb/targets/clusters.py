"""The names of targets that are Flyte clusters: "flyte", or more of "flyte:flytesnacks/development@example.com"."""

from __future__ import annotations

__all__ = ["FLYTE", "cluster_target", "is_cluster", "place_of"]

FLYTE = "flyte"
"""What the names of these targets begin with."""


def is_cluster(target: object) -> bool:
    """Say whether `target` is the name of a Flyte cluster."""
    return isinstance(target, str) and target.partition(":")[0] == FLYTE


def cluster_target(cluster: str) -> str:
    """Return the whole name of the target that is `cluster`: "flytesnacks/development@example.com"."""
    return f"{FLYTE}:{cluster}"


def place_of(target: str) -> tuple[str, str, str]:
    """Return project, domain and endpoint that the name of such a target says; what it leaves out is empty."""
    place, _, endpoint = target.partition(":")[2].partition("@")
    project, _, domain = place.partition("/")
    return project, domain, endpoint
