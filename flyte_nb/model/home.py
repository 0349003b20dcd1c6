"""Where definitions go and calls run: the one place in which the model meets the session.

The model knows only this protocol. The session installs itself as the home when flyte_nb is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Coroutine, Mapping

    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.model.task import Task

__all__ = ["Home", "home", "install_home"]


class Home(Protocol):
    """Holds the current definition of every environment by name, and runs tasks."""

    def define(self, spec: EnvironmentSpec) -> None:
        """Make `spec` the definition of its name, or raise and change nothing."""

    def attach(self, task: Task[..., Any]) -> None:
        """Add `task` to the environment it names, replacing a task of the same name."""

    def add_dependencies(self, name: str, dependencies: Collection[str]) -> None:
        """Add all of `dependencies` to `name`, or raise and add none."""

    def spec(self, name: str) -> EnvironmentSpec | None:
        """Return the current definition of `name`, or None."""

    def dependencies(self, name: str) -> tuple[str, ...]:
        """Return the names that `name` depends on now."""

    def tasks(self, name: str) -> Mapping[str, Task[..., Any]]:
        """Return the tasks of `name` by their full names."""

    def call(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call `task`: the value of a sync one, an awaitable of an async one."""

    def call_in_thread(
        self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Coroutine[Any, Any, Any]:
        """Return an awaitable that calls a sync `task` in a thread, with the context of the caller."""


_home: Home | None = None


def install_home(new: Home) -> None:
    """Make `new` the home of everything defined and called from now on."""
    global _home  # the one resettable global of the model
    _home = new


def home() -> Home:
    """Return the installed home."""
    if _home is None:
        raise RuntimeError("no session: import flyte_nb before its model")
    return _home
