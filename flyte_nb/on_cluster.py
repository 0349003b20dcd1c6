"""What a session deploys to and runs on where the Flyte SDK is connected to a cluster."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from flyte_nb.bundle.linking import linked, needed_by
from flyte_nb.targets.clusters import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from flyte_nb.bundle.bundling import Bundler
    from flyte_nb.bundle.content import Bundle
    from flyte_nb.bundle.secret_digests import SecretDigests
    from flyte_nb.definitions.registry import Registry
    from flyte_nb.definitions.sources import CellSources
    from flyte_nb.deployment.keeping.state import DeploymentState
    from flyte_nb.errors import FlyteNbError
    from flyte_nb.execution.runner import Runner
    from flyte_nb.sdk.cluster import Cluster
    from flyte_nb.targets.flyte import FlyteTarget

__all__ = ["OnCluster"]


class OnCluster:
    """The parts of a session that belong to a cluster; the SDK is imported when the first of them is needed.

    Args:
        state: Gives the database of deployments.
        registry: What the session defines.
        cells: The notebook.
        runner: Notes every call.
        digests: Gives what stands for secrets in fingerprints.
    """

    def __init__(
        self,
        state: Callable[[], DeploymentState],
        registry: Registry,
        cells: CellSources,
        runner: Runner,
        digests: Callable[[], SecretDigests],
    ) -> None:
        self._state, self._registry, self._cells = state, registry, cells
        self._runner, self._digests = runner, digests

    def cluster(self, target: str) -> Cluster:
        """Return the cluster that the name of a target means.

        Raises:
            MissingSdkError: The SDK is not installed.
            NotConnectedError: The SDK is not connected to it.
        """
        from flyte_nb.sdk.importing import require_sdk

        require_sdk("A Flyte cluster")
        from flyte_nb.sdk.cluster import connected_cluster

        return connected_cluster(*place_of(target))

    def target(self, name: str) -> FlyteTarget:
        """Return the target of that name; it raises what `cluster` does."""
        cluster = self.cluster(name)
        from flyte_nb.targets.flyte import FlyteTarget

        return FlyteTarget(self._state(), cluster)

    def bundles(self, names: Collection[str]) -> tuple[dict[str, Bundle], dict[str, FlyteNbError]]:
        """Return what would be deployed of each of `names`, with all that its tasks call, or why it cannot be."""
        whole, refused = self._bundler.bundles(names)
        pending = {each for name in whole for each in needed_by(name, whole)} - whole.keys() - refused.keys()
        while pending:
            more, why_not = self._bundler.bundles(sorted(pending))
            whole |= more
            refused |= why_not
            pending = {each for name in more for each in needed_by(name, whole)} - whole.keys() - refused.keys()
        found: dict[str, Bundle] = {}
        problems: dict[str, FlyteNbError] = {}
        for name in names:
            missing = [each for each in needed_by(name, whole) if each in refused]
            if missing:
                problems[name] = refused[missing[0]]
            else:
                found[name] = linked(name, whole)
        return found, problems

    @cached_property
    def _bundler(self) -> Bundler:
        """What makes bundles of the session's definitions for clusters; heavy to import."""
        from flyte_nb.bundle.bundling import Bundler

        # What deploys in order needs no modules that say it, and what a task does not call it does not import.
        return Bundler(self._registry, self._cells, self._digests(), says_order=False)
