"""A run on screen: the tree of its calls while it goes on, and what stays of it in the notebook."""

from __future__ import annotations

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

__all__ = ["LiveRun"]

# A run that is over sooner shows its end alone.
_PATIENCE_SECONDS = 0.2


class LiveRun:
    """The tree of calls of a run; a terminal shows only its end."""

    def __init__(self, shell: InteractiveShell, journal: Journal, on_cancel: Callable[[], None] | None = None) -> None:
        self._live = has_front_end(shell)
        self._journal, self._reader = journal, JournalReader(journal)
        self._on_cancel = on_cancel
        self._tree, self._host = RunTree(), new_host()
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
        if self._tree and monotonic() - self._kept_at > KEEP_SECONDS:
            self._keep(under_way=True)

    def end(self) -> None:
        """Leave the final state in the notebook."""
        self._read()
        if self._tree:
            self._keep(under_way=False)

    def _read(self) -> None:
        self._tree.update(self._reader.changed())

    def _keep(self, *, under_way: bool) -> None:
        bundle = run_bundle(self._tree, self._host, under_way=under_way)
        if bundle != self._kept:
            show(bundle, self._host, update=self._kept is not None)
        self._kept, self._kept_at = bundle, monotonic()
