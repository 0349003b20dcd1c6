"""A Flyte cluster: environments are deployed through the official SDK, under versions that are their content."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from flyte_nb.errors import FlyteNbError
from flyte_nb.sdk.checking import refusals as sdk_refusals
from flyte_nb.sdk.deploying import deploy_bundle, tasks_there_now, version_of
from flyte_nb.targets.clusters import cluster_target
from flyte_nb.targets.writing import written

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.sdk.cluster import Cluster
    from flyte_nb.targets.local import Records
    from flyte_nb.targets.protocol import Deployed, Log

__all__ = ["FlyteTarget"]


class FlyteTarget:
    """Deploys to a project and domain of a cluster, and records what was deployed there from this machine.

    Args:
        records: Where that is recorded.
        cluster: The cluster.
        secrets: Gives the environment variables that the modules of a bundle read in the place of what is secret.
        accepted: Fingerprints of what the SDK takes, to which is added what it is found to take.
        withheld: Gives the environment variables without which calls of an environment's tasks lack what is secret.
    """

    def __init__(
        self,
        records: Records,
        cluster: Cluster,
        secrets: Callable[[Bundle], Mapping[str, str]] = lambda bundle: {},
        accepted: set[str] | None = None,
        withheld: Callable[[EnvironmentSpec], Collection[str]] = lambda spec: (),
    ) -> None:
        self._records, self.cluster, self._secrets, self._withheld = records, cluster, secrets, withheld
        self._accepted: set[str] = set() if accepted is None else accepted
        self.name = cluster_target(str(cluster))

    def observe(self) -> Mapping[str, Deployed]:
        """Return what was deployed from this machine and is still there, by name.

        Raises:
            ClusterError: The cluster does not say.
        """
        recorded = self._records.deployed(self.name)
        tasks = {name: dict.fromkeys(_tasks(each)) for name, each in recorded.items()}
        there = tasks_there_now([task for each in tasks.values() for task in each], self.cluster)
        return {name: each for name, each in recorded.items() if there.issuperset(tasks[name])}

    def remarks(self, spec: EnvironmentSpec) -> tuple[str, ...]:
        """Return what there is to say of `spec`: which of its secrets tasks do not get that others call."""
        return tuple(
            f"the value of {name} goes to the cluster with its own tasks, and is empty where tasks of other "
            f'environments call them: declare it as secrets=[flyte.Secret(..., as_env_var="{name}")]'
            for name in sorted(self._withheld(spec))
        )

    def refusals(self, bundles: Collection[Bundle]) -> Mapping[str, FlyteNbError]:
        """Return why the SDK refuses some of `bundles`, by name, as far as it can say that without a request.

        What it refuses is looked at again each time: a package may have been installed meanwhile.
        """
        refused: dict[str, FlyteNbError] = {}
        secrets: dict[str, str] = {}
        for bundle in (pending := [each for each in bundles if each.fingerprint not in self._accepted]):
            try:
                secrets |= self._secrets(bundle)
            except FlyteNbError as error:
                refused[bundle.name] = error
        checked = [bundle for bundle in pending if bundle.name not in refused]
        if checked:
            refused |= sdk_refusals(checked, self.cluster, secrets)
        self._accepted |= {bundle.fingerprint for bundle in checked if bundle.name not in refused}
        return refused

    async def deploy_environment(self, bundle: Bundle, log: Log) -> None:
        """Send what the cluster does not have of `bundle`, and record it; a write that has begun is finished.

        Raises:
            MissingSecretError: A secret value is not here.
            RefusedBySdkError: The SDK refuses it.
            ClusterError: The cluster refuses it; nothing is recorded.
        """
        await deploy_bundle(bundle, self.cluster, self._secrets(bundle), log)
        with suppress(asyncio.CancelledError):
            await written(self._records.record(self.name, bundle))
        log(f"recorded version {bundle.fingerprint[:12]}")

    async def remove_environment(self, name: str, log: Log) -> None:
        """Forget that `name` is deployed; a cluster keeps every version of a task."""
        with suppress(asyncio.CancelledError):
            await written(self._records.forget(self.name, name))
        log("forgotten here; the cluster keeps what was deployed to it")


def _tasks(deployed: Deployed) -> Iterator[tuple[str, str]]:
    version = version_of(deployed.fingerprint)
    return ((task, version) for task in deployed.specification.get("tasks", {}))
