"""The magics that deploy, run and attach: awaited where the cell can be, and in a thread elsewhere."""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class, needs_local_scope, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from flyte_nb.deployment.applying.apply import Policy
from flyte_nb.deployment.planning.plan import Plan
from flyte_nb.errors import FlyteNbError
from flyte_nb.execution.runner import ON_CLUSTER
from flyte_nb.jupyter.arguments import parsed, target_of
from flyte_nb.jupyter.cancelling import Cancellation
from flyte_nb.jupyter.expressions import run_expression
from flyte_nb.jupyter.interrupts import interruptible
from flyte_nb.jupyter.live import ending, updating
from flyte_nb.jupyter.live_deployment import LiveDeployment
from flyte_nb.jupyter.live_run import LiveRun
from flyte_nb.jupyter.magics.one_line import one_line_errors, usage_error
from flyte_nb.jupyter.output import is_watched
from flyte_nb.jupyter.run_lines import run_line
from flyte_nb.jupyter.threads import run_in_thread
from flyte_nb.jupyter.versions import tell_of_versions
from flyte_nb.session import DEFAULT_CONCURRENCY

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.deployment.applying.status import Deployment
    from flyte_nb.deployment.watching import Watcher
    from flyte_nb.execution.journal import Journal
    from flyte_nb.jupyter.formatters import Formatters
    from flyte_nb.jupyter.on_screen import ViewsOnScreen
    from flyte_nb.jupyter.run_lines import RunLine
    from flyte_nb.session import Session

__all__ = ["ASYNC_MAGICS", "ActingMagics"]

# These are awaited on the kernel's own loop wherever the cell can be.
ASYNC_MAGICS = ("flyte_attach", "flyte_deploy", "flyte_rollback", "flyte_run")


@magics_class
class ActingMagics(Magics):
    """The magics that deploy and run."""

    def __init__(
        self, shell: InteractiveShell, session: Session, formatters: Formatters, on_screen: ViewsOnScreen
    ) -> None:
        super().__init__(shell)
        self._shell, self._on_screen = shell, on_screen
        self._session, self._formatters = session, formatters

    @no_var_expand
    @magic_arguments()
    @argument("names", nargs="*", metavar="NAME", help="only these and what they need; by default all")
    @argument("--target", metavar="T", help="where to deploy: local, which is the default, or flyte")
    @argument("--project", metavar="P", help="the project of the cluster; by default as the Flyte SDK was initialised")
    @argument("--domain", metavar="D", help="the domain of the cluster, likewise")
    @argument("--max-concurrency", type=int, default=DEFAULT_CONCURRENCY, metavar="N", help="how many at once")
    @argument("--timeout", type=float, metavar="SECONDS", help="how long one environment may take; by default any time")
    @argument(
        "--retries", type=int, default=0, metavar="N", help="how often one that fails is tried again; by default 0"
    )
    @argument("--prune", action="store_true", help="remove what was deployed from here and is no longer defined")
    @argument("--plan", metavar="FILE", help="apply a plan that %%flyte_plan --save has saved, if it still holds")
    @argument("--no-wait", action="store_true", help="give up if somebody else deploys to the target, and do not wait")
    @line_magic
    @one_line_errors
    def flyte_deploy(self, line: str) -> Deployment:
        """Deploy environments and all they need, in order; what is unchanged is left alone.

        A failure stops what depends on it and nothing else. `deployment = %flyte_deploy` gives the result as data.
        To stop a deployment, press Cancel, or interrupt the kernel; the next one does what is left.
        """
        __tracebackhide__ = True
        return run_in_thread(lambda: self._deploy(line))

    def _deploy(self, line: str) -> Coroutine[Any, Any, Deployment]:
        __tracebackhide__ = True
        arguments = parsed("%flyte_deploy", self.flyte_deploy, line)
        names, target, prune, saved = _what_to_deploy(arguments)
        policy = _policy(arguments)
        return self._watched(
            lambda view: self._session.deploy(
                names, target, policy, prune=prune, saved=saved, wait=not arguments.no_wait, watcher=view
            ),
            policy,
        )

    @no_var_expand
    @magic_arguments()
    @argument("deployment", metavar="DEPLOYMENT", help="the name that %%flyte_deployments shows: d12")
    @argument("--max-concurrency", type=int, default=DEFAULT_CONCURRENCY, metavar="N", help="how many at once")
    @argument("--timeout", type=float, metavar="SECONDS", help="how long one environment may take; by default any time")
    @argument(
        "--retries", type=int, default=0, metavar="N", help="how often one that fails is tried again; by default 0"
    )
    @argument("--no-wait", action="store_true", help="give up if somebody else deploys to the target, and do not wait")
    @line_magic
    @one_line_errors
    def flyte_rollback(self, line: str) -> Deployment:
        """Bring back the version that each environment of an earlier deployment had when that ended, in order.

        What failed or did not begin then is left alone. `deployment = %flyte_rollback d12` gives the result as data.
        """
        __tracebackhide__ = True
        return run_in_thread(lambda: self._rollback(line))

    def _rollback(self, line: str) -> Coroutine[Any, Any, Deployment]:
        __tracebackhide__ = True
        arguments = parsed("%flyte_rollback", self.flyte_rollback, line)
        name, wait, policy = arguments.deployment, not arguments.no_wait, _policy(arguments)
        return self._watched(lambda view: self._session.rollback(name, policy, wait=wait, watcher=view), policy)

    async def _watched(self, deploy: Callable[[Watcher], Awaitable[Deployment]], policy: Policy) -> Deployment:
        """Show the deployment that `deploy` makes while it goes on; a failure is one line."""
        __tracebackhide__ = True
        cancellation, deployment = Cancellation(), None
        watched = is_watched(self._shell, self._session.settings)
        view = LiveDeployment(
            self._on_screen, cancellation.asker(self._shell), at_once=policy.max_concurrency, watched=watched
        )
        try:
            with updating(view.update):
                deployment = await deploy(view)
            deployment.raise_if_failed()
        except CancelledError:
            cancellation.raise_if_asked("deployment")
            raise
        except FlyteNbError as error:
            raise usage_error(error) from None
        finally:
            ending(lambda: view.end(deployment))
        return self._formatters.shown(deployment)

    @no_var_expand
    @needs_local_scope
    @line_magic
    @one_line_errors
    def flyte_run(self, line: str, local_ns: Mapping[str, Any] | None = None) -> Any:
        """Run a task and show what it calls; gives the task's value.

        Write the call after the magic: `model = %flyte_run train_model(epochs=3)`. Anything that can be awaited will
        do: `%flyte_run asyncio.gather(train_model(1), train_model(2))`. Interrupting the kernel stops the work.

        `%flyte_run train_model(epochs=3) --on local` runs it, and all that it calls, as it was deployed to the local
        target: each environment in a process of its own, with its own packages. `--on inline` runs it in this kernel,
        as it is defined now, which is the default unless `%config FlyteNB.run_on = "local"` was said. `--on flyte` runs
        it on the cluster that the Flyte SDK is connected to, as it was deployed there.
        """
        __tracebackhide__ = True
        said = run_line(line, self._session.runner)
        return run_in_thread(lambda: self._run(said, local_ns or {}))

    @no_var_expand
    @magic_arguments()
    @argument("run", metavar="RUN", help="its name, as %%flyte_runs or the console of the cluster shows it")
    @line_magic
    @one_line_errors
    def flyte_attach(self, line: str) -> Any:
        """Show a run on the cluster that goes on, or has ended, and give its value: `model = %flyte_attach RUN`.

        It does not matter who has begun it: this kernel, one that is gone, or somebody else. Interrupting aborts it.
        """
        __tracebackhide__ = True
        return run_in_thread(lambda: self._attach(line))

    def _attach(self, line: str) -> Coroutine[Any, Any, Any]:
        __tracebackhide__ = True
        run = parsed("%flyte_attach", self.flyte_attach, line).run
        return self._shown(ON_CLUSTER, lambda _: self._session.cluster.followed(run))

    @one_line_errors
    def awaited(self, magic: str, line: str, local: Mapping[str, Any]) -> Coroutine[Any, Any, Any]:
        """Serve an async magic in a cell that is awaited.

        Args:
            magic: One of ASYNC_MAGICS.
            line: What follows it.
            local: The local variables where it stands.
        """
        if magic == "flyte_deploy":
            return interruptible(self._deploy(line))
        if magic == "flyte_rollback":
            return interruptible(self._rollback(line))
        if magic == "flyte_attach":
            return interruptible(self._attach(line))
        return interruptible(self._run(run_line(line, self._session.runner), local))

    def _run(self, said: RunLine, local: Mapping[str, Any]) -> Coroutine[Any, Any, Any]:
        __tracebackhide__ = True
        names, runner = self._shell.user_ns, self._session.runner
        return self._shown(said.on, lambda journal: run_expression(said.expression, names, local, runner, journal))

    async def _shown(self, on: str | None, work: Callable[[Journal], Awaitable[Any]]) -> Any:
        """Show what `work` calls while it goes on, and return what it gives.

        Args:
            on: The name of the place where it runs.
            work: Runs something; its calls are noted in the journal.
        """
        __tracebackhide__ = True
        runner, cancellation, view = self._session.runner, Cancellation(), None
        try:
            self._session.sdk_cells.take()
            with runner.collecting(on) as journal:
                tell_of_versions(self._session)
                watched = is_watched(self._shell, self._session.settings)
                cancel, usual = cancellation.asker(self._shell), self._session.history.usual_seconds
                view = LiveRun(journal, self._on_screen, cancel, usual, watched=watched)
                with updating(view.update), cancellation.before_calls():
                    return await work(journal)
        except CancelledError:
            cancellation.raise_if_asked("run")
            raise
        except FlyteNbError as error:
            if view and view.begun:
                raise  # a task's own, with its traceback
            raise usage_error(error) from None
        finally:
            ending(view.end if view else lambda: None)


def _policy(arguments: Namespace) -> Policy:
    return Policy(arguments.max_concurrency, arguments.timeout, arguments.retries)


def _what_to_deploy(arguments: Namespace) -> tuple[list[str], str, bool, Plan | None]:
    """Return names, target, whether to prune, and the saved plan, which says the rest if there is one."""
    if not arguments.plan:
        return arguments.names, target_of(arguments), arguments.prune, None
    if arguments.names or arguments.target or arguments.project or arguments.domain or arguments.prune:
        raise UsageError(f"--plan {arguments.plan} says what is deployed: leave out names, --target and --prune.")
    saved = Plan.load(arguments.plan)
    return list(saved.names), saved.target, saved.prune, saved
