"""A run on screen: the tree of its calls while it goes on, and what stays of it in the notebook."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flyte_nb.execution.journal import JournalReader
from flyte_nb.jupyter.live import Live
from flyte_nb.view.run_still import run_bundle
from flyte_nb.view.run_tree import RunTree

if TYPE_CHECKING:
    from collections.abc import Callable

    from flyte_nb.execution.call import Call
    from flyte_nb.execution.journal import Journal
    from flyte_nb.jupyter.on_screen import ViewsOnScreen
    from flyte_nb.view.widgets.run import RunWidget

__all__ = ["LiveRun"]

_FOLLOW_SECONDS = 0.25


class LiveRun(Live["RunWidget"]):
    """The tree of calls of a run.

    Args:
        journal: Where its calls are noted.
        on_screen: Keeps its live view when it is over.
        on_cancel: What the Cancel button does; without it there is none.
        usual: Tells how many seconds runs of a task have usually taken, given its first call; is asked once.
        watched: Whether it is shown while it goes on; otherwise only its end is.
    """

    def __init__(
        self,
        journal: Journal,
        on_screen: ViewsOnScreen,
        on_cancel: Callable[[], None] | None = None,
        usual: Callable[[Call], float | None] = lambda _: None,
        *,
        watched: bool,
    ) -> None:
        super().__init__(on_screen, "run", watched=watched)
        self._journal, self._reader, self._tree = journal, JournalReader(journal), RunTree()
        self._on_cancel = on_cancel
        self._usual: Callable[[Call], float | None] | None = usual
        if watched:
            journal.when_begun(self._take_place)

    @property
    def begun(self) -> bool:
        """Whether any task was called."""
        with self._lock:
            return self._read()

    def update(self) -> None:
        """Show what has changed; once there is a live view, it learns how long such runs usually take."""
        super().update()
        if self._widget and self._usual:
            usual, self._usual = self._usual, None
            seconds = usual(self._journal[0])  # not with the lock: the history may be slow
            if seconds is not None:
                self._widget.expect(seconds)

    def end(self) -> None:
        """Leave the final state in the notebook."""
        self._finish()
        if self._watched and not self._tree.is_over:
            self._on_screen.follow(self._follow())

    async def _follow(self) -> None:
        """Show what becomes of calls that were not awaited: asyncio.gather lets the others go on when one fails."""
        try:
            while not self._tree.is_over:
                await asyncio.sleep(_FOLLOW_SECONDS)
                with self._lock:
                    self._read()
                    self._show()
        finally:  # also when the loop is closed, which cancels them and this
            with self._lock:
                self._read()
                if self._widget:
                    self._tell(self._widget)
                self._keep(self._last_note())

    def _last_note(self) -> str:
        return "" if self._tree.is_over else self._note()

    def _read(self) -> bool:
        self._tree.update(self._reader.changed())
        self._tree.heed(self._journal, is_over=self._over and self._tree.is_over)
        return bool(self._tree)

    def _bundle(self, note: str) -> dict[str, str]:
        return run_bundle(self._tree, self._output.host, under_way=not self._over, note=note)

    def _tell(self, widget: RunWidget) -> None:
        widget.update(under_way=not self._over)

    def _new_widget(self) -> RunWidget:
        from flyte_nb.view.widgets.run import RunWidget

        widget = RunWidget(self._tree, self._output.host, None if self._over else self._on_cancel)
        if self._over:
            self._on_screen.keep(widget)
        return widget
