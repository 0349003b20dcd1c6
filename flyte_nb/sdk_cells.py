"""What cells define with the Flyte SDK, from the moment on at which somebody has imported it."""

from __future__ import annotations

from threading import current_thread, main_thread
from typing import TYPE_CHECKING

from flyte_nb.sdk.importing import imported_sdk

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from flyte_nb.definitions.registry import Registry
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.sdk.objects.defining import SdkDefinitions

__all__ = ["SdkCells"]


class SdkCells:
    """Brings environments and tasks of the SDK into the session, cell by cell; without the SDK it does nothing.

    Args:
        registry: Where they are defined.
        amend: Lets what a cell has said of an environment be another specification, as that cell's.
    """

    def __init__(self, registry: Registry, amend: Callable[[str, EnvironmentSpec], None]) -> None:
        self._registry, self._amend = registry, amend
        self._definitions: SdkDefinitions | None = None
        self._owner: str | None = None
        self._told: list[str] = []

    def load(self) -> list[str]:
        """Begin to follow; return the names of environments that were constructed so far, and are not taken."""
        if self._definitions is not None:
            self._definitions.resume()
        else:
            self._follow(with_earlier=False)
        earlier = [] if self._definitions is None else self._definitions.earlier
        return [name for name in earlier if self._registry.spec(name) is None]

    def unload(self) -> None:
        """Let the objects be as the SDK made them; what is defined stays defined."""
        self._owner = None
        if self._definitions is not None:
            self._definitions.rest()

    def begin(self, owner: str) -> None:
        """Let the cell `owner` begin."""
        self._owner = owner
        if self._definitions is not None:
            self._definitions.begin(owner)

    def take(self) -> None:
        """Say to the session what the running cell has defined so far.

        Raises:
            FlyteNbError: It cannot be; the session has taken nothing of it.
        """
        if self._owner is None or current_thread() is not main_thread():
            return  # what runs beside cells defines nothing
        if self.follows and self._definitions is not None:
            # The objects show what they are now, not in which order it came about.
            with self._registry.at_once():
                self._told += self._definitions.take()

    def told(self) -> list[str]:
        """Return what there is to tell people about what the running cell has defined."""
        return list(self._told)

    def end(self, *, succeeded: bool) -> None:
        """End the running cell; if it did not succeed, what it has done to objects is taken back."""
        if self._definitions is None and not succeeded:
            self._follow(with_earlier=False)
        if self._definitions is not None and self._owner is not None:
            self._definitions.end(succeeded=succeeded)
        self._owner, self._told = None, []

    def forget(self, keys: Collection[str | None]) -> None:
        """Take back from objects what the session has taken back of cells that no longer exist."""
        if self._definitions is not None:
            self._definitions.forget([key for key in keys if key and not self._registry.has_said(key)])

    def remember(self, keys: Collection[str]) -> None:
        """Let the cells `keys` count again that the session remembers, as after an undo."""
        if self._definitions is not None:
            self._definitions.remember([key for key in keys if self._registry.has_said(key)])

    @property
    def follows(self) -> bool:
        """Whether a cell runs that may define with the SDK."""
        if self._owner is not None and self._definitions is None:
            self._follow(with_earlier=True)
        return self._owner is not None and self._definitions is not None

    def adopt(self, module: str) -> tuple[str, ...] | None:
        """Take the environments of a module that was imported with the SDK, and return their names; None without any.

        Raises:
            FlyteNbError: They cannot be taken.
        """
        names = self._definitions.adopt(module) if self._definitions is not None else ()
        if not names:
            return None
        self.take()
        return names

    def _follow(self, *, with_earlier: bool) -> None:
        if hasattr(imported_sdk(), "TaskEnvironment"):  # which is so once it is imported to its end
            from flyte_nb.sdk.objects.defining import SdkDefinitions

            self._definitions = SdkDefinitions(self._amend, with_earlier=with_earlier)
            if self._owner is not None:
                self._definitions.begin(self._owner)
