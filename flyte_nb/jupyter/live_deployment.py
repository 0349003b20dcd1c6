"""A deployment on screen: the graph that follows it while it goes on, and what became of it."""

from __future__ import annotations

import sys
from time import monotonic
from typing import TYPE_CHECKING

from flyte_nb.deployment.status import EnvironmentStatus, State
from flyte_nb.jupyter.live import KEEP_SECONDS
from flyte_nb.jupyter.output import GraphOutput, has_front_end
from flyte_nb.view.deployments import deployment_table, plan_picture

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.deployment.plan import Plan
    from flyte_nb.view.table import Table

__all__ = ["LiveDeployment"]


class LiveDeployment:
    """The graph of a deployment with the state of each environment, and a table of what became of them."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._statuses: dict[str, EnvironmentStatus] = {}
        self._changed: dict[str, str] = {}
        self._plan: Plan | None = None
        self._output: GraphOutput | None = None
        self._kept_at = 0.0

    def waiting(self, holder: str) -> None:
        """Say who deploys to the target."""
        print(f"Waiting: {holder}.", file=sys.stderr)  # noqa: T201 - a notice of the cell

    def begun(self, plan: Plan, name: str) -> None:
        """Show `plan` with nothing done yet; a terminal shows only the end."""
        self._plan, self._kept_at = plan, monotonic()
        self._statuses = {name: EnvironmentStatus(name, State.PENDING) for name in plan.order}
        if has_front_end(self._shell):
            self._output = self._draw(plan)

    def changed(self, status: EnvironmentStatus) -> None:
        """Take a change of status into account; it is shown by the next `update`."""
        self._statuses[status.name] = status
        self._changed[status.name] = status.state.value

    def said(self, environment: str, line: str) -> None:
        """Leave what is said to the history."""

    def update(self) -> None:
        """Show what has changed since the last update."""
        if not (self._plan and self._output and self._changed):
            return
        self._output.set_states(self._changed)
        self._changed = {}
        if monotonic() - self._kept_at > KEEP_SECONDS:
            self._output.keep(self._table(self._plan))
            self._kept_at = monotonic()

    def end(self) -> None:
        """Leave the final state in the notebook."""
        if self._plan is None:
            return  # refused before anything was shown
        self.update()
        if self._output:
            self._output.keep(self._table(self._plan))
        else:
            self._draw(self._plan)

    def _draw(self, plan: Plan) -> GraphOutput:
        states = {name: status.state.value for name, status in self._statuses.items()}
        return GraphOutput(self._shell, plan_picture(plan, states), self._table(plan))

    def _table(self, plan: Plan) -> Table:
        return deployment_table(plan.target, list(self._statuses.values()))
