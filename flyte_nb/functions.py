"""The functions of the public surface: `import flyte_nb` offers them as `flyte_nb.deploy` and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from flyte_nb.definitions.registry import Environments
from flyte_nb.errors import InvalidTypeError, InvalidValueError, NotATaskError
from flyte_nb.model.stand_ins import as_task
from flyte_nb.session import DEFAULT_CONCURRENCY, session

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping
    from datetime import datetime, timedelta
    from os import PathLike

    from flyte_nb.deployment.applying.status import Deployment
    from flyte_nb.deployment.keeping.recorded import RecordedDeployments
    from flyte_nb.deployment.planning.plan import Plan
    from flyte_nb.execution.history.records import RecordedRuns
    from flyte_nb.execution.mapping import Mapped
    from flyte_nb.execution.node import Run
    from flyte_nb.model.environment import TaskEnvironment
    from flyte_nb.model.task import Task
    from flyte_nb.project.adopting import Adopted
    from flyte_nb.project.folder import Exported

__all__ = [
    "adopt",
    "attach",
    "deploy",
    "deployed",
    "deployment_order",
    "deployments",
    "export",
    "map",
    "plan",
    "registry",
    "reset",
    "rollback",
    "run",
    "runs",
]

P = ParamSpec("P")
T = TypeVar("T")


def registry() -> Mapping[str, TaskEnvironment]:
    """Return the session's environments by name, in the order of registration: a live, read-only mapping."""
    session().sdk_cells.take()
    return Environments(session().registry)


def deployment_order(*environments: TaskEnvironment | str) -> list[str]:
    """Return the names of `environments` and all they need, each after those it depends on; none means all.

    Of the environments that are ready, the one registered first comes first.

    Raises:
        UnknownEnvironmentError: One of `environments` is not defined.
    """
    return session().deployment_order(environments)


def plan(*environments: TaskEnvironment | str, target: str = "local", prune: bool = False) -> Plan:
    """Return what `deploy` would do; nothing is changed.

    What cannot be deployed is in the plan as blocked, with the reason: see `Plan.blocked`.

    Args:
        environments: Environments or their names; none means all.
        target: The name of the target.
        prune: Whether to remove what this notebook or script has deployed before and no longer defines.

    Raises:
        UnknownEnvironmentError: One of `environments` is not defined.
        UnknownTargetError: There is no such target.
        TargetError: The target does not say what it has.
    """
    return session().plan(environments, session().target(target), prune=prune, max_concurrency=DEFAULT_CONCURRENCY)[0]


async def deploy(
    *environments: TaskEnvironment | str | Plan,
    target: str = "local",
    max_concurrency: int = DEFAULT_CONCURRENCY,
    timeout: float | None = None,
    retries: int = 0,
    prune: bool = False,
    wait: bool = True,
) -> Deployment:
    """Deploy `environments` and all they need in order; none means all. What is unchanged is left alone.

    Args:
        environments: Environments or their names; or one plan, which must still be what would be done. It says which
            environments, where to, and whether to prune.
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
        TargetError: The target does not say what it has.
        SourceUnavailableError: The source of a task cannot be found; nothing was deployed.
        HiddenDependencyError: A task uses what only a run of the notebook gives; nothing was deployed.
        CredentialInSourceError: Code holds a password or the like; nothing was deployed.
        PlanOutdatedError: The session or the target has changed since the plan was made; nothing was deployed.
        DeploymentLockedError: Another kernel deploys to the target, and `wait` is False.
        DeploymentOvertakenError: Another kernel took this deployment for dead, and deployed; this one was stopped.
        StateError: The deployment cannot be recorded; it was stopped.
    """
    from flyte_nb.deployment.applying.apply import Policy
    from flyte_nb.deployment.planning.plan import Plan

    policy, saved = Policy(max_concurrency, timeout, retries), None
    if len(environments) == 1 and isinstance(environments[0], Plan):
        saved, environments = environments[0], ()
    return await session().deploy(environments, target, policy, prune=prune, saved=saved, wait=wait)  # type: ignore[arg-type]  # a plan among others is refused there


def deployments(*, target: str | None = None, limit: int = 100) -> RecordedDeployments:
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
    return session().past_deployments.deployments(target, limit)


async def rollback(
    deployment: str,
    *,
    max_concurrency: int = DEFAULT_CONCURRENCY,
    timeout: float | None = None,
    retries: int = 0,
    wait: bool = True,
) -> Deployment:
    """Bring back the version that each environment of an earlier deployment had when that ended, in order.

    What failed or did not begin then is left alone, and so is what was not part of it. What is as it was is unchanged.

    Args:
        deployment: The name of the deployment: "d12". `flyte_nb.deployments()` lists them.
        max_concurrency: How many environments are deployed at once.
        timeout: How many seconds each attempt to deploy an environment may take.
        retries: How often an environment that failed is tried again.
        wait: Whether to wait while another kernel deploys to the target.

    Returns:
        What became of each environment, as `deploy` returns it.

    Raises:
        InvalidTypeError: An argument is of a wrong type.
        UnknownDeploymentError: There is no deployment of that name.
        UnknownTargetError: It went to a target that this session does not have.
        DeploymentBlockedError: A version is no longer kept; nothing was deployed.
        TargetError: The target does not say what it has.
        DeploymentLockedError: Another kernel deploys to the target, and `wait` is False.
        StateError: The history cannot be read or written.
    """
    from flyte_nb.deployment.applying.apply import Policy

    if not isinstance(deployment, str):
        raise InvalidTypeError("deployment", deployment, "the name of one", 'rollback("d12")')
    return await session().rollback(deployment, Policy(max_concurrency, timeout, retries), wait=wait)


@overload
async def run(task: Task[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> Run[T]: ...


@overload
async def run(task: Task[P, T], *args: P.args, **kwargs: P.kwargs) -> Run[T]: ...


@overload
async def run(task: Task[..., Coroutine[Any, Any, T]], *args: Any, on: str, **kwargs: Any) -> Run[T]: ...


@overload
async def run(task: Task[..., T], *args: Any, on: str, **kwargs: Any) -> Run[T]: ...


async def run(task: Any, *args: Any, **kwargs: Any) -> Run[Any]:
    """Run `task` with these arguments and return the finished run; what the task raises is raised.

    Args:
        task: The task.
        args: Its arguments.
        kwargs: Its arguments by name, and `on`, which says where: "inline", in this process, or "local", each
            environment as it was deployed, in processes of its own. By default as `%config FlyteNB.run_on` says,
            which is "inline" unless it was set.

    Raises:
        UnknownPlaceError: There is no such place.
        NotDeployedError: An environment is not deployed to where it is to run.
        NotATaskError: `task` is something else; nothing was run.
        UnknownEnvironmentError: Its environment was removed; nothing was run.
        InvalidArgumentsError: The arguments do not fit the task; nothing was run.
        InvalidInputError: A value is not of the type that the task's annotation wants; nothing was run.
    """
    __tracebackhide__ = True
    session().sdk_cells.take()
    # A parameter of that name is the task's own.
    known = as_task(task)
    has_it = known is not None and "on" in known.signature.parameters
    return await session().runner.run(task, args, kwargs, None if has_it else kwargs.pop("on", None))


async def attach(run: str) -> Run[Any]:
    """Follow a run on the cluster to its end, as if it were begun now, and return it finished.

    It does not matter who has begun it: this kernel, one that is gone, or somebody else. Cancelling this aborts it.

    Args:
        run: Its name, as the cluster or `flyte_nb.runs` tells it.

    Raises:
        NotConnectedError: The Flyte SDK is not connected to a cluster.
        UnknownRunError: The cluster has no such run.
        ClusterError: Somebody has aborted it, or the cluster does not say what becomes of it.
    """
    __tracebackhide__ = True
    return await session().cluster.attach(run)


@overload
def map(  # noqa: A001 - the name Flyte gives it
    task: Task[..., Coroutine[Any, Any, T]],
    *inputs: Iterable[Any],
    concurrency: int = DEFAULT_CONCURRENCY,
    return_exceptions: bool = False,
    on: str | None = None,
) -> Mapped[T]: ...


@overload
def map(  # noqa: A001
    task: Task[..., T],
    *inputs: Iterable[Any],
    concurrency: int = DEFAULT_CONCURRENCY,
    return_exceptions: bool = False,
    on: str | None = None,
) -> Mapped[T]: ...


def map(  # noqa: A001
    task: Any,
    *inputs: Iterable[Any],
    concurrency: int = DEFAULT_CONCURRENCY,
    return_exceptions: bool = False,
    on: str | None = None,
) -> Mapped[Any]:
    """Call `task` for each of `inputs` (of several, as Python's map), so many at once; results in order.

    `await` what this returns for a list, or iterate over it with `async for`. When a call fails, the others are
    cancelled and its error is raised; with `return_exceptions`, errors take the place of results.

    Args:
        task: An async task, or a sync one, which then runs in threads.
        inputs: Values of the task's parameters; they may be endless.
        concurrency: How many calls may run at once.
        return_exceptions: Go on after a failure.
        on: Where: "inline" or "local", as `run` takes it.

    Raises:
        NotATaskError: `task` is something else.
        UnknownPlaceError: There is no such place.
        InvalidTypeError: An input cannot be iterated over.
    """
    from flyte_nb.execution.mapping import Mapped

    known = as_task(task)
    if known is None:
        raise NotATaskError(task)
    _check_concurrency("concurrency", concurrency)
    if not inputs:
        raise InvalidValueError("map.inputs", inputs, "has nothing to map over", "map(train_model, [1, 2, 3])")
    for values in inputs:
        if not hasattr(values, "__iter__"):
            raise InvalidTypeError("map.inputs", values, "iterable", "map(train_model, [1, 2, 3])")
    return Mapped(session().runner, known, inputs, concurrency, on, return_exceptions=return_exceptions)


def runs(
    task: Task[..., Any] | str | None = None,
    *,
    state: str | Iterable[str] | None = None,
    since: datetime | timedelta | str | None = None,
    limit: int = 100,
    on: str | None = None,
) -> RecordedRuns:
    """Return the runs of the history, of this session and of earlier ones, as a list, the newest first.

    The history holds every run of a notebook with the extension, and those of `flyte_nb.run` in scripts.

    Args:
        task: Only those of this task, or of this name: its full one, that of its function, or of its environment.
        state: Only those in this state, or in one of these: "failed", "lost", "running".
        since: Only those that began since then: a datetime, or how long ago, as a timedelta or as text: "2h", "7d".
        limit: How many at most.
        on: Only those that ran there: "inline", "local" or "flyte".

    Raises:
        InvalidTypeError: An argument is of a wrong type.
        InvalidValueError: An argument means nothing.
        UnknownPlaceError: There is no such place.
        StateError: The history cannot be read.
    """
    from flyte_nb.execution.history.records import run_filter

    known = as_task(task)
    name = task if known is None else known.name
    place = session().runner.checked_place(on)
    return session().history.runs(run_filter(name, state, since, limit, place))


def export(folder: str | PathLike[str], *environments: TaskEnvironment | str, force: bool = False) -> Exported:
    """Write `environments` and all they need, none means all, as an ordinary Flyte project, which needs no flyte_nb.

    Args:
        folder: Where to. What an earlier export wrote there is replaced; all else, such as .git, is left alone.
        environments: Environments or their names.
        force: Also replace files that were edited since, and write into a folder that holds something else.

    Raises:
        UnknownEnvironmentError: A name is not defined.
        SourceUnavailableError: The source of a task cannot be found.
        ExportError: The folder holds what would be lost, or cannot be written. In any case nothing was written.
    """
    return session().export(folder, environments, force=force)


def adopt(source: str | PathLike[str]) -> Adopted:
    """Bring the environments of modules into the session; in them, `import flyte` means flyte_nb.

    What was adopted before is imported anew, and replaces what it defined.

    Args:
        source: The folder of an exported project, a package, a .py file, or an importable name.

    Raises:
        AdoptError: It does not exist, or cannot be imported; the session is as it was.
    """
    return session().adopt(source)


def deployed(name: str, *, version: str | None = None) -> Task[..., Any]:
    """Return a task that runs on the local target from what was deployed there, by this kernel or an earlier one.

    Nothing needs to be defined in this session, and what is defined here makes no difference.

    Args:
        name: The full name: "ml-training.train_model".
        version: The version of its environment: the first characters, at least 6, of what `deployments` shows. None
            means what is deployed now.

    Raises:
        NotDeployedError: Its environment is not deployed, or by an earlier flyte_nb and so cannot be run.
        UnknownVersionError: Its environment has no such version, or several that begin so.
        UnknownTaskError: That version has no such task.
    """
    return session().embedded.deployed(name, version)


def reset() -> None:
    """Forget every environment of the session; what is deployed stays deployed."""
    session().registry.reset()


def _check_concurrency(name: str, limit: object) -> None:
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise InvalidTypeError(name, limit, "a whole number", f"{name}=8")
    if limit < 1:
        raise InvalidValueError(name, limit, "would never begin anything", f"{name}=8")
