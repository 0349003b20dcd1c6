"""What the user's own names mean on one side of a crossing."""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["KERNEL", "Definitions"]

KERNEL = "the kernel"
"""What the side of the notebook is called in messages."""


class Definitions(Protocol):
    """What the user's own names mean on this side."""

    @property
    def side(self) -> str:
        """Where this is, for messages: `KERNEL`, or "the worker of 'ml'"."""

    def name_of(self, value: Any) -> tuple[str, str] | None:
        """Return module and qualified name under which a class, function, task or environment of the user's travels.

        The module is "" for the notebook, and for an environment's own module. What is not the user's gives None.
        """

    def find(self, module: str, name: str) -> Any:
        """Return what has that name here.

        Raises:
            LookupError: Nothing has.
        """
