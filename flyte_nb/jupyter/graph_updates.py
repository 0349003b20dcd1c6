"""When graphs on screen are brought up to date: something was defined, has run, or was deployed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from flyte_nb.listeners import Listeners

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.jupyter.cells import CellRuns
    from flyte_nb.jupyter.deployed_states import DeployedStates
    from flyte_nb.jupyter.output import LiveGraphs
    from flyte_nb.session import Session

__all__ = ["GraphUpdates"]


class GraphUpdates:
    """Keeps graphs up to date with the session while the extension is loaded, and lets go of those that are gone."""

    def __init__(
        self,
        shell: InteractiveShell,
        session: Session,
        cells: CellRuns,
        graphs: LiveGraphs,
        deployed: DeployedStates,
    ) -> None:
        self._shell, self._session, self._cells = shell, session, cells
        self._graphs, self._deployed = graphs, deployed
        self._acted = False
        self._ends: list[Callable[[], None]] = []

    def load(self) -> None:
        """Begin to listen."""
        self._ends = [
            self._session.registry.subscribe(lambda _: self._refresh(is_new=True)),
            self._session.runner.watch(self._note),
            self._session.when_deployed(self._note),
            self._cells.when_begun(self._graphs.drop),
        ]
        self._shell.events.register("post_run_cell", self._after)

    def unload(self) -> None:
        """Stop listening, and let go of every graph."""
        self._shell.events.unregister("post_run_cell", self._after)
        while self._ends:
            self._ends.pop()()
        self._graphs.close()

    def _note(self, _what: object) -> None:
        self._acted = True

    def _after(self, _result: object) -> None:
        """Tell of what the cell has run and deployed; what a subshell has done is told when the next cell ends.

        What is deployed may have changed with any name that a task uses, of which the registry knows nothing.
        """
        if threading.current_thread() is threading.main_thread():
            acted, self._acted = self._acted, False
            Listeners[bool](self._refresh).tell(acted)

    def _refresh(self, is_new: bool) -> None:
        """Bring graphs up to date if something is new, or something else is deployed now than was before."""
        if self._graphs.follow and (self._deployed.look() or is_new):
            self._graphs.refresh()
