"""Errors of runs: what can be run, with which inputs, for how long, and what can be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.errors.base import FlyteNbError, did_you_mean, shown

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "InvalidArgumentsError",
    "InvalidExpressionError",
    "InvalidInputError",
    "NotATaskError",
    "TaskTimeoutError",
    "UncacheableGlobalError",
    "UncacheableInputError",
    "UnknownRunError",
]


class UnknownRunError(FlyteNbError, KeyError):
    """A name was used that no run of the history has, or the latest was meant and there is none.

    Attributes:
        name: The name, or None for the latest run.
    """

    def __init__(self, name: str | None, known: Collection[str], where: str = "") -> None:
        self.name = name
        if name is not None and where:
            super().__init__(f"there is no run {shown(name)} {where}. %flyte_runs lists the runs of the history.")
            return
        if name is None or not known:
            super().__init__("the history has no runs yet. Run a task: %flyte_run train_model(epochs=3)")
            return
        hint = did_you_mean(name, known)
        super().__init__(f"there is no run {shown(name)} in the history.{hint} %flyte_runs lists the runs there are.")

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
        super().__init__(f"{f'%flyte_run {expression}'.rstrip()}: {problem.rstrip('.')}{end}")


class InvalidArgumentsError(FlyteNbError, TypeError):
    """The arguments of a call do not fit the task; nothing was run.

    Attributes:
        task: The full name of the task.
    """

    def __init__(self, task: str, problem: str, signature: str) -> None:
        self.task = task
        super().__init__(f"{task}: {problem}. It is called as {task.partition('.')[2]}{signature}")


_NUMPY_NUMBERS = ("int8 ", "int16 ", "int32 ", "int64 ", "uint", "float16 ", "float32 ", "float64 ", "bool_ ")


class InvalidInputError(FlyteNbError, TypeError):
    """A value is not of the type that the task's annotation wants; nothing was run.

    Attributes:
        task: The full name of the task.
        parameter: The parameter.
        wanted: The annotation, as source code.
        given: The type and the value that was given; secrets are masked.
        index: Where the value is among what is mapped over, from 0; None if nothing is. Others may have run then.
    """

    def __init__(
        self, task: str, parameter: str, wanted: str, given: str, where: str = "", index: int | None = None
    ) -> None:
        self.task, self.parameter, self.wanted, self.given, self.index = task, parameter, wanted, given, index
        self._where = where
        part = f" (at {parameter}{where})" if where else ""
        which = "Nothing was run." if index is None else f"It is at index {index} of what is mapped over."
        python = " .tolist() gives Python's own numbers." if given.startswith(_NUMPY_NUMBERS) else ""
        super().__init__(f"{task}: {parameter} must be {wanted}, not {given}{part}. {which}{python}")

    def at(self, index: int) -> InvalidInputError:
        """Return the same of a value that is at `index` of what is mapped over."""
        return InvalidInputError(self.task, self.parameter, self.wanted, self.given, self._where, index)


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
