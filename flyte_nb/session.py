"""The session: composes registry, runner and targets, and is the one place with state.

The functions below are the public surface; `import flyte_nb` offers them as `flyte_nb.deploy` and so on.
"""

from __future__ import annotations

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
    from flyte_nb.deployment.plan import Plan
    from flyte_nb.deployment.status import Deployment
    from flyte_nb.deployment.watching import Watcher
    from flyte_nb.execution.caching.results import CachedResults
    from flyte_nb.execution.history.records import RecordedRuns
    from flyte_nb.execution.mapping import Mapped
    from flyte_nb.execution.node import Run
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.targets.protocol import Target

__all__ = ["Session", "deploy", "deployment_order", "map", "plan", "registry", "reset", "run", "runs", "session"]

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

    @property
    def targets(self) -> Collection[str]:
        """The names of the targets there are."""
        return self._targets.keys()

    def _local(self) -> Target:
        from flyte_nb.deployment.state import DeploymentState
        from flyte_nb.targets.local import LocalTarget

        return LocalTarget(DeploymentState(self.settings.home_path))

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
    ) -> tuple[Plan, dict[str, Bundle]]:
        """Return the plan for `environments` and all they need, and what it would deploy."""
        from flyte_nb.deployment.plan import make_plan

        names = self.select(environments)
        dependencies = {name: self.registry.dependencies(name) for name in names}
        bundles = {name: self._bundle(name, dependencies[name]) for name in names}
        return make_plan(target.name, names, dependencies, bundles, target.observe()), bundles

    def _bundle(self, name: str, dependencies: Collection[str]) -> Bundle:
        from flyte_nb.bundle.bundling import bundle

        return bundle(self.registry.require(name), dependencies, self.registry.tasks(name))

    async def deploy(
        self,
        environments: Collection[TaskEnvironment | str],
        target: str,
        policy: Policy,
        *,
        prune: bool = False,
        saved: Plan | None = None,
        wait: bool = True,
        watcher: Watcher | None = None,
    ) -> Deployment:
        """Deploy `environments` and all they need; `watcher` sees what happens.

        Raises:
            UnknownEnvironmentError: A name is not defined; nothing was deployed.
        """
        from flyte_nb.deployment.apply import apply_plan
        from flyte_nb.deployment.watching import Nobody

        _check_concurrency("max_concurrency", policy.max_concurrency)
        place, watcher = self.target(target), watcher or Nobody()
        plan, bundles = self.plan(environments, place)
        self._refuse_blocked(plan)
        watcher.begun(plan, "d1")
        return await apply_plan(plan, bundles, place, policy.max_concurrency, watcher.changed, watcher.said)

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
    *environments: TaskEnvironment | str, target: str = "local", max_concurrency: int = DEFAULT_CONCURRENCY
) -> Deployment:
    """Deploy `environments` and all they need in order; none means all. What is unchanged is left alone.

    Args:
        environments: Environments or their names.
        target: The name of the target.
        max_concurrency: How many environments are deployed at once.

    Returns:
        What became of each environment. A failure stops the dependents of what failed and nothing else, and is told
        by the result: see `Deployment.succeeded` and `Deployment.raise_if_failed`.

    Raises:
        UnknownEnvironmentError: A name is not defined; nothing was deployed.
        UnknownTargetError: There is no such target.
        SourceUnavailableError: The source of a task cannot be found; nothing was deployed.
    """
    from flyte_nb.deployment.apply import Policy

    return await _session.deploy(environments, target, Policy(max_concurrency))


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
