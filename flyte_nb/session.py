"""The session: composes registry, runner and targets, and is the one place with state.

The functions below are the public surface; `import flyte_nb` offers them as `flyte_nb.deploy` and so on.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from flyte_nb.definitions.registry import Environments, Registry
from flyte_nb.errors import (
    InvalidTypeError,
    InvalidValueError,
    NotATaskError,
    UnknownEnvironmentError,
    UnknownTargetError,
)
from flyte_nb.execution.history.history import History
from flyte_nb.execution.runner import Runner
from flyte_nb.graph import closure, ordered
from flyte_nb.model.environment import TaskEnvironment
from flyte_nb.model.home import install_home
from flyte_nb.model.task import Task
from flyte_nb.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
    from datetime import datetime, timedelta

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.deployment.apply import Policy
    from flyte_nb.deployment.deployments import Deployments
    from flyte_nb.deployment.history import DeploymentHistory
    from flyte_nb.deployment.plan import Plan
    from flyte_nb.deployment.recorded import RecordedDeployments
    from flyte_nb.deployment.state import DeploymentState
    from flyte_nb.deployment.status import Deployment
    from flyte_nb.deployment.watching import Watcher
    from flyte_nb.execution.caching.results import CachedResults
    from flyte_nb.execution.history.records import RecordedRuns
    from flyte_nb.execution.mapping import Mapped
    from flyte_nb.execution.node import Run
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.targets.protocol import Deployed, Target

__all__ = [
    "Session",
    "deploy",
    "deployment_order",
    "deployments",
    "map",
    "plan",
    "registry",
    "reset",
    "rollback",
    "run",
    "runs",
    "session",
]

P = ParamSpec("P")
T = TypeVar("T")

DEFAULT_CONCURRENCY = 8


class Session:
    """What one kernel (or one script) has defined and can do with it."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.settings = Settings()
        self.runner = Runner(self.registry.spec, self._cached_results)
        self.call, self.call_in_thread = self.runner.call, self.runner.call_in_thread
        self.history = History(self.runner, self.settings)
        self._results: CachedResults | None = None
        self._state: DeploymentState | None = None
        self._targets: dict[str, Callable[[], Target]] = {"local": self._local}

    # The home of the model

    def define(self, spec: EnvironmentSpec) -> None:
        """Make `spec` the definition of its name."""
        self.runner.environments_cache |= spec.cache.behavior != "disable"
        self.registry.define(spec)

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

    def target(self, name: object) -> Target:
        """Return the target of that name, or raise UnknownTargetError."""
        if not isinstance(name, str) or name not in self._targets:
            raise UnknownTargetError(name, self._targets)
        return self._targets[name]()

    def _local(self) -> Target:
        from flyte_nb.targets.local import LocalTarget

        return LocalTarget(self._deployment_state())

    def _deployment_state(self) -> DeploymentState:
        """Return the database of deployments, one object for all who use the same file."""
        from flyte_nb.deployment.state import DeploymentState

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
    ) -> tuple[Plan, dict[str, Bundle]]:
        """Return the plan for `environments` and all they need, and what it would deploy.

        Args:
            environments: Environments or their names; none means all.
            target: Where to.
            prune: Whether to remove what this notebook or script has deployed and no longer defines.
            max_concurrency: How many would be deployed at once, for the duration that is expected.
        """
        from flyte_nb.deployment.planning import make_plan

        names, deployments = self.select(environments), self.past_deployments
        dependencies = {name: self.registry.dependencies(name) for name in names}
        bundles = {name: self._bundle(name, dependencies[name]) for name in names}
        plan = make_plan(
            target.name,
            names,
            {**self.registry.edges, **dependencies},
            bundles,
            target.observe(),
            asked=[_name(environment) for environment in environments],
            removable=self._removable(target.name) if prune else None,
            durations=deployments.durations(target.name),
            max_concurrency=max_concurrency,
        )
        return plan, bundles

    def _removable(self, target: str) -> list[str]:
        """Return what this notebook or script has deployed to `target`."""
        from flyte_nb.deployment.origin import origin_of_this_process

        origin = origin_of_this_process()
        return [name for name, other in self.past_deployments.origins(target).items() if other == origin]

    def _bundle(self, name: str, dependencies: Collection[str]) -> Bundle:
        from flyte_nb.bundle.bundling import bundle

        return bundle(self.registry.require(name), dependencies, self.registry.tasks(name))

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
        from flyte_nb.deployment.apply import Policy

        policy = policy or Policy(DEFAULT_CONCURRENCY)
        place = self.target(saved.target if saved else target)
        asked, pruned = (saved.names, saved.prune) if saved else (environments, prune)
        self.select(asked)  # an unknown name is refused before anybody is waited for
        make = partial(self._checked_plan, asked, place, policy, saved, prune=pruned)
        return await self._deployments().deploy(place, make, policy, watcher, wait=wait)

    def _checked_plan(
        self,
        environments: Collection[TaskEnvironment | str],
        target: Target,
        policy: Policy,
        saved: Plan | None,
        *,
        prune: bool,
    ) -> tuple[Plan, dict[str, Bundle]]:
        from flyte_nb.deployment.verifying import verify

        plan, bundles = self.plan(environments, target, prune=prune, max_concurrency=policy.max_concurrency)
        self._refuse_blocked(plan)
        plan.raise_if_blocked()
        if saved:
            verify(saved, plan)
        return plan, bundles

    @property
    def past_deployments(self) -> DeploymentHistory:
        """The deployments that were, in this session and in earlier ones."""
        from flyte_nb.deployment.history import DeploymentHistory

        return DeploymentHistory(self._deployment_state(), self._observed)

    def _observed(self, target: str) -> Mapping[str, Deployed] | None:
        """Return what a target has now, or None if that cannot be told."""
        if target not in self._targets:
            return None
        try:
            return self._targets[target]().observe()
        except Exception:  # noqa: BLE001 - targets are anybody's, and the history can be read without them
            return None

    async def rollback(
        self, name: str, policy: Policy | None = None, *, wait: bool = True, watcher: Watcher | None = None
    ) -> Deployment:
        """Bring back what an earlier deployment ended with: see `flyte_nb.rollback`."""
        from flyte_nb.deployment.apply import Policy
        from flyte_nb.deployment.rollback import plan_rollback

        target = self.target(self.past_deployments.deployment(name).target)

        def make() -> tuple[Plan, dict[str, Bundle]]:
            # Again: it may have gone on until now.
            deployment = self.past_deployments.deployment(name)
            return plan_rollback(deployment, self._deployment_state(), target.observe())

        policy = policy or Policy(DEFAULT_CONCURRENCY)
        return await self._deployments().deploy(target, make, policy, watcher, kind="rollback", wait=wait)

    def _refuse_blocked(self, plan: Plan) -> None:
        undefined = {step.name for step in plan.blocked if step.name not in self.registry.edges}
        for step in plan.steps:
            missing = next((name for name in step.depends_on if name in undefined), None)
            if missing:
                raise UnknownEnvironmentError(missing, self.registry.names(), needed_by=step.name)


def _name(environment: object) -> str:
    if isinstance(environment, TaskEnvironment):
        return environment.name
    if isinstance(environment, str):
        return environment
    raise InvalidTypeError("environment", environment, "an environment or its name", 'deploy(api_env) or deploy("api")')


def _check_concurrency(name: str, limit: object) -> None:
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise InvalidTypeError(name, limit, "a whole number", f"{name}=8")
    if limit < 1:
        raise InvalidValueError(name, limit, "would never begin anything", f"{name}=8")


_session = Session()
install_home(_session)


def session() -> Session:
    """Return the session."""
    return _session


def registry() -> Mapping[str, TaskEnvironment]:
    """Return the session's environments by name, in the order of registration: a live, read-only mapping."""
    return Environments(_session.registry)


def deployment_order(*environments: TaskEnvironment | str) -> list[str]:
    """Return the names of `environments` and all they need, each after those it depends on; none means all.

    Of the environments that are ready, the one registered first comes first.

    Raises:
        UnknownEnvironmentError: One of `environments` is not defined.
    """
    return _session.deployment_order(environments)


def plan(*environments: TaskEnvironment | str, target: str = "local") -> Plan:
    """Return what `deploy` would do; nothing is changed.

    Raises:
        UnknownEnvironmentError: One of `environments` is not defined.
        UnknownTargetError: There is no such target.
        SourceUnavailableError: The source of a task cannot be found.
    """
    return _session.plan(environments, _session.target(target))[0]


async def deploy(
    *environments: TaskEnvironment | str,
    target: str = "local",
    max_concurrency: int = DEFAULT_CONCURRENCY,
    timeout: float | None = None,
    retries: int = 0,
    prune: bool = False,
    wait: bool = True,
) -> Deployment:
    """Deploy `environments` and all they need in order; none means all. What is unchanged is left alone.

    Args:
        environments: Environments or their names.
        target: The name of the target.
        max_concurrency: How many environments are deployed at once.
        timeout: How many seconds each attempt to deploy an environment may take.
        retries: How often an environment that failed is tried again.
        prune: Whether to remove what this notebook or script has deployed before and no longer defines.
        wait: Whether to wait while another kernel deploys to the target.

    Returns:
        What became of each environment. A failure stops the dependents of what failed and nothing else, and is told
        by the result: see `Deployment.succeeded` and `Deployment.raise_if_failed`.

    Raises:
        UnknownEnvironmentError: A name is not defined; nothing was deployed.
        UnknownTargetError: There is no such target.
        SourceUnavailableError: The source of a task cannot be found; nothing was deployed.
        DeploymentLockedError: Another kernel deploys to the target, and `wait` is False.
        StateError: The deployment cannot be recorded; it was stopped.
    """
    from flyte_nb.deployment.apply import Policy

    policy = Policy(max_concurrency, timeout, retries)
    return await _session.deploy(environments, target, policy, prune=prune, wait=wait)


def deployments(target: str | None = None, limit: int = 100) -> RecordedDeployments:
    """Return the deployments of the history, of this session and of earlier ones, as a list, the newest first.

    Args:
        target: Only those to the target of this name.
        limit: How many at most.

    Raises:
        InvalidTypeError: An argument is of a wrong type.
        InvalidValueError: `limit` means nothing.
        StateError: The history cannot be read.
    """
    if not (target is None or isinstance(target, str)):
        raise InvalidTypeError("deployments.target", target, "a name", 'deployments(target="local")')
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise InvalidTypeError("deployments.limit", limit, "a whole number", "deployments(limit=20)")
    if limit < 1:
        raise InvalidValueError("deployments.limit", limit, "would never show anything", "deployments(limit=20)")
    return _session.past_deployments.deployments(target, limit)


async def rollback(deployment: str, *, max_concurrency: int = DEFAULT_CONCURRENCY, wait: bool = True) -> Deployment:
    """Bring back the version that each environment of an earlier deployment had when that ended, in order.

    What failed or did not begin then is left alone, and so is what was not part of it. What is as it was is unchanged.

    Args:
        deployment: The name of the deployment: "d12". `flyte_nb.deployments()` lists them.
        max_concurrency: How many environments are deployed at once.
        wait: Whether to wait while another kernel deploys to the target.

    Returns:
        What became of each environment, as `deploy` returns it.

    Raises:
        UnknownDeploymentError: There is no deployment of that name.
        UnknownTargetError: It went to a target that this session does not have.
        DeploymentLockedError: Another kernel deploys to the target, and `wait` is False.
        StateError: The history cannot be read or written.
    """
    from flyte_nb.deployment.apply import Policy

    return await _session.rollback(deployment, Policy(max_concurrency), wait=wait)


@overload
async def run(task: Task[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> Run[T]: ...


@overload
async def run(task: Task[P, T], *args: P.args, **kwargs: P.kwargs) -> Run[T]: ...


async def run(task: Any, *args: Any, **kwargs: Any) -> Run[Any]:
    """Run `task` with these arguments and return the finished run; what the task raises is raised.

    Raises:
        NotATaskError: `task` is something else; nothing was run.
        UnknownEnvironmentError: Its environment was removed; nothing was run.
        InvalidArgumentsError: The arguments do not fit the task; nothing was run.
        InvalidInputError: A value is not of the type that the task's annotation wants; nothing was run.
    """
    __tracebackhide__ = True
    return await _session.runner.run(task, args, kwargs)


@overload
def map(  # noqa: A001 - the name Flyte gives it
    task: Task[..., Coroutine[Any, Any, T]],
    *inputs: Iterable[Any],
    concurrency: int = DEFAULT_CONCURRENCY,
    return_exceptions: bool = False,
) -> Mapped[T]: ...


@overload
def map(  # noqa: A001
    task: Task[..., T],
    *inputs: Iterable[Any],
    concurrency: int = DEFAULT_CONCURRENCY,
    return_exceptions: bool = False,
) -> Mapped[T]: ...


def map(  # noqa: A001
    task: Any,
    *inputs: Iterable[Any],
    concurrency: int = DEFAULT_CONCURRENCY,
    return_exceptions: bool = False,
) -> Mapped[Any]:
    """Call `task` for each of `inputs` (of several, as Python's map), so many at once; results in order.

    `await` what this returns for a list, or iterate over it with `async for`. When a call fails, the others are
    cancelled and its error is raised; with `return_exceptions`, errors take the place of results.

    Args:
        task: An async task, or a sync one, which then runs in threads.
        inputs: Values of the task's parameters; they may be endless.
        concurrency: How many calls may run at once.
        return_exceptions: Go on after a failure.

    Raises:
        NotATaskError: `task` is something else.
        InvalidTypeError: An input cannot be iterated over.
    """
    from flyte_nb.execution.mapping import Mapped

    if not isinstance(task, Task):
        raise NotATaskError(task)
    _check_concurrency("concurrency", concurrency)
    if not inputs:
        raise InvalidValueError("map.inputs", inputs, "has nothing to map over", "map(train_model, [1, 2, 3])")
    for values in inputs:
        if not hasattr(values, "__iter__"):
            raise InvalidTypeError("map.inputs", values, "iterable", "map(train_model, [1, 2, 3])")
    tuples = zip(*inputs, strict=False)
    return Mapped(_session.runner, task, tuples, concurrency, return_exceptions=return_exceptions)


def runs(
    task: Task[..., Any] | str | None = None,
    *,
    state: str | Iterable[str] | None = None,
    since: datetime | timedelta | str | None = None,
    limit: int = 100,
) -> RecordedRuns:
    """Return the runs of the history, of this session and of earlier ones, as a list, the newest first.

    The history holds every run of a notebook with the extension, and those of `flyte_nb.run` in scripts.

    Args:
        task: Only those of this task, or of this name: its full one, that of its function, or of its environment.
        state: Only those in this state, or in one of these: "failed", "lost", "running".
        since: Only those that began since then: a datetime, or how long ago, as a timedelta or as text: "2h", "7d".
        limit: How many at most.

    Raises:
        InvalidTypeError: An argument is of a wrong type.
        InvalidValueError: An argument means nothing.
        StateError: The history cannot be read.
    """
    from flyte_nb.execution.history.records import run_filter

    name = task.name if isinstance(task, Task) else task
    return _session.history.runs(run_filter(name, state, since, limit))


def reset() -> None:
    """Forget every environment of the session; what is deployed stays deployed."""
    _session.registry.reset()
