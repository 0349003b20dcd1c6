"""The session: composes registry, runner and targets, and is the one place with state."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property, partial
from os import fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flyte_nb.definitions.registry import Registry
from flyte_nb.definitions.sources import CellSources
from flyte_nb.embedded import EMBEDDED, Embedded
from flyte_nb.errors import (
    ExportError,
    FlyteNbError,
    InvalidTypeError,
    InvalidValueError,
    UnknownEnvironmentError,
    UnknownTargetError,
)
from flyte_nb.execution.history.history import History
from flyte_nb.execution.runner import ON_CLUSTER, Runner
from flyte_nb.graph import closure, ordered
from flyte_nb.listeners import Listeners
from flyte_nb.model.home import install_home
from flyte_nb.model.stand_ins import as_environment
from flyte_nb.on_cluster import OnCluster
from flyte_nb.sdk_cells import SdkCells
from flyte_nb.settings import Settings
from flyte_nb.targets.clusters import FLYTE, is_cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from os import PathLike

    from flyte_nb.bundle.bundling import Bundler
    from flyte_nb.bundle.content import Bundle
    from flyte_nb.bundle.secret_digests import SecretDigests
    from flyte_nb.deployment.applying.apply import Policy
    from flyte_nb.deployment.applying.status import Deployment
    from flyte_nb.deployment.deployments import Deployments, Make
    from flyte_nb.deployment.keeping.history import DeploymentHistory
    from flyte_nb.deployment.keeping.standing import Standing
    from flyte_nb.deployment.keeping.state import DeploymentState
    from flyte_nb.deployment.planning.plan import Plan, Step
    from flyte_nb.deployment.watching import Watcher
    from flyte_nb.execution.caching.results import CachedResults
    from flyte_nb.model.environment import TaskEnvironment
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.model.task import Task
    from flyte_nb.project.adopting import Adopted
    from flyte_nb.project.folder import Exported
    from flyte_nb.targets.protocol import Deployed, Target

__all__ = ["DEFAULT_CONCURRENCY", "Session", "session"]

DEFAULT_CONCURRENCY = 8


class Session:
    """What one kernel (or one script) has defined and can do with it."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.cells = CellSources()
        self.sdk_cells = SdkCells(self.registry, self._amend)
        self.settings = Settings()
        self.runner = Runner(self.registry.spec, self._cached_results, lambda: self.settings.run_on)
        self.call, self.call_in_thread = self.runner.call, self.runner.call_in_thread
        self.history = History(self.runner, self.settings)
        self._results: CachedResults | None = None
        self._state: DeploymentState | None = None
        self._when_deployed: Listeners[str] = Listeners()
        self.embedded = Embedded(
            self.settings, self._deployment_state, self.registry, self.cells, self.runner, self.bundles
        )
        self.runner.places[EMBEDDED] = self.embedded.begin_run
        self.cluster = OnCluster(self._deployment_state, self.registry, self.cells, self.runner, self.digests)
        self.runner.places[ON_CLUSTER] = self.cluster.begin_run
        self._targets: dict[str, Callable[[], Target]] = {EMBEDDED: lambda: self.embedded.target}

    def call_and_wait(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call an async `task` and return its result where a loop runs, which stands still meanwhile."""
        from flyte_nb.execution.blocking import call_and_wait

        __tracebackhide__ = True
        return call_and_wait(task, args, kwargs)

    # The home of the model

    def define(self, spec: EnvironmentSpec) -> None:
        """Make `spec` the definition of its name."""
        self.runner.environments_cache |= spec.cache.behavior != "disable"
        self.registry.define(spec)

    def _amend(self, cell: str, spec: EnvironmentSpec) -> None:
        """Let what a cell has said of an environment be `spec`."""
        self.runner.environments_cache |= spec.cache.behavior != "disable"
        self.registry.amend(cell, spec)

    def attach(self, task: Task[..., Any]) -> None:
        """Add `task` to the environment it names, which must be defined: an old object may outlive its name."""
        self.registry.require(task.environment)
        self.registry.attach(task)

    def add_dependencies(self, name: str, dependencies: Collection[str]) -> None:
        """Add all of `dependencies` to `name`, which must be defined, or none."""
        self.registry.require(name)
        self.registry.add_dependencies(name, dependencies)

    def spec(self, name: str) -> EnvironmentSpec | None:
        """Return the definition of `name`, or None."""
        return self.registry.spec(name)

    def dependencies(self, name: str) -> tuple[str, ...]:
        """Return what `name` depends on."""
        return self.registry.dependencies(name)

    def tasks(self, name: str) -> Mapping[str, Task[..., Any]]:
        """Return the tasks of `name` by full name."""
        return self.registry.tasks(name)

    # Order and deployment

    def select(self, environments: Collection[TaskEnvironment | str]) -> list[str]:
        """Return the defined names among `environments` and all they need, in the order of registration.

        None at all means every environment.

        Raises:
            UnknownEnvironmentError: One of `environments` is not defined.
        """
        self.sdk_cells.take()
        names = self.registry.names()
        if not environments:
            return names
        roots = [_name(environment) for environment in environments]
        for root in roots:
            self.registry.require(root)
        wanted = closure(roots, self.registry.edges)
        return [name for name in names if name in wanted]

    def deployment_order(self, environments: Collection[TaskEnvironment | str]) -> list[str]:
        """Return what `select` gives so that each name comes after those it depends on."""
        return ordered(self.select(environments), self.registry.edges)

    @property
    def targets(self) -> list[str]:
        """The names of the targets."""
        return [*self._targets, FLYTE]

    def target(self, name: object) -> Target:
        """Return the target of that name.

        Raises:
            UnknownTargetError: There is none.
            MissingSdkError: It is a cluster, and the Flyte SDK is not installed.
            NotConnectedError: It is a cluster, and the Flyte SDK is not connected to it.
        """
        if isinstance(name, str) and is_cluster(name):
            return self.cluster.target(name)
        if not isinstance(name, str) or name not in self._targets:
            raise UnknownTargetError(name, self.targets)
        return self._targets[name]()

    def _deployment_state(self) -> DeploymentState:
        """Return the database of deployments, one object for all who use the same file."""
        from flyte_nb.deployment.keeping.state import DeploymentState

        home = self.settings.home_path
        if self._state is None or self._state.home != home:
            self._state = DeploymentState(home)
        return self._state

    def _deployments(self) -> Deployments:
        from flyte_nb.deployment.deployments import Deployments
        from flyte_nb.deployment.origin import origin_of_this_process

        return Deployments(self._deployment_state(), origin_of_this_process())

    def _cached_results(self) -> CachedResults:
        from flyte_nb.execution.caching.results import CachedResults

        self._results = self._results or CachedResults(self.settings)
        return self._results

    def rest(self) -> None:
        """Write what is not yet written, and let go of threads; whatever comes later begins anew."""
        self.embedded.close()
        self.history.stop()
        self.history.flush()
        if self._results:
            self._results.close()

    def plan(
        self,
        environments: Collection[TaskEnvironment | str],
        target: Target,
        *,
        prune: bool = False,
        max_concurrency: int | None = None,
    ) -> tuple[Plan, dict[str, Bundle], dict[str, FlyteNbError]]:
        """Return the plan for `environments` and all they need, what it would deploy, and why of some nothing can be.

        Args:
            environments: Environments or their names; none means all.
            target: Where to.
            prune: Whether to remove what this notebook or script has deployed and no longer defines; not with names.
            max_concurrency: How many would be deployed at once, for the duration that is expected.
        """
        from flyte_nb.deployment.planning.making import make_plan
        from flyte_nb.targets.observing import observed, refusals_of, remarks_of

        if prune and environments:
            problem = "goes with all environments: what is no longer defined has no name here"
            raise InvalidValueError("prune", prune, problem, "%flyte_deploy --prune")
        names, deployments = self.select(environments), self.past_deployments
        dependencies = {name: self.registry.dependencies(name) for name in names}
        deployed = observed(target)
        known = {name: each.fingerprint for name, each in deployed.items()}
        bundles, refused = self._bundles_for(target.name, names, known)
        remarks, unfit = remarks_of(target, [spec for name in names if (spec := self.spec(name))])
        new = [each for name, each in bundles.items() if name not in unfit and known.get(name) != each.fingerprint]
        refused = {**unfit, **refused, **refusals_of(target, new)}
        plan = make_plan(
            target.name,
            names,
            {**self.registry.edges, **dependencies},
            bundles,
            deployed,
            problems={name: str(error) for name, error in refused.items()},
            remarks=remarks,
            asked=[_name(environment) for environment in environments],
            removable=self._removable(target.name) if prune else None,
            durations=deployments.durations(target.name),
            max_concurrency=max_concurrency,
        )
        return plan, bundles, refused

    def _removable(self, target: str) -> list[str]:
        """Return what this notebook or script, and no other, has deployed to `target`."""
        from flyte_nb.deployment.origin import origin_of_this_process

        own = {origin_of_this_process()}
        return [name for name, origins in self.past_deployments.origins(target).items() if origins == own]

    def bundles(
        self, names: Collection[str], known: Mapping[str, str] | None = None
    ) -> tuple[dict[str, Bundle], dict[str, FlyteNbError]]:
        """Return what would be deployed of each of `names`, and why of some nothing can be.

        Of an environment whose fingerprint is the `known` one, nothing else is worked out.
        """
        return self.bundler.bundles(names, known or {})

    def _bundles_for(
        self, target: str, names: Collection[str], known: Mapping[str, str]
    ) -> tuple[dict[str, Bundle], dict[str, FlyteNbError]]:
        """Return what would be deployed of each of `names` to a target; see `bundles`."""
        return self.cluster.bundles(names) if is_cluster(target) else self.bundles(names, known)

    def changed_since(self, deployed: Mapping[str, str], target: str = EMBEDDED) -> list[str]:
        """Return what is defined here otherwise than it is deployed to `target`: fingerprints by environment.

        What is not defined here is left out; what cannot be deployed as it is now was different when it was.
        """
        here = [name for name in deployed if self.registry.spec(name)]
        bundles, _ = self._bundles_for(target, here, deployed)
        return [name for name in here if name not in bundles or bundles[name].fingerprint != deployed[name]]

    def deployed(self) -> dict[str, bool]:
        """Return of each environment that is deployed whether it is as it is defined here, where it was deployed last.

        Raises:
            StateError: The database of deployments cannot be read.
        """
        last, where = self._deployment_state().last_deployed(), defaultdict[str, dict[str, str]](dict)
        for name in last.keys() & self.registry.edges.keys():
            target, fingerprint = last[name]
            where[target][name] = fingerprint
        changed = {name for target, known in where.items() for name in self.changed_since(known, target)}
        return {name: name not in changed for known in where.values() for name in known}

    @cached_property
    def bundler(self) -> Bundler:
        """What makes bundles of the session's definitions; heavy to import."""
        from flyte_nb.bundle.bundling import Bundler

        return Bundler(self.registry, self.cells, self.digests())

    def digests(self) -> SecretDigests:
        """Return what stands for secrets in fingerprints."""
        from flyte_nb.bundle.secret_digests import SecretDigests

        return SecretDigests(lambda: self.settings.home_path)

    def standing(self, name: str) -> Standing:
        """Return where an environment stands: its last deployment, and what the next would change.

        Raises:
            StateError: The database of deployments cannot be read.
            TargetError: The target cannot be asked.
        """
        from flyte_nb.deployment.keeping.standing import Standing

        last, environment = self.past_deployments.last_of(name) or (None, None)
        target = last.target if last else EMBEDDED
        step = None if is_cluster(target) or not self.spec(name) else self._next_step(name, target)
        return Standing(name, target, last, environment, step)

    def _next_step(self, name: str, target: str) -> Step:
        """Return what a deployment would do with one environment, whatever becomes of those it depends on."""
        from flyte_nb.deployment.planning.making import make_plan
        from flyte_nb.targets.observing import observed

        deployed = observed(self.target(target))
        known = {name: deployed[name].fingerprint} if name in deployed else {}
        bundles, refused = self._bundles_for(target, [name], known)
        problems = {name: str(error) for name, error in refused.items()}
        return make_plan(target, [name], {name: ()}, bundles, deployed, problems=problems).steps[0]

    # Projects

    def export(
        self, folder: str | PathLike[str], environments: Collection[TaskEnvironment | str], *, force: bool
    ) -> Exported:
        """Write `environments` and all they need as a Flyte project into `folder`."""
        from flyte_nb.project.files import project_files
        from flyte_nb.project.folder import export

        names = self.deployment_order(environments)
        if not names:
            raise ExportError(fspath(folder), "no environment is defined", "Define one, or run the cells that do")
        dependencies = {name: self.registry.dependencies(name) for name in names}
        self._refuse_missing({d for needed in dependencies.values() for d in needed if not self.spec(d)}, dependencies)
        bundles, refused = self.bundles(names)
        for error in refused.values():
            raise error
        modules = self.bundler.module_names(names)
        place = Path(folder).expanduser().absolute()
        return export(place, project_files(bundles, modules, place.name), force=force)

    def adopt(self, source: str | PathLike[str]) -> Adopted:
        """Bring the environments of a module, a package or a project into the session.

        In a notebook that uses the Flyte SDK itself, those of a module that is imported by name are the SDK's objects.
        """
        from flyte_nb.project.adopting import Adopted, adopt, import_again

        text = fspath(source)
        if self.sdk_cells.follows and all(part.isidentifier() for part in text.split(".")):
            import_again(text)
            if (names := self.sdk_cells.adopt(text)) is not None:
                return Adopted((text,), {text: names})
        return adopt(text, self.registry)

    def _refuse_missing(self, missing: Collection[str], dependencies: Mapping[str, Collection[str]]) -> None:
        """Raise UnknownEnvironmentError if one of `dependencies` is `missing`."""
        for name, needed in dependencies.items():
            for dependency in needed:
                if dependency in missing:
                    raise UnknownEnvironmentError(dependency, self.registry.names(), needed_by=name)

    async def deploy(
        self,
        environments: Collection[TaskEnvironment | str],
        target: str,
        policy: Policy | None = None,
        *,
        prune: bool = False,
        saved: Plan | None = None,
        wait: bool = True,
        watcher: Watcher | None = None,
    ) -> Deployment:
        """Deploy `environments` and all they need.

        Args:
            environments: Environments or their names; none means all.
            target: The name of the target.
            policy: How to; by default with `DEFAULT_CONCURRENCY`.
            prune: Whether to remove what this notebook or script has deployed and no longer defines.
            saved: A plan that must still be what would be done; it says which environments, where to, and `prune`.
            wait: Whether to wait while somebody else deploys to the target.
            watcher: Is told of it all.

        Raises:
            UnknownEnvironmentError: A name is not defined; nothing was deployed.
            DeploymentBlockedError: Something cannot be deployed; nothing was.
            PlanOutdatedError: `saved` is no longer what would be done; nothing was deployed.
            DeploymentLockedError: Somebody else deploys to the target, and `wait` is not wanted.
        """
        from flyte_nb.deployment.applying.apply import Policy

        policy = policy or Policy(DEFAULT_CONCURRENCY)
        place = self.target(saved.target if saved else target)
        asked, pruned = (saved.names, saved.prune) if saved else (environments, prune)
        self.select(asked)  # an unknown name is refused before anybody is waited for
        make = partial(self._checked_plan, asked, place, policy, saved, prune=pruned)
        return await self._deploy(place, make, policy, watcher, wait=wait)

    def when_deployed(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Tell `listener` the target of each deployment that ends, however it does; return what ends that."""
        return self._when_deployed.add(listener)

    async def _deploy(
        self, target: Target, make: Make, policy: Policy, watcher: Watcher | None, *, kind: str = "deploy", wait: bool
    ) -> Deployment:
        try:
            deployment = await self._deployments().deploy(target, make, policy, watcher, kind=kind, wait=wait)
        finally:
            self._when_deployed.tell(target.name)
        if target.name == "local":
            await self.embedded.collect()
        return deployment

    def _checked_plan(
        self,
        environments: Collection[TaskEnvironment | str],
        target: Target,
        policy: Policy,
        saved: Plan | None,
        *,
        prune: bool,
    ) -> tuple[Plan, dict[str, Bundle]]:
        from flyte_nb.deployment.planning.verifying import verify

        plan, bundles, refused = self.plan(environments, target, prune=prune, max_concurrency=policy.max_concurrency)
        self._refuse_blocked(plan, refused)
        if saved:
            verify(saved, plan)
        return plan, bundles

    @property
    def past_deployments(self) -> DeploymentHistory:
        """The deployments that were, in this session and in earlier ones."""
        from flyte_nb.deployment.keeping.history import DeploymentHistory

        return DeploymentHistory(self._deployment_state(), self._observed)

    def _observed(self, target: str) -> Mapping[str, Deployed] | None:
        """Return what a target has now, or None if that cannot be told."""
        try:
            return self.target(target).observe()
        except Exception:  # noqa: BLE001 - targets are anybody's, and the history can be read without them
            return None

    async def rollback(
        self, name: str, policy: Policy | None = None, *, wait: bool = True, watcher: Watcher | None = None
    ) -> Deployment:
        """Bring back what an earlier deployment ended with: see `flyte_nb.rollback`."""
        from flyte_nb.deployment.applying.apply import Policy
        from flyte_nb.deployment.rollback import plan_rollback
        from flyte_nb.targets.observing import observed

        target = self.target(self.past_deployments.deployment(name).target)

        def make() -> tuple[Plan, dict[str, Bundle]]:
            # Again: it may have gone on until now.
            deployment = self.past_deployments.deployment(name)
            return plan_rollback(deployment, self._deployment_state(), observed(target))

        policy = policy or Policy(DEFAULT_CONCURRENCY)
        return await self._deploy(target, make, policy, watcher, kind="rollback", wait=wait)

    def _refuse_blocked(self, plan: Plan, refused: Mapping[str, FlyteNbError]) -> None:
        undefined = {step.name for step in plan.blocked if step.name not in self.registry.edges}
        self._refuse_missing(undefined, {step.name: step.depends_on for step in plan.steps})
        for error in refused.values():
            raise error
        plan.raise_if_blocked()


def _name(environment: object) -> str:
    if isinstance(environment, str):
        return environment
    if known := as_environment(environment):
        return known.name
    raise InvalidTypeError("environment", environment, "an environment or its name", 'deploy(api_env) or deploy("api")')


_session = Session()
install_home(_session)


def session() -> Session:
    """Return the session."""
    return _session
