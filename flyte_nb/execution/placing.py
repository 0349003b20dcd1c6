"""What the runner needs of a place, other than this process, in which tasks run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from flyte_nb.model.policies import RetryStrategy, Timeout
    from flyte_nb.model.task import Task

__all__ = ["PlacedRun", "PlacedTask"]


class PlacedTask(Protocol):
    """What is known of a task that runs elsewhere."""

    @property
    def name(self) -> str:
        """The full name."""

    @property
    def has_policies(self) -> bool:
        """Whether a call may be tried again or end by a timeout."""

    @property
    def retries(self) -> RetryStrategy:
        """How often, and how far apart, a failed call is tried again."""

    @property
    def timeout(self) -> Timeout:
        """How long a call may take."""


class PlacedRun(Protocol):
    """One run elsewhere: what is deployed there when it begins is what runs, to its end."""

    @property
    def target(self) -> str:
        """The name of the target to which is deployed what runs."""

    def call(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Coroutine[Any, Any, Any]:
        """Call a task, sync or async; arguments are known to fit it."""

    def watch(self, watcher: Callable[[Mapping[str, str]], None]) -> None:
        """Tell `watcher` of what a call from outside may need, before it begins: fingerprints by environment."""

    def call_and_wait(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a task and wait for it in this thread."""
