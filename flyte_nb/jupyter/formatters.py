"""How the objects of the public surface look when a cell ends with one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from flyte_nb.definitions.registry import Environments
from flyte_nb.deployment.applying.status import Deployment
from flyte_nb.deployment.keeping.recorded import RecordedDeployment, RecordedDeployments
from flyte_nb.deployment.planning.plan import Plan
from flyte_nb.execution.history.records import RecordedRun, RecordedRuns
from flyte_nb.execution.node import Run
from flyte_nb.jupyter.output import GraphOutput, is_watched, show, show_table
from flyte_nb.model import TaskEnvironment
from flyte_nb.view.deployments import deployment_table
from flyte_nb.view.environments import environment_table, environments_table
from flyte_nb.view.history import runs_table
from flyte_nb.view.past_deployments import deployments_table, past_deployment_table, said_table
from flyte_nb.view.plans import changes_details, plan_picture, plan_table, source_diffs_html
from flyte_nb.view.run_still import run_bundle
from flyte_nb.view.run_tree import finished_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.jupyter.cells import CellRuns
    from flyte_nb.jupyter.output import LiveGraphs
    from flyte_nb.session import Session

__all__ = ["Formatters"]

T = TypeVar("T")


class Formatters:
    """Shows plans, deployments, runs and environments as tables and pictures while the extension is loaded."""

    def __init__(self, shell: InteractiveShell, session: Session, cells: CellRuns, graphs: LiveGraphs) -> None:
        self._shell, self._session, self._cells, self._graphs = shell, session, cells, graphs
        self._already_shown: tuple[Any, int] | None = None
        self._formatter: Any = shell.display_formatter and shell.display_formatter.ipython_display_formatter
        self._showers: dict[type, Callable[[Any], None]] = {
            Plan: self._plan,
            Deployment: self._deployment,
            RecordedDeployment: self._past_deployment,
            RecordedDeployments: self._past_deployments,
            Run: self._run,
            RecordedRun: self._run,
            RecordedRuns: self._runs,
            TaskEnvironment: self._environment,
            Environments: self._environments,
        }

    def load(self) -> None:
        """Register with the shell."""
        for kind, shower in self._showers.items():
            self._formatter.for_type(kind, shower)

    def unload(self) -> None:
        """Take back what `load` registered."""
        for kind in self._showers:
            self._formatter.pop(kind, None)

    def show(self, value: object) -> None:
        """Display `value` as a cell that ends with it would."""
        self._showers[type(value)](value)

    def shown(self, value: T) -> T:
        """Return `value`, which a magic has displayed: as the value of its cell it is not displayed again."""
        self._already_shown = (value, self._shell.execution_count)
        return value

    def _is_new(self, value: Any) -> bool:
        before, self._already_shown = self._already_shown, None
        return before is None or before[0] is not value or before[1] != self._shell.execution_count

    def _plan(self, plan: Plan) -> None:
        if self._is_new(plan):
            watched = is_watched(self._shell, self._session.settings)
            steps = {step.name: step for step in plan.steps}
            output = GraphOutput(
                plan_picture(plan),
                plan_table(plan),
                source_diffs_html(plan),
                about=lambda name: changes_details(steps[name]),
                watched=watched,
            )
            if watched:
                self._graphs.add(self._cells.running_cell, output)

    def _deployment(self, deployment: Deployment) -> None:
        if self._is_new(deployment):
            known = (deployment.name, deployment.duration)
            show_table(deployment_table(deployment.target, deployment.environments, *known))

    def _past_deployment(self, deployment: RecordedDeployment) -> None:
        if self._is_new(deployment):
            show_table(past_deployment_table(deployment, deployment.environments))
            show_table(said_table(deployment, deployment.logs), whole=True)

    def _past_deployments(self, deployments: RecordedDeployments) -> None:
        if self._is_new(deployments):
            show_table(deployments_table(deployments))

    def _run(self, run: Run[Any] | RecordedRun) -> None:
        known = run.state if isinstance(run, RecordedRun) and run.ended else None
        show(run_bundle(finished_tree(run.tree, run.logs, known)))

    def _runs(self, runs: RecordedRuns) -> None:
        if self._is_new(runs):
            show_table(runs_table(runs))

    def _environment(self, environment: TaskEnvironment) -> None:
        registry = self._session.registry
        table = environment_table(environment, registry.dependents(environment.name), registry.edges)
        show_table(table, whole=True)

    def _environments(self, environments: Environments) -> None:
        show_table(environments_table(list(environments.values())))
