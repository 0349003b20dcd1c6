"""Errors of bundles, plans, deployments, targets and exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.errors.base import LISTED, FlyteNbError, brief, did_you_mean, listed, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

__all__ = [
    "CredentialInSourceError",
    "DeploymentBlockedError",
    "DeploymentFailedError",
    "DeploymentLockedError",
    "DeploymentOvertakenError",
    "ExportError",
    "HiddenDependencyError",
    "PlanOutdatedError",
    "SavedPlanError",
    "SourceTooDeepError",
    "SourceUnavailableError",
    "StateError",
    "TargetError",
    "UnknownDeploymentError",
    "UnknownTargetError",
]


class UnknownTargetError(FlyteNbError, ValueError):
    """There is no deployment target of this name.

    Attributes:
        name: The name that was given.
        known: The names of the targets there are.
    """

    def __init__(self, name: object, known: Collection[str]) -> None:
        self.name, self.known = name, tuple(known)
        super().__init__(f"there is no target {shown(name)}; the targets are: {', '.join(self.known)}.")


class SourceTooDeepError(FlyteNbError):
    """What an environment would be deployed with is nested too deeply to be taken apart.

    Attributes:
        environment: The environment.
    """

    def __init__(self, environment: str) -> None:
        self.environment = environment
        super().__init__(
            f"The code that {environment!r} uses is nested too deeply. Split its longest expression into several."
        )


class TargetError(FlyteNbError):
    """A target does not say what it has; nothing was deployed.

    Attributes:
        name: The name of the target.
        reason: What it said instead.
    """

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason
        super().__init__(
            f"the target {name!r} does not say what is deployed there: {brief(reason).rstrip('.')}. "
            "Try again when it can be reached; nothing was changed."
        )


class SourceUnavailableError(FlyteNbError):
    """A task cannot be deployed because Python does not know its source.

    Attributes:
        task: The full name of the task.
    """

    def __init__(self, task: str) -> None:
        self.task = task
        super().__init__(f"the source of task {task!r} is not available. Define it in a cell or in a module file.")


class HiddenDependencyError(FlyteNbError):
    """Tasks use what is not there where they are deployed: values of the notebook's run, or names nothing defines.

    Attributes:
        environment: The environment.
        dependencies: What is used, where, and what to do instead: each a `HiddenDependency`.
    """

    def __init__(self, environment: str, dependencies: Sequence[object]) -> None:
        self.environment, self.dependencies = environment, tuple(dependencies)
        first, *others = self.dependencies
        names = listed([getattr(other, "name", str(other)) for other in others])
        super().__init__(f"{first} {names} would be missing too." if others else str(first))


class CredentialInSourceError(FlyteNbError):
    """Code that is to be deployed holds a password or the like.

    Attributes:
        environment: The environment.
        place: Where it stands: "cell [3], line 2".
    """

    def __init__(self, environment: str, place: str) -> None:
        self.environment, self.place = environment, place
        super().__init__(
            f"{environment!r} was not bundled: {place} holds what looks like a key or a password. "
            'Give the environment secrets=[flyte.Secret("my-key")] and read os.environ["MY_KEY"] in the task.'
        )


class DeploymentFailedError(FlyteNbError):
    """A deployment ended with environments that are not deployed.

    Attributes:
        failed: The names that failed, with their error messages.
        skipped: The names that were not started because something they depend on failed.
    """

    def __init__(self, failed: Mapping[str, str], skipped: Collection[str]) -> None:
        self.failed, self.skipped = dict(failed), tuple(skipped)
        told = [f"{name!r} failed: {brief(reason)}" for name, reason in [*self.failed.items()][:LISTED]]
        more = f"; and {len(self.failed) - LISTED} more failed" if len(self.failed) > LISTED else ""
        left_out = f" Not started because of that: {listed(self.skipped)}." if self.skipped else ""
        super().__init__(
            f"{'; '.join(told).rstrip('.')}{more}.{left_out} "
            "Deploy again once it is mended: what succeeded is not repeated."
        )


class DeploymentBlockedError(FlyteNbError):
    """A plan has steps that cannot be taken; nothing was deployed.

    Attributes:
        problems: Why, and what to do, by name.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        (name, problem), *others = self.problems.items()
        more = f" ({len(others)} more cannot be deployed either: see %flyte_plan)" if others else ""
        super().__init__(f"{name!r} {problem}{more}")


class PlanOutdatedError(FlyteNbError):
    """A saved plan is no longer what would be done; nothing was deployed.

    Attributes:
        session: The names that the session defines differently now, or no longer.
        target: The names that the target has differently now.
        undefined: Those of `session` that are not defined, as before the notebook has run.
    """

    def __init__(self, session: Collection[str], target: Collection[str], undefined: Collection[str] = ()) -> None:
        self.session, self.target, self.undefined = tuple(session), tuple(target), tuple(undefined)
        redefined = [name for name in self.session if name not in self.undefined]
        sides = ("in the session", redefined), ("on the target", self.target)
        changed = "; ".join(f"{listed(names)} changed {where}" for where, names in sides if names)
        missing = f"not defined in this session: {listed(self.undefined)}" if self.undefined else ""
        problems = ". ".join(filter(None, (missing, f"since it was made, {changed}" if changed else "")))
        way_out = "Run the notebook first, or plan again" if missing else "Plan again"
        super().__init__(f"the plan is outdated: {problems}. {way_out}: %flyte_plan --save FILE")


class SavedPlanError(FlyteNbError):
    """A plan cannot be saved, or what should be a saved plan cannot be read.

    Attributes:
        path: The file, or what else was read.
        reason: What is wrong with it.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"the plan {path} {reason.rstrip('.')}. Plan again: %flyte_plan --save FILE")


class DeploymentLockedError(FlyteNbError):
    """Somebody else deploys to the target: nothing was deployed, or the deployment was overtaken and stopped.

    A deployment that gave no sign of life for long is taken for dead. What it had deployed by then stays.

    Attributes:
        target: The name of the target.
        holder: Who deploys to it: "churn.ipynb (pid 4711)".
        since: Since when, in UTC.
    """

    def __init__(self, target: str, holder: str, since: datetime) -> None:
        self.target, self.holder, self.since = target, holder, since
        super().__init__(
            f"{holder} has been deploying to {target} since {since.astimezone():%H:%M:%S %Z}, and only one can at a "
            "time. Deploy again when it has ended, or let this deployment wait for it."
        )


class DeploymentOvertakenError(FlyteNbError):
    """Somebody else took the deployment for dead, and has deployed to its target; it was stopped.

    Attributes:
        target: The name of the target.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        super().__init__(
            f"this deployment gave no sign of life for so long, as when a machine sleeps, that another took its place "
            f"at {target}. It was stopped; deploy again to do what is left."
        )


class UnknownDeploymentError(FlyteNbError, KeyError):
    """A name was used that no deployment of the history has.

    Attributes:
        name: The name.
    """

    def __init__(self, name: object, known: Collection[str]) -> None:
        self.name = name
        if not known:
            super().__init__("the history has no deployments yet. Deploy: %flyte_deploy")
            return
        hint = did_you_mean(name, known) if isinstance(name, str) else ""
        super().__init__(
            f"there is no deployment {shown(name)} in the history.{hint} "
            "%flyte_deployments lists the deployments there are."
        )

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show the repr


class StateError(FlyteNbError):
    """A database of what outlives the kernel, deployments or runs, cannot be used.

    Attributes:
        path: The file.
        reason: What is wrong with it.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(
            f"the database {path} cannot be used: {reason.rstrip('.')}. "
            "Move it away, or choose another folder with %config FlyteNB.home."
        )


class ExportError(FlyteNbError):
    """A project cannot be exported; nothing was written.

    Attributes:
        path: The folder, or the file of the project, that this is about.
        problem: What is wrong with it.
    """

    def __init__(self, path: str, problem: str, way_out: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"nothing was exported, because of {shown(path)}: {problem}. {way_out}.")
