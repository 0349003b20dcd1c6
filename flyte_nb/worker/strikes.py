"""When the signal that stops a task is heard: at once, but never while a message is half sent or half read."""

from __future__ import annotations

import signal
from threading import get_ident, main_thread
from typing import TYPE_CHECKING

from flyte_nb.workers.signals import STRIKE

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["Strikes"]


class Strikes:
    """Holds the signal off in the body of a `with`, in which it is not lost: it is heard when that ends.

    Only the main thread hears signals, so that in other threads this does nothing.
    """

    def __init__(self) -> None:
        self._main = main_thread().ident
        self._held, self._missed = 0, False
        self._hear: Callable[[], None] = lambda: None

    def heed(self, hear: Callable[[], None]) -> None:
        """Call `hear` whenever the signal comes; what it raises is raised in the code that runs."""
        self._hear = hear
        signal.signal(STRIKE, self._struck)

    def _struck(self, _number: int, _frame: FrameType | None) -> None:
        if self._held:
            self._missed = True
        else:
            self._hear()

    def __enter__(self) -> None:
        if get_ident() == self._main:
            self._held += 1

    def __exit__(self, *_: object) -> None:
        if get_ident() == self._main:
            self._held -= 1
            if self._missed and not self._held:
                self._missed = False
                self._hear()
