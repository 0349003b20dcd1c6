"""What goes on, on screen: a live view while it goes on, and one output that stays of it in the notebook."""

from __future__ import annotations

import contextvars
import logging
import threading
from abc import ABC, abstractmethod
from contextlib import contextmanager
from time import monotonic, thread_time
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from flyte_nb.jupyter.output import HostedOutput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flyte_nb.jupyter.on_screen import ViewsOnScreen

__all__ = ["Live", "ending", "updating"]

_UPDATE_SECONDS = 0.1
# What is over sooner has no live view.
_PATIENCE_SECONDS = 0.2
# Drawing what stays in the notebook costs more than telling the live view, which it replaces under people's hands, and
# only front ends without one need it: the longer something goes on, the less often.
_KEEP_SECONDS, _KEEP_SHARE, _KEEP_AT_MOST = 1.0, 0.1, 10.0
# How much longer than what an update computes the pause after it is at least: it stands in the way of the work. That it
# has to wait where the work computes without a pause is no reason to come less often.
_REST = 9


class _Widget(Protocol):
    """A live view that is told when there is something new."""

    @property
    def size(self) -> int: ...

    def update(self) -> None: ...

    def close(self) -> None: ...


W = TypeVar("W", bound=_Widget)


class Live(ABC, Generic[W]):
    """Something that goes on: shown live where somebody watches, and in the end as what stays of it.

    Updates come from a thread of their own; `lock` is held while they read.

    Args:
        on_screen: Keeps the live view when it is over.
        what: What goes on, in a word: "run", for which there is a magic %flyte_runs.
        watched: Whether it is shown while it goes on; otherwise only its end is.
    """

    def __init__(self, on_screen: ViewsOnScreen, what: str, *, watched: bool) -> None:
        self._on_screen, self._what, self._watched = on_screen, what, watched
        self._lock = threading.RLock()
        self._output = HostedOutput()
        self._widget: W | None = None
        self._over = False
        self._begun_at, self._kept_at, self._resting_until = monotonic(), 0.0, 0.0

    @abstractmethod
    def _read(self) -> bool:
        """Take what has happened into account; return whether there is anything to show."""

    @abstractmethod
    def _new_widget(self) -> W:
        """Return the live view, as things are now."""

    @abstractmethod
    def _bundle(self, note: str) -> dict[str, str]:
        """Return what stays in the notebook, as things are now, with `note` below it."""

    def _tell(self, widget: W) -> None:
        """Have the live view show what has changed."""
        widget.update()

    def _take_place(self) -> None:
        """Show that it has begun: what is printed meanwhile comes below."""
        with self._lock:
            self._begun_at = monotonic()
            if self._watched and self._read():
                self._keep(self._note())

    def update(self) -> None:
        """Show what has changed, once it has lasted long enough to be watched."""
        if not self._watched or monotonic() < max(self._begun_at + _PATIENCE_SECONDS, self._resting_until):
            return
        began = thread_time()
        with self._lock:
            if not self._over and self._read():
                self._show()
        self._resting_until = monotonic() + _REST * (thread_time() - began)

    def _show(self) -> None:
        if self._widget is None:
            self._widget = self._new_widget()
        else:
            self._tell(self._widget)
        now = monotonic()
        pause = min(max(_KEEP_SECONDS, _KEEP_SHARE * (now - self._begun_at)), _KEEP_AT_MOST)
        if now > self._kept_at + pause:
            self._keep(self._note())

    def _finish(self) -> None:
        """Leave the final state in the notebook; no update comes after it."""
        with self._lock:
            self._over = True
            if not self._read():
                return
            if self._widget:
                self._tell(self._widget)
                self._on_screen.keep(self._widget)
            self._keep(self._last_note())

    def _last_note(self) -> str:
        """Return what a reader has to know who finds the notebook as the cell has left it."""
        return ""

    def _note(self) -> str:
        """Return what a reader has to know who finds the notebook as it is now."""
        seconds = monotonic() - self._begun_at
        if seconds <= 1:
            return ""
        return f"As it stood after {seconds:.0f} s. %flyte_{self._what}s tells what became of the {self._what} since."

    def _keep(self, note: str) -> None:
        self._output.show(self._bundle(note))
        self._kept_at = monotonic()


def ending(end: Callable[[], None]) -> None:
    """Call `end`, the last thing a view does. What it raises is logged: it must not hide what became of the work."""
    try:
        end()
    except Exception:
        logging.getLogger("flyte_nb").exception("the end of a view cannot be shown")


@contextmanager
def updating(update: Callable[[], None]) -> Iterator[None]:
    """Call `update` at most ten times a second while the body runs, in a thread: also while the body does not await."""
    over = threading.Event()

    def repeat() -> None:
        try:
            while not over.wait(_UPDATE_SECONDS):
                update()
        except Exception:
            logging.getLogger("flyte_nb").exception("a view is no longer updated")

    context = contextvars.copy_context()  # what is shown belongs to this cell
    thread = threading.Thread(target=context.run, args=(repeat,), name="flyte_nb view", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
