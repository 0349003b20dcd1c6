"""Those who want to know: a set of listeners that can change at any time and cannot break what they listen to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Listeners"]

E = TypeVar("E")


class Listeners(Generic[E]):
    """Functions that are told of events, from whatever thread the event happens in.

    Attributes:
        present: Those who listen now.
    """

    def __init__(self, *listeners: Callable[[E], None]) -> None:
        self.present = listeners

    def add(self, listener: Callable[[E], None]) -> Callable[[], None]:
        """Tell `listener` of every event from now on; return what ends that."""
        self.present = (*self.present, listener)

        def end() -> None:
            self.present = tuple(other for other in self.present if other is not listener)

        return end

    def tell(self, event: E) -> None:
        """Tell all of `event`. What a listener raises is logged: a view that fails must not stop the work."""
        for listener in self.present:
            try:
                listener(event)
            except Exception:
                import logging

                logging.getLogger("flyte_nb").exception("a listener failed on %s", type(event).__name__)
