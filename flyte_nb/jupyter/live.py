"""Progress on screen: views that listen while work goes on, and leave the final state in the notebook."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING

from flyte_nb.deployment.status import EnvironmentStatus, State
from flyte_nb.execution.journal import JournalReader
from flyte_nb.jupyter.output import GraphOutput, has_front_end, show
from flyte_nb.view.deployments import deployment_table, plan_picture
from flyte_nb.view.runs import tree_text
from flyte_nb.view.still import new_host

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.deployment.plan import Plan
    from flyte_nb.execution.journal import Journal
    from flyte_nb.execution.node import Node
    from flyte_nb.view.table import Table

__all__ = ["LiveDeployment", "LiveRun", "updating"]

_UPDATE_SECONDS = 0.1
# Drawing the still picture costs more than telling the live view, and only front ends without the latter need it.
_KEEP_SECONDS = 1.0


@asynccontextmanager
async def updating(update: Callable[[], None]) -> AsyncIterator[None]:
    """Call `update` at most ten times a second while the body runs, and once after it."""

    async def repeat() -> None:
        while True:
            await asyncio.sleep(_UPDATE_SECONDS)
            update()

    ticker = asyncio.ensure_future(repeat())
    try:
        yield
    finally:
        ticker.cancel()
        update()


class LiveDeployment:
    """The graph of a deployment with the state of each environment, and a table of what became of them."""

    def __init__(self, shell: InteractiveShell, target: str) -> None:
        self._shell, self._target = shell, target
        self._statuses: dict[str, EnvironmentStatus] = {}
        self._changed: dict[str, str] = {}
        self._plan: Plan | None = None
        self._output: GraphOutput | None = None
        self._kept_at = 0.0

    def begin(self, plan: Plan) -> None:
        """Show `plan` with nothing done yet; a terminal shows only the end."""
        self._plan, self._kept_at = plan, monotonic()
        self._statuses = {name: EnvironmentStatus(name, State.PENDING) for name in plan.order}
        if has_front_end(self._shell):
            self._output = self._draw(plan)

    def note(self, status: EnvironmentStatus) -> None:
        """Take a change of status into account; it is shown by the next `update`."""
        self._statuses[status.name] = status
        self._changed[status.name] = status.state.value

    def update(self) -> None:
        """Show what has changed since the last update."""
        if not (self._output and self._changed):
            return
        self._output.set_states(self._changed)
        self._changed = {}
        if monotonic() - self._kept_at > _KEEP_SECONDS:
            self._output.keep(self._table())
            self._kept_at = monotonic()

    def end(self) -> None:
        """Leave the final state in the notebook."""
        if self._plan is None:
            return  # refused before anything was shown
        self.update()
        if self._output:
            self._output.keep(self._table())
        else:
            self._draw(self._plan)

    def _draw(self, plan: Plan) -> GraphOutput:
        states = {name: status.state.value for name, status in self._statuses.items()}
        return GraphOutput(self._shell, plan_picture(plan, states), self._table())

    def _table(self) -> Table:
        return deployment_table(self._target, list(self._statuses.values()))


class LiveRun:
    """The tree of calls of a run as text."""

    def __init__(self, shell: InteractiveShell, journal: Journal) -> None:
        self._live = has_front_end(shell)
        self._display_id = new_host()
        self._reader = JournalReader(journal)
        self._nodes: dict[int, Node] = {}
        self._shown = False

    @property
    def begun(self) -> bool:
        """Whether any task was called."""
        self._read()
        return bool(self._nodes)

    def _read(self) -> bool:
        changed = self._reader.changed()
        self._nodes.update((call.id, call.node()) for call in changed)
        return bool(changed)

    def update(self) -> None:
        """Show the tree if it has changed and the front end can replace it."""
        if self._live and self._read():
            self._show()

    def end(self) -> None:
        """Leave the final tree in the notebook."""
        changed = self._read()
        if self._nodes and (changed or not self._shown):
            self._show()

    def _show(self) -> None:
        text = tree_text(sorted(self._nodes.values(), key=lambda node: node.id))
        show({"text/plain": text}, self._display_id, update=self._shown)
        self._shown = True
