"""What a session deploys to and runs on where the Flyte SDK is connected to a cluster."""

from __future__ import annotations

import os
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.declarations import withheld_values
from flyte_nb.bundle.linking import linked, needed_by
from flyte_nb.bundle.withheld import variable_name
from flyte_nb.errors import InvalidTypeError, MissingSecretError, UnwrittenOptionError
from flyte_nb.project.reading import environment_variables
from flyte_nb.targets.clusters import FLYTE, cluster_target, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from flyte_nb.bundle.bundling import Bundler
    from flyte_nb.bundle.content import Bundle
    from flyte_nb.bundle.secret_digests import SecretDigests
    from flyte_nb.definitions.registry import Registry
    from flyte_nb.definitions.sources import CellSources
    from flyte_nb.deployment.keeping.state import DeploymentState
    from flyte_nb.errors import FlyteNbError
    from flyte_nb.execution.node import Run
    from flyte_nb.execution.runner import Runner
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.places.cluster_run import ClusterRun
    from flyte_nb.sdk.cluster import Cluster
    from flyte_nb.targets.flyte import FlyteTarget

__all__ = ["OnCluster"]

# What the history calls a run; on the cluster its name begins with a letter.
_RECORDED, _PREFIX = re.compile(r"[0-9a-f]{8}-[0-9]+"), "nb-"


class OnCluster:
    """The parts of a session that belong to a cluster; the SDK is imported when the first of them is needed.

    Attributes:
        is_leaving: Says whether this process is about to end, and was interrupted only for that; None if nobody knows.

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
        self.is_leaving: Callable[[], bool] | None = None
        self._accepted: set[str] = set()
        self._kept: dict[str, tuple[tuple[object, ...], dict[str, str]]] = {}

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

        return FlyteTarget(self._state(), cluster, self._secrets, self._accepted, self._needed_in_calls)

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
            needed = needed_by(name, whole)
            missing = [each for each in needed if each in refused]
            unwritten = {each: whole[each].unwritten for each in needed if each in whole and whole[each].unwritten}
            if missing:
                problems[name] = refused[missing[0]]
            elif unwritten:
                problems[name] = UnwrittenOptionError(*next(iter(unwritten.items())))
            else:
                found[name] = linked(name, whole)
        return found, problems

    def _secrets(self, bundle: Bundle) -> dict[str, str]:
        """Return what the modules of `bundle` read in the place of secrets, as the session defines them now.

        Raises:
            MissingSecretError: It is not defined here, nor in the environment variables of this process.
        """
        known: dict[str, str] = {}
        for name in sorted(bundle.modules.values(), key=lambda name: name == bundle.name):  # its own count most
            if spec := self._registry.spec(name):
                known |= self._withheld(spec)
        for name in environment_variables(bundle.module):
            if name not in known and name not in os.environ:
                raise MissingSecretError(bundle.name, name)
        return known

    def _needed_in_calls(self, spec: EnvironmentSpec) -> list[str]:
        """Return the variables in the place of secrets of `spec` and its tasks; no call needs those of triggers."""
        functions = [task.function.__name__ for task in self._registry.tasks(spec.name).values()]
        triggers = tuple(variable_name(spec.name, function, "triggers") for function in functions)
        return [name for name in self._withheld(spec) if not name.startswith(triggers)]

    def _withheld(self, spec: EnvironmentSpec) -> dict[str, str]:
        """Return what the module of `spec` does not say, made once for the same definitions."""
        tasks = self._registry.tasks(spec.name)
        said = (spec, *tasks.values())
        known = self._kept.get(spec.name)
        if known is None or [*map(id, known[0])] != [*map(id, said)]:
            known = self._kept[spec.name] = said, withheld_values(spec, tasks)
        return known[1]

    def begin_run(self, _: object = None) -> ClusterRun:
        """Return a new run of what is deployed; it raises what `cluster` does."""
        cluster = self.cluster(FLYTE)
        from flyte_nb.places.cluster_run import ClusterRun
        from flyte_nb.places.versions import KeptVersions

        versions, target = KeptVersions(self._state()), cluster_target(str(cluster))
        return ClusterRun(self._runner, versions, cluster, target, self.is_leaving)

    async def attach(self, run: object) -> Run[Any]:
        """Follow a run of a cluster to its end: see `flyte_nb.attach`."""
        if not isinstance(run, str):
            raise InvalidTypeError("attach.run", run, "the name of a run", 'attach("nb-1f6c2a9e-3")')
        from flyte_nb.execution.capture import capturing

        with capturing(), self._runner.collecting(FLYTE) as journal:
            result = await self.followed(run)
        return self._runner.finished(journal, result)

    async def followed(self, run: str) -> Any:
        """Follow a run that was begun earlier to its end, and return what it gives."""
        __tracebackhide__ = True
        name = f"{_PREFIX}{run}" if _RECORDED.fullmatch(run) else run
        return await self.begin_run().attach(name, self._function)

    def _function(self, task: str) -> Callable[..., Any] | None:
        environment = task.partition(".")[0]
        found = self._registry.tasks(environment).get(task) if self._registry.spec(environment) else None
        return found.function if found else None

    @cached_property
    def _bundler(self) -> Bundler:
        """What makes bundles of the session's definitions for clusters; heavy to import."""
        from flyte_nb.bundle.bundling import Bundler

        # What deploys in order needs no modules that say it, and what a task does not call it does not import.
        return Bundler(self._registry, self._cells, self._digests(), says_order=False)
