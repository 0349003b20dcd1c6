"""Tasks as the SDK has them, and what its tasks say while they run."""

from __future__ import annotations

from contextlib import ContextDecorator
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from flyte_nb.as_flyte.values import Kept
from flyte_nb.model.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SdkOverrides", "SdkTask", "ctx", "group", "trace"]

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound="Callable[..., Any]")

# What `override` of the SDK takes that counts on a cluster only: in this place an environment's own is what it is.
_OF_CLUSTERS = frozenset(
    {
        *("entrypoint", "env_vars", "interruptible", "links", "max_inline_io_bytes", "plugin_config", "pod_template"),
        *("produces_artifacts", "queue", "report", "resources", "reusable", "secrets", "service_account"),
    }
)


class SdkOverrides(Task[P, R]):
    """A task whose `override` takes what the SDK's takes."""

    def override(self, **changes: Any) -> Task[P, R]:
        """Return this task with other policies; what counts on a cluster only is left aside."""
        here = {
            name: value.plain if isinstance(value, Kept) else value
            for name, value in changes.items()
            if name not in _OF_CLUSTERS
        }
        return super().override(**here)


class SdkTask(SdkOverrides[P, R]):
    """A task that a module defines as the SDK does."""

    def _with(self, policies: dict[str, Any]) -> SdkTask[P, R]:
        return SdkTask(self.function, self.environment, **policies, flyte_options=self.flyte_options)


def trace(function: F) -> F:
    """Return `function`: here only tasks are followed."""
    return function


class group(ContextDecorator):  # noqa: N801 - the name Flyte gives it
    """Calls that belong together, which here are told by who calls them."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        pass


class _NoContext:
    """What the SDK gives outside of a run of its own: false, and None whatever is asked of it."""

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


def ctx() -> Any:
    """Return the context of a run on a cluster: here there is none."""
    return _NoContext()
