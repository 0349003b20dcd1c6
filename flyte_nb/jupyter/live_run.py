"""A run on screen: the tree of its calls while it goes on, and what stays of it in the notebook."""

from __future__ import annotations

import asyncio
import threading
from time import monotonic
from typing import TYPE_CHECKING

from flyte_nb.execution.journal import JournalReader
from flyte_nb.jupyter.live import KEEP_SECONDS
from flyte_nb.jupyter.output import has_front_end, show
from flyte_nb.view.run_still import run_bundle
from flyte_nb.view.run_tree import RunTree
from flyte_nb.view.still import new_host

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.execution.journal import Journal
    from flyte_nb.jupyter.on_screen import ViewsOnScreen
    from flyte_nb.view.widgets.run import RunWidget

__all__ = ["LiveRun"]

# A run that is over sooner has no live view.
_PATIENCE_SECONDS = 0.2
_FOLLOW_SECONDS = 0.25


class LiveRun:
    """The tree of calls of a run: live where there is a front end; a terminal shows only its end.

    Args:
        shell: Where it is shown.
        journal: Where its calls are noted.
        on_screen: Keeps its live view when it is over.
        on_cancel: What the Cancel button does; without it there is none.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        journal: Journal,
        on_screen: ViewsOnScreen,
        on_cancel: Callable[[], None] | None = None,
    ) -> None:
        self._on_screen = on_screen
        self._lock = threading.RLock()  # updates come from a thread of their own
        self._over = False
        self._live = has_front_end(shell)
        self._reader = JournalReader(journal)
        self._on_cancel = on_cancel
        self._tree, self._host = RunTree(), new_host()
        self._widget: RunWidget | None = None
        self._begun_at, self._kept_at = monotonic(), 0.0
        self._kept: dict[str, str] | None = None
        if self._live:
            journal.when_begun(self._take_place)

    def _take_place(self) -> None:
        """Show that the run has begun: what its tasks print comes below."""
        with self._lock:
            self._read()
            self._keep(under_way=True)

    @property
    def begun(self) -> bool:
        """Whether any task was called."""
        with self._lock:
            self._read()
            return bool(self._tree)

    def update(self) -> None:
        """Show what has changed, once the run has lasted long enough to be watched."""
        if self._live and monotonic() - self._begun_at > _PATIENCE_SECONDS:
            with self._lock:
                self._update()

    def _update(self) -> None:
        if self._over:
            return
        self._read()
        if not self._tree:
            return
        if self._widget is None:
            self._widget = _widget(self._tree, self._host, self._on_cancel)
        else:
            self._widget.update()
        if monotonic() - self._kept_at > KEEP_SECONDS:
            self._keep(under_way=True)

    def end(self) -> None:
        """Leave the final state in the notebook."""
        with self._lock:
            self._over = True
            self._end()

    def _end(self) -> None:
        self._read()
        if not self._tree:
            return
        if self._widget:
            self._widget.update(under_way=False)
            self._on_screen.keep(self._widget)
        self._keep(under_way=False)
        if self._live and self._has_calls_under_way:
            self._on_screen.follow(self._follow())

    @property
    def _has_calls_under_way(self) -> bool:
        return not all(state.is_final for state in self._tree.counts)

    async def _follow(self) -> None:
        """Show what becomes of calls that were not awaited: asyncio.gather lets the others go on when one fails."""
        try:
            while self._has_calls_under_way:
                await asyncio.sleep(_FOLLOW_SECONDS)
                self._read()
                if self._widget:
                    self._widget.update(under_way=False)
        finally:  # also when the loop is closed, which cancels them and this
            self._read()
            self._keep(under_way=False)

    def _read(self) -> None:
        self._tree.update(self._reader.changed())

    def _note(self) -> str:
        """Return what a reader has to know who finds the notebook as it is now."""
        seconds = monotonic() - self._begun_at
        return f"As it stood after {seconds:.0f} s. The run goes on, or its kernel has ended." if seconds > 1 else ""

    def _keep(self, *, under_way: bool) -> None:
        bundle = run_bundle(self._tree, self._host, under_way=under_way, note=self._note() if under_way else "")
        if bundle != self._kept:
            show(bundle, self._host, update=self._kept is not None)
        self._kept, self._kept_at = bundle, monotonic()


def _widget(tree: RunTree, host: str, on_cancel: Callable[[], None] | None) -> RunWidget:
    from flyte_nb.view.widgets.run import RunWidget

    return RunWidget(tree, host, on_cancel)
