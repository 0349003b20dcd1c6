"""What those hear who watch a deployment: a view implements `Watcher`; nobody has to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from flyte_nb.deployment.applying.status import EnvironmentStatus
    from flyte_nb.deployment.planning.plan import Plan

__all__ = ["Nobody", "Watcher"]


class Watcher(Protocol):
    """Watches one deployment; everything is told in the thread of the loop, and is durable when it is told."""

    def waiting(self, holder: str) -> None:
        """Somebody else deploys to the target: `holder` says who, since when, in words for people."""

    def begun(self, plan: Plan, name: str) -> None:
        """The deployment `name` of `plan` begins."""

    def changed(self, status: EnvironmentStatus) -> None:
        """The status of an environment has changed."""

    def said(self, environment: str, line: str) -> None:
        """The deployment of an environment has something to say."""


class Nobody:
    """Watches nothing."""

    def waiting(self, holder: str) -> None:
        """Do nothing."""

    def begun(self, plan: Plan, name: str) -> None:
        """Do nothing."""

    def changed(self, status: EnvironmentStatus) -> None:
        """Do nothing."""

    def said(self, environment: str, line: str) -> None:
        """Do nothing."""
