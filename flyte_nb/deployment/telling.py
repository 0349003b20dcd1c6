"""Telling those who watch a deployment: what they raise is logged, for a view that fails must not stop the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.listeners import Listeners

if TYPE_CHECKING:
    from flyte_nb.deployment.applying.status import EnvironmentStatus
    from flyte_nb.deployment.planning.plan import Plan
    from flyte_nb.deployment.watching import Watcher

__all__ = ["Telling"]


class Telling:
    """A watcher that passes everything on to another."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def waiting(self, holder: str) -> None:
        """Pass on who holds the lock."""
        Listeners(self._watcher.waiting).tell(holder)

    def begun(self, plan: Plan, name: str) -> None:
        """Pass on the beginning."""
        Listeners[str](lambda name: self._watcher.begun(plan, name)).tell(name)

    def changed(self, status: EnvironmentStatus) -> None:
        """Pass on a status."""
        Listeners(self._watcher.changed).tell(status)

    def said(self, environment: str, line: str) -> None:
        """Pass on a line."""
        Listeners[str](lambda line: self._watcher.said(environment, line)).tell(line)
