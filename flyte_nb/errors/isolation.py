"""Errors of environments that differ: virtual environments, workers, and values that cross between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.errors.base import FlyteNbError, brief, did_you_mean, listed, option_for, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = [
    "CannotCrossError",
    "DeployedFunctionError",
    "MissingSecretError",
    "NotDeployedError",
    "OversizeError",
    "RemoteError",
    "TaskMemoryError",
    "UnknownPlaceError",
    "UnknownTaskError",
    "UnknownVersionError",
    "VenvError",
    "WorkerDiedError",
    "WorkerStartError",
]


class CannotCrossError(FlyteNbError, TypeError):
    """A value cannot go from one environment to another.

    Attributes:
        what: Which value: "argument 'model' of scoring.predict", "the result of ml.train".
        kind: Its type, or that of the part of it which cannot cross: "sklearn.linear_model.LogisticRegression".
        reason: Why, with the two versions where they are the reason, and what to do.
    """

    def __init__(self, what: str, kind: str, reason: str) -> None:
        self.what, self.kind, self.reason = what, kind, reason
        super().__init__(f"{what} ({kind}) cannot cross: {reason}")


class RemoteError(FlyteNbError):
    """Stands for an exception whose type cannot be had here: it is defined only where the task ran.

    Attributes:
        kind: The type of the exception, with its module.
        message: What it says.
    """

    def __init__(self, kind: str, message: str) -> None:
        self.kind, self.message = kind, message
        super().__init__(f"{kind}: {message}" if message else kind)


class WorkerStartError(FlyteNbError):
    """The process in which the tasks of an environment run cannot start.

    Attributes:
        environment: The environment.
        reason: Why: for the most part what importing its module raised.
    """

    def __init__(self, environment: str, reason: str) -> None:
        self.environment, self.reason = environment, reason
        super().__init__(f"The worker of {environment!r} cannot start: {brief(reason)}")


class WorkerDiedError(FlyteNbError):
    """The process in which a task ran has ended.

    Attributes:
        task: The full name of the task.
        how: How it ended: "was killed by signal 9 (SIGKILL)", "ended with exit code 3".
        others: How many other calls ran in it, each of which may be the cause.
    """

    def __init__(self, task: str, how: str, others: int = 0) -> None:
        self.task, self.how, self.others = task, how, others
        told = [f"{task}: the process that it ran in {how}."]
        if others:
            told.append(
                f"{others} other call{'' if others == 1 else 's'} ran in it, and any of them may be the cause: async "
                "tasks share a process, a sync one has one for itself."
            )
        super().__init__(" ".join([*told, "The next call gets a new one."]))


class TaskMemoryError(FlyteNbError, MemoryError):
    """A task has used more memory than its environment declares.

    Attributes:
        task: The full name of the task.
        used: Bytes that it used when it was stopped.
        limit: Bytes that it may use.
    """

    def __init__(self, task: str, used: int, limit: int) -> None:
        self.task, self.used, self.limit = task, used, limit
        environment = task.partition(".")[0]
        super().__init__(
            f"{task} used {used / 2**20:,.0f} MiB of the {limit / 2**20:,.0f} MiB that {environment!r} declares. "
            "Declare more: resources=flyte.Resources(memory=...)"
        )


class DeployedFunctionError(FlyteNbError):
    """The function of a deployed task was called by itself: its code is where the task runs, and not here.

    Attributes:
        task: The full name of the task.
    """

    def __init__(self, task: str) -> None:
        self.task = task
        super().__init__(f"The code of {task} is where it is deployed, not here. Call the task, not its function.")


class NotDeployedError(FlyteNbError, KeyError):
    """What is to run from a target was not deployed there.

    Attributes:
        environment: The environment.
        target: The name of the target.
        known: The names of those that are deployed.
        called_by: The full name of the task that called it, or nothing.
        former: The version that is there, if an earlier flyte_nb has deployed it, which did not keep what a run needs.
    """

    def __init__(
        self, environment: str, target: str, known: Iterable[str] = (), called_by: str = "", former: str = ""
    ) -> None:
        self.environment, self.target, self.known, self.called_by = environment, target, tuple(known), called_by
        self.former = former
        by = f", and {called_by} calls it" if called_by else ""
        deploy = f"%flyte_deploy {environment}{option_for(target)}"
        if former:
            super().__init__(
                f"Version {former[:12]} of {environment!r} was deployed by an earlier flyte_nb and cannot be run{by}. "
                f"Deploy it again: {deploy}"
            )
            return
        hint = did_you_mean(environment, self.known)
        super().__init__(f"{environment!r} is not deployed to {target}{by}.{hint} Deploy it: {deploy}")

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError shows the repr of its argument


class UnknownTaskError(FlyteNbError, KeyError):
    """A deployed environment has no such task.

    Attributes:
        task: What was given in the place of the full name of a task.
        known: The full names of the tasks it has.
    """

    def __init__(self, task: object, known: Collection[str]) -> None:
        self.task, self.known = task, tuple(known)
        has = f"It has {listed(self.known)}." if self.known else "It has no tasks."
        if not isinstance(task, str):
            message = f'{shown(task)} is not the full name of a task. For example: deployed("ml-training.train_model")'
        elif "." in task:
            message = f"{task!r} is not a task of that environment.{did_you_mean(task, known)} {has}"
        else:
            message = f"{task!r} is the name of an environment: say which of its tasks. {has}"
        super().__init__(message)

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError shows the repr of its argument


class UnknownVersionError(FlyteNbError, KeyError):
    """An environment has no such version, or what was given does not say which.

    Attributes:
        environment: The environment.
        version: What was given.
        known: The versions it has, the latest first; if several begin as given, those.
        problem: What is wrong with what was given, if that is wrong in itself: "is too short ...".
    """

    def __init__(self, environment: str, version: object, known: Collection[str], problem: str = "") -> None:
        self.environment, self.version, self.known, self.problem = environment, version, tuple(known), problem
        short = listed([version[:12] for version in self.known]) or "none"
        if problem:
            message = f"{shown(version)} {problem}. Versions of {environment!r}: {short}."
        else:
            message = f"{environment!r} has no version {shown(version)}. It has {short}."
        super().__init__(message)

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError shows the repr of its argument


class MissingSecretError(FlyteNbError, KeyError):
    """A task needs a secret that this machine does not have: secrets are never stored.

    Attributes:
        environment: The environment that needs it.
        variable: The environment variable that holds it.
    """

    def __init__(self, environment: str, variable: str) -> None:
        self.environment, self.variable = environment, variable
        super().__init__(
            f"{environment!r} needs the secret {variable}, which is not set here and is never stored. "
            f'Set it in the kernel: os.environ["{variable}"] = getpass.getpass()'
        )

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError shows the repr of its argument


class VenvError(FlyteNbError):
    """The virtual environment of an image cannot be built.

    Attributes:
        image: What it was to hold: the Python and the packages.
        reason: Why, as the installer says it, and what to do.
    """

    def __init__(self, image: str, reason: str) -> None:
        self.image, self.reason = image, reason
        super().__init__(f"The virtual environment with {brief(image)} cannot be built: {brief(reason)}")


class OversizeError(FlyteNbError, ValueError):
    """An environment asks for more than this machine has, and the settings say to refuse that.

    Attributes:
        environment: The environment.
        asks: What it asks for, and what there is, in words: "8 cores of 2".
    """

    def __init__(self, environment: str, asks: str) -> None:
        self.environment, self.asks = environment, asks
        super().__init__(
            f"{environment!r} asks for {asks}. Ask for less, or let it take the whole machine: "
            '%config FlyteNB.oversize = "clamp"'
        )


class UnknownPlaceError(FlyteNbError, ValueError):
    """There is no such place to run tasks.

    Attributes:
        place: What was given.
        known: The names of those there are.
    """

    def __init__(self, place: object, known: Collection[str]) -> None:
        self.place, self.known = place, tuple(known)
        hint = did_you_mean(place, known) if isinstance(place, str) else ""
        super().__init__(f"Tasks do not run on {shown(place)}.{hint} Known places: {', '.join(known)}.")
