"""%flyte_envs, %flyte_graph and %flyte_plan: look, and change nothing."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from flyte_nb.definitions.registry import Environments
from flyte_nb.errors import FlyteNbError
from flyte_nb.jupyter.arguments import parsed, target_of
from flyte_nb.jupyter.magics.one_line import one_line_errors
from flyte_nb.jupyter.output import GraphOutput, is_watched
from flyte_nb.session import DEFAULT_CONCURRENCY
from flyte_nb.view.calls import with_calls
from flyte_nb.view.environments import environments_picture
from flyte_nb.view.standing import standing_details

if TYPE_CHECKING:
    from collections.abc import Sequence

    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.deployment.planning.plan import Plan
    from flyte_nb.jupyter.cells import CellRuns
    from flyte_nb.jupyter.deployed_states import DeployedStates
    from flyte_nb.jupyter.formatters import Formatters
    from flyte_nb.jupyter.output import LiveGraphs
    from flyte_nb.session import Session
    from flyte_nb.view.picture import Picture

__all__ = ["ShowingMagics"]


@magics_class
class ShowingMagics(Magics):
    """The magics that show what is defined and what a deployment would do."""

    def __init__(
        self,
        shell: InteractiveShell,
        session: Session,
        cells: CellRuns,
        graphs: LiveGraphs,
        deployed: DeployedStates,
        formatters: Formatters,
    ) -> None:
        super().__init__(shell)
        self._shell = shell
        self._session, self._cells, self._formatters = session, cells, formatters
        self._graphs, self._deployed = graphs, deployed

    @no_var_expand
    @magic_arguments()
    @line_magic
    @one_line_errors
    def flyte_envs(self, line: str) -> None:
        """Show every environment of the session."""
        parsed("%flyte_envs", self.flyte_envs, line)
        self._session.sdk_cells.take()
        self._formatters.show(Environments(self._session.registry))

    @no_var_expand
    @magic_arguments()
    @argument("names", nargs="*", metavar="NAME", help="only these and what they need; by default all")
    @argument("--calls", action="store_true", help="and which environments have called which while they ran")
    @line_magic
    @one_line_errors
    def flyte_graph(self, line: str) -> None:
        """Show the dependency graph. It follows the session: redefine an environment and it is drawn again."""
        arguments = parsed("%flyte_graph", self.flyte_graph, line)
        self._session.select(arguments.names)  # an unknown name is refused, later only left out
        if self._deployed.look():
            self._graphs.refresh()

        def current() -> Picture:
            return self._picture(arguments.names)

        watched = is_watched(self._shell, self._session.settings)
        output = GraphOutput(
            current(), about=self._about, with_calls=self._with_calls, calls=arguments.calls, watched=watched
        )
        if watched:
            self._graphs.add(self._cells.running_cell, output, current)

    def _with_calls(self, picture: Picture) -> Picture:
        """Lay the calls of the last runs over a picture; one that is drawn again has no place for a traceback."""
        try:
            return with_calls(picture, *self._session.history.calls())
        except FlyteNbError as error:
            return replace(picture, note=str(error))

    def _about(self, name: str) -> Sequence[tuple[str, str]]:
        """Tell where an environment stands; a view has no place for a traceback."""
        try:
            return standing_details(self._session.standing(name))
        except FlyteNbError as error:
            return (("last deployment", str(error)),)

    def _picture(self, names: list[str]) -> Picture:
        registry = self._session.registry
        still_there = [name for name in names if registry.spec(name)]
        selected = self._session.select(still_there) if still_there or not names else []
        environments = Environments(registry)
        return environments_picture([environments[name] for name in selected], self._deployed.same)

    @no_var_expand
    @magic_arguments()
    @argument("names", nargs="*", metavar="NAME", help="only these and what they need; by default all")
    @argument("--target", metavar="T", help="where to deploy: local, which is the default, or flyte")
    @argument("--project", metavar="P", help="the project of the cluster; by default as the Flyte SDK was initialised")
    @argument("--domain", metavar="D", help="the domain of the cluster, likewise")
    @argument("--prune", action="store_true", help="remove what was deployed from here and is no longer defined")
    @argument("--save", metavar="FILE", help="keep the plan in a file, for %%flyte_deploy --plan FILE")
    @line_magic
    @one_line_errors
    def flyte_plan(self, line: str) -> Plan:
        """Show what %flyte_deploy would do, and in which order."""
        arguments = parsed("%flyte_plan", self.flyte_plan, line)
        target, at_once = self._session.target(target_of(arguments)), DEFAULT_CONCURRENCY
        plan, _, _ = self._session.plan(arguments.names, target, prune=arguments.prune, max_concurrency=at_once)
        self._formatters.show(plan)
        if arguments.save:
            plan.raise_if_blocked()
            plan.save(arguments.save)
            print(f"saved; apply it with: %flyte_deploy --plan {shlex.quote(arguments.save)}")  # noqa: T201
        return self._formatters.shown(plan)
