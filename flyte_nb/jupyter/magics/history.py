"""%flyte_runs, %flyte_logs and %flyte_deployments: what was run and deployed, now and in earlier sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from flyte_nb.execution.history.records import lines_of
from flyte_nb.functions import deployments, runs
from flyte_nb.jupyter.arguments import parsed
from flyte_nb.jupyter.magics.one_line import one_line_errors
from flyte_nb.jupyter.output import show_table
from flyte_nb.view.history import logs_table

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.deployment.keeping.recorded import RecordedDeployment, RecordedDeployments
    from flyte_nb.execution.history.records import RecordedRuns
    from flyte_nb.jupyter.formatters import Formatters
    from flyte_nb.session import Session

__all__ = ["RecordedRunsMagics"]


@magics_class
class RecordedRunsMagics(Magics):
    """The magics that look back. Shells know magics by the name of their class, and IPython has HistoryMagics."""

    def __init__(self, shell: InteractiveShell, session: Session, formatters: Formatters) -> None:
        super().__init__(shell)
        self._session, self._formatters = session, formatters

    @no_var_expand
    @magic_arguments()
    @argument("task", nargs="?", metavar="TASK", help="only this task: its full name, its function or its environment")
    @argument("--state", nargs="+", action="extend", metavar="S", help="only in these states: failed lost 'timed out'")
    @argument("--since", metavar="AGE", help="only those that began since then: 90s, 30m, 2h, 7d")
    @argument("--limit", type=int, default=20, metavar="N", help="how many at most; by default 20")
    @argument("--on", metavar="PLACE", help="only those that ran there: inline, local, flyte")
    @line_magic
    @one_line_errors
    def flyte_runs(self, line: str) -> RecordedRuns:
        """Show the runs of this session and of earlier ones, the newest first.

        `runs = %flyte_runs` gives them as data: each has .tree and .logs. %flyte_logs shows what one has printed.
        """
        arguments = parsed("%flyte_runs", self.flyte_runs, line)
        found = runs(
            arguments.task, state=arguments.state, since=arguments.since, limit=arguments.limit, on=arguments.on
        )
        self._formatters.show(found)
        return self._formatters.shown(found)

    @no_var_expand
    @magic_arguments()
    @argument("run", nargs="?", metavar="RUN", help="the name that %%flyte_runs shows; by default the latest run")
    @argument("--task", metavar="TASK", help="only this task: its full name, its function or its environment")
    @argument("--stream", metavar="S", help="only this stream: stdout, stderr, display, or a level: WARNING")
    @line_magic
    @one_line_errors
    def flyte_logs(self, line: str) -> None:
        """Show what the calls of a run have printed, logged and displayed; while it goes on, what there is so far.

        `flyte_nb.runs()[0].logs` gives all of it as data.
        """
        arguments = parsed("%flyte_logs", self.flyte_logs, line)
        run = self._session.history.run(arguments.run)
        show_table(logs_table(run, lines_of(run, arguments.task, arguments.stream)), whole=True)

    @no_var_expand
    @magic_arguments()
    @argument("deployment", nargs="?", metavar="DEPLOYMENT", help="show this one: its environments and its log")
    @argument("--target", metavar="T", help="only those to this target")
    @argument("--limit", type=int, default=20, metavar="N", help="how many at most; by default 20")
    @line_magic
    @one_line_errors
    def flyte_deployments(self, line: str) -> RecordedDeployments | RecordedDeployment:
        """Show the deployments of this session and of earlier ones, the newest first; or one of them.

        `deployments = %flyte_deployments` gives them as data: each has .environments, .logs and .plan.
        """
        arguments = parsed("%flyte_deployments", self.flyte_deployments, line)
        found: RecordedDeployments | RecordedDeployment
        if arguments.deployment:
            found = self._session.past_deployments.deployment(arguments.deployment)
        else:
            found = deployments(target=arguments.target, limit=arguments.limit)
        self._formatters.show(found)
        return self._formatters.shown(found)
