"""Errors of definitions: fields, names, cycles, and modules that are adopted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.errors.base import FlyteNbError, did_you_mean, listed, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = [
    "AdoptError",
    "CircularDependencyError",
    "EnvironmentInUseError",
    "InvalidTypeError",
    "InvalidValueError",
    "UnknownEnvironmentError",
]


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
        end = "" if problem.endswith(("?", ".")) else "."
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
        super().__init__(f"{name!r} is needed by {listed(self.dependents)}. Remove those first, or add --force.")


class AdoptError(FlyteNbError):
    """A module or a project cannot be adopted; the session and what is imported are as they were.

    Attributes:
        source: What was to be adopted, as the user wrote it.
        problem: What is wrong with it.
    """

    def __init__(self, source: str, problem: str, way_out: str) -> None:
        self.source, self.problem = source, problem
        super().__init__(f"nothing of {shown(source)} was adopted: {problem}. {way_out}.")
