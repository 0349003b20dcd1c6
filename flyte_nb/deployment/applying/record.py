"""What the engine needs of whoever keeps a deployment while it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from flyte_nb.deployment.applying.status import EnvironmentStatus

__all__ = ["Record"]


class Record(Protocol):
    """One deployment as it is recorded. The engine tells it; it tells those who watch, once it is durable."""

    @property
    def name(self) -> str:
        """What the history calls the deployment: "d12"."""

    def note(self, status: EnvironmentStatus) -> None:
        """Take a change of an environment's status; returns at once."""

    def log(self, name: str, line: str) -> None:
        """Take a line that the deployment of an environment has to say; returns at once, from any thread."""

    async def settle(self) -> None:
        """Return when everything that was taken is durable and was told."""
