"""A run on screen: the tree of its calls while it goes on, and what stays of it in the notebook."""

from __future__ import annotations

from collections import deque
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
    from flyte_nb.view.widgets.run import RunWidget

__all__ = ["LiveRun", "RunsOnScreen"]

# A run that is over sooner shows its end alone.
_PATIENCE_SECONDS = 0.2
# How many live views are kept after their runs, and how many calls these may have altogether.
_MOST_VIEWS, _MOST_CALLS = 16, 50_000


class RunsOnScreen:
    """The live views of runs that are over, as long as not too many come after them."""

    def __init__(self) -> None:
        self._widgets: deque[RunWidget] = deque()

    def keep(self, widget: RunWidget) -> None:
        """Keep a live view; what stays in the notebook takes the place of those for which there is no more room."""
        shown = self._widgets
        shown.append(widget)
        while len(shown) > 1 and (len(shown) > _MOST_VIEWS or sum(each.size for each in shown) > _MOST_CALLS):
            shown.popleft().close()

    def close(self) -> None:
        """Let go of every live view."""
        while self._widgets:
            self._widgets.popleft().close()


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
        on_screen: RunsOnScreen,
        on_cancel: Callable[[], None] | None = None,
    ) -> None:
        self._on_screen = on_screen
        self._live = has_front_end(shell)
        self._reader = JournalReader(journal)
        self._on_cancel = on_cancel
        self._tree, self._host = RunTree(), new_host()
        self._widget: RunWidget | None = None
        self._begun_at, self._kept_at = monotonic(), 0.0
        self._kept: dict[str, str] | None = None

    @property
    def begun(self) -> bool:
        """Whether any task was called."""
        self._read()
        return bool(self._tree)

    def update(self) -> None:
        """Show what has changed, once the run has lasted long enough to be watched."""
        if not self._live or monotonic() - self._begun_at < _PATIENCE_SECONDS:
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
        self._read()
        if not self._tree:
            return
        if self._widget:
            self._widget.update(under_way=False)
            self._on_screen.keep(self._widget)
        self._keep(under_way=False)

    def _read(self) -> None:
        self._tree.update(self._reader.changed())

    def _keep(self, *, under_way: bool) -> None:
        bundle = run_bundle(self._tree, self._host, under_way=under_way)
        if bundle != self._kept:
            show(bundle, self._host, update=self._kept is not None)
        self._kept, self._kept_at = bundle, monotonic()


def _widget(tree: RunTree, host: str, on_cancel: Callable[[], None] | None) -> RunWidget:
    from flyte_nb.view.widgets.run import RunWidget

    return RunWidget(tree, host, on_cancel)
