"""Every error a user can see.

An error carries what it is about as attributes, and its message ends with what to do next. All derive from
`FlyteNbError`; those that are also a wrong type or a wrong value derive from `TypeError` or `ValueError` too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

__all__ = [
    "AdoptError",
    "CircularDependencyError",
    "CredentialInSourceError",
    "DeploymentBlockedError",
    "DeploymentFailedError",
    "DeploymentLockedError",
    "EnvironmentInUseError",
    "ExportError",
    "FlyteNbError",
    "HiddenDependencyError",
    "InvalidArgumentsError",
    "InvalidExpressionError",
    "InvalidInputError",
    "InvalidTypeError",
    "InvalidValueError",
    "NotATaskError",
    "PlanOutdatedError",
    "SavedPlanError",
    "SourceTooDeepError",
    "SourceUnavailableError",
    "StateError",
    "TargetError",
    "TaskTimeoutError",
    "UncacheableGlobalError",
    "UncacheableInputError",
    "UnknownDeploymentError",
    "UnknownEnvironmentError",
    "UnknownRunError",
    "UnknownTargetError",
]

_SHOWN, _BRIEF = 200, 300
_LISTED = 5


def shown(value: object) -> str:
    """Return `repr(value)`, shortened so that an error stays one readable line."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - an object's own repr may do anything, and an error message must not fail
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the closest of `known`, or an empty string."""
    from difflib import get_close_matches

    spelled_alike = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(name.lower(), spelled_alike, n=1, cutoff=0.6)
    return f" Did you mean {spelled_alike[close[0]]!r}?" if close else ""


def _brief(reason: str) -> str:
    """Return what somebody else gives as a reason, shortened so that an error stays one readable line."""
    text = " ".join(reason[: 2 * _BRIEF].split())
    return text if len(text) <= _BRIEF else f"{text[:_BRIEF]}…"


def _listed(names: Sequence[str]) -> str:
    """Return the first of `names`, so that an error stays one readable line."""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(map(repr, names[:_LISTED])) + more


class FlyteNbError(Exception):
    """The base of every error that flyte_nb raises on purpose."""


class InvalidTypeError(FlyteNbError, TypeError):
    """A field was given a value of the wrong type.

    Attributes:
        field: The field as the user writes it, such as "TaskEnvironment.name".
        value: The value that was given, or only its type if it is `hidden`.
        example: A valid value, as source code.

    Args:
        hidden: The value may be secret: neither the message nor the error holds it.
    """

    def __init__(self, field: str, value: object, expected: str, example: str, *, hidden: bool = False) -> None:
        self.field, self.value, self.expected, self.example = field, value, expected, example
        given = type(value).__name__
        if hidden:
            self.value = type(value)
        else:
            given = f"{given} {shown(value)}"
        super().__init__(f"{field} must be {expected}, not {given}. For example: {example}")


class InvalidValueError(FlyteNbError, ValueError):
    """A field was given a value of the right type that means nothing.

    Attributes:
        field: The field as the user writes it, such as "Resources.memory".
        value: The value that was given.
        example: A valid value, as source code.
    """

    def __init__(self, field: str, value: object, problem: str, example: str) -> None:
        self.field, self.value, self.problem, self.example = field, value, problem, example
        end = "" if problem.endswith("?") else "."
        super().__init__(f"{field}: {shown(value)} {problem}{end} For example: {example}")


class CircularDependencyError(FlyteNbError, ValueError):
    """A dependency would close a cycle; nothing was changed.

    Attributes:
        cycle: The names along the cycle; each depends on the next, and the last is the first again.
    """

    def __init__(self, cycle: Sequence[str]) -> None:
        self.cycle = list(cycle)
        super().__init__(
            f"circular dependency: {' -> '.join(self.cycle)}. Nothing was changed; remove one of these dependencies."
        )


class UnknownEnvironmentError(FlyteNbError, KeyError):
    """A name was used that no environment of the session has.

    Attributes:
        name: The name that is not defined.
        known: The names that are.
        needed_by: The environment that depends on it, or None where the user named it.
        task: The task of it that was to run, or None.
    """

    def __init__(
        self, name: str, known: Collection[str], needed_by: str | None = None, *, task: str | None = None
    ) -> None:
        self.name, self.known, self.needed_by, self.task = name, tuple(known), needed_by, task
        subject = f"{needed_by!r} depends on {name!r}, which" if needed_by else f"environment {name!r}"
        if task:
            subject = f"{task}: nothing was run, because {subject}"
        hint = did_you_mean(name, self.known) or " Define it, or run the cell that does."
        super().__init__(f"{subject} is not defined.{hint}")

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show the repr


class EnvironmentInUseError(FlyteNbError, ValueError):
    """An environment cannot be removed because others depend on it.

    Attributes:
        name: The environment.
        dependents: The names that depend on it directly.
    """

    def __init__(self, name: str, dependents: Collection[str]) -> None:
        self.name, self.dependents = name, tuple(dependents)
        super().__init__(f"{name!r} is needed by {_listed(self.dependents)}. Remove those first, or add --force.")


class UnknownRunError(FlyteNbError, KeyError):
    """A name was used that no run of the history has, or the latest was meant and there is none.

    Attributes:
        name: The name, or None for the latest run.
    """

    def __init__(self, name: str | None, known: Collection[str]) -> None:
        self.name = name
        if name is None or not known:
            super().__init__("the history has no runs yet. Run a task: %flyte_run train_model(epochs=3)")
            return
        hint = did_you_mean(name, known)
        super().__init__(f"there is no run {shown(name)} in the history.{hint} %flyte_runs lists the runs there are.")

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show the repr


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
            f"the target {name!r} does not say what is deployed there: {_brief(reason).rstrip('.')}. "
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
        names = _listed([getattr(other, "name", str(other)) for other in others])
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
        told = [f"{name!r} failed: {_brief(reason)}" for name, reason in [*self.failed.items()][:_LISTED]]
        more = f"; and {len(self.failed) - _LISTED} more failed" if len(self.failed) > _LISTED else ""
        left_out = f" Not started because of that: {_listed(self.skipped)}." if self.skipped else ""
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
        changed = "; ".join(f"{_listed(names)} changed {where}" for where, names in sides if names)
        missing = f"not defined in this session: {_listed(self.undefined)}" if self.undefined else ""
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


class NotATaskError(FlyteNbError, TypeError):
    """Something that is not a task was to be run.

    Attributes:
        value: What was given.
    """

    def __init__(self, value: object) -> None:
        self.value = value
        super().__init__(f"{shown(value)} is not a task. Decorate its function with @env.task, and give it uncalled.")


class InvalidExpressionError(FlyteNbError, ValueError):
    """What follows %flyte_run cannot be run.

    Attributes:
        expression: The text that was given.
    """

    def __init__(self, expression: str, problem: str) -> None:
        self.expression = expression
        end = "" if problem.endswith("?") else ". For example: %flyte_run train_model(epochs=3)"
        super().__init__(f"%flyte_run {expression}: {problem.rstrip('.')}{end}")


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


class InvalidArgumentsError(FlyteNbError, TypeError):
    """The arguments of a call do not fit the task; nothing was run.

    Attributes:
        task: The full name of the task.
    """

    def __init__(self, task: str, problem: str, signature: str) -> None:
        self.task = task
        super().__init__(f"{task}: {problem}. It is called as {task.partition('.')[2]}{signature}")


class InvalidInputError(FlyteNbError, TypeError):
    """A value is not of the type that the task's annotation wants; nothing was run.

    Attributes:
        task: The full name of the task.
        parameter: The parameter.
        wanted: The annotation, as source code.
        given: The type and the value that was given; secrets are masked.
    """

    def __init__(self, task: str, parameter: str, wanted: str, given: str, where: str = "") -> None:
        self.task, self.parameter, self.wanted, self.given = task, parameter, wanted, given
        part = f" (at {parameter}{where})" if where else ""
        super().__init__(f"{task}: {parameter} must be {wanted}, not {given}{part}. Nothing was run.")


class TaskTimeoutError(FlyteNbError, TimeoutError):
    """A task took longer, or waited longer for its turn, than its timeout allows.

    Attributes:
        task: The full name of the task.
        seconds: How long it was allowed to take, or to wait.
        queued: Whether it was still waiting.
    """

    def __init__(self, task: str, seconds: float, *, queued: bool = False) -> None:
        self.task, self.seconds, self.queued = task, seconds, queued
        what = "waited for its turn for more than" if queued else "took longer than"
        super().__init__(f"{task} {what} {seconds:g} s. Give it more time with @env.task(timeout=...).")


class UncacheableInputError(FlyteNbError, TypeError):
    """A call of a cached task was given what has no content that could be compared; nothing was run.

    Attributes:
        task: The full name of the task.
        parameter: The parameter.
        given: The type that was given.
        kind: The type of what cannot be compared, which may lie inside what was given.
    """

    def __init__(self, task: str, parameter: str, given: str, kind: str, reason: str) -> None:
        self.task, self.parameter, self.given, self.kind = task, parameter, given, kind
        problem = reason if kind == given else f"it holds a {kind}: {reason}"
        super().__init__(
            f"{task}: input `{parameter}` ({given}) cannot be part of a cache key: {problem}. Name it in "
            f'Cache(ignored_inputs="{parameter}"), or turn caching off with @env.task(cache="disable").'
        )


class UncacheableGlobalError(FlyteNbError, TypeError):
    """The code of a cached task uses what has no content that could be compared; nothing was run.

    Attributes:
        task: The full name of the task.
        name: What the code uses, and which function does.
        kind: The type of what cannot be compared.
    """

    def __init__(self, task: str, name: str, kind: str, reason: str) -> None:
        self.task, self.name, self.kind = task, name, kind
        super().__init__(
            f"{task} uses {name} ({kind}), which cannot be part of a cache key: {reason}. Make it inside the task, "
            'or state a version yourself with cache=Cache("override", version_override="1").'
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


class AdoptError(FlyteNbError):
    """A module or a project cannot be adopted; the session and what is imported are as they were.

    Attributes:
        source: What was to be adopted, as the user wrote it.
        problem: What is wrong with it.
    """

    def __init__(self, source: str, problem: str, way_out: str) -> None:
        self.source, self.problem = source, problem
        super().__init__(f"nothing of {shown(source)} was adopted: {problem}. {way_out}.")
