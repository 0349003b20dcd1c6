"""What a worker is told of a task of another environment: enough to call it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flyte_nb.model.policies import Cache

__all__ = ["TaskShape", "ignored_by"]


def ignored_by(policy: Cache) -> frozenset[str] | None:
    """Return the parameters that make no difference to a result that is kept, or None if it is not kept."""
    return None if policy.behavior == "disable" else frozenset(policy.ignored_inputs)


@dataclass(frozen=True)
class TaskShape:
    """How a task is called.

    Attributes:
        is_async: Whether calling it gives an awaitable.
        parameters: Name, kind (by its number in `inspect`) and whether there is a default, of each parameter.
        ignored: The parameters that make no difference to a result that is kept; None if results are not kept.
        ignored_by_default: The same of a task of its environment that says nothing of its own.
    """

    is_async: bool
    parameters: tuple[tuple[str, int, bool], ...]
    ignored: frozenset[str] | None = None
    ignored_by_default: frozenset[str] | None = None

    @classmethod
    def of(cls, signature: inspect.Signature, cache: Cache, default: Cache, *, is_async: bool) -> TaskShape:
        """Return the shape of a task, given when its results are reused, and those of its environment by default."""
        parameters = (
            (each.name, int(each.kind), each.default is not each.empty) for each in signature.parameters.values()
        )
        return cls(is_async, tuple(parameters), ignored_by(cache), ignored_by(default))

    @cached_property
    def signature(self) -> inspect.Signature:
        """The parameters; what they are by default is left out."""
        kinds = {int(kind): kind for kind in inspect._ParameterKind}  # noqa: SLF001 - `Parameter.kind` has no other name
        empty = inspect.Parameter.empty
        return inspect.Signature(
            [
                inspect.Parameter(name, kinds[kind], default=... if has_default else empty)
                for name, kind, has_default in self.parameters
            ]
        )
