"""%flyte_deploy, %flyte_rollback and %flyte_run: awaited where the cell can be, and in a thread elsewhere."""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class, needs_local_scope, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from flyte_nb.deployment.apply import Policy
from flyte_nb.errors import FlyteNbError
from flyte_nb.jupyter.arguments import parsed
from flyte_nb.jupyter.cancelling import Cancellation
from flyte_nb.jupyter.expressions import check_expression, run_expression
from flyte_nb.jupyter.interrupts import interruptible
from flyte_nb.jupyter.live import updating, updating_from_a_thread
from flyte_nb.jupyter.live_deployment import LiveDeployment
from flyte_nb.jupyter.live_run import LiveRun
from flyte_nb.jupyter.magics.one_line import one_line_errors, one_line_errors_awaited
from flyte_nb.jupyter.threads import run_in_thread
from flyte_nb.session import DEFAULT_CONCURRENCY

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.deployment.status import Deployment
    from flyte_nb.deployment.watching import Watcher
    from flyte_nb.jupyter.formatters import Formatters
    from flyte_nb.jupyter.live_run import RunsOnScreen
    from flyte_nb.session import Session

__all__ = ["ASYNC_MAGICS", "ActingMagics"]

# These are awaited on the kernel's own loop wherever the cell can be.
ASYNC_MAGICS = ("flyte_deploy", "flyte_rollback", "flyte_run")


@magics_class
class ActingMagics(Magics):
    """The magics that deploy and run."""

    def __init__(
        self, shell: InteractiveShell, session: Session, formatters: Formatters, on_screen: RunsOnScreen
    ) -> None:
        super().__init__(shell)
        self._shell, self._on_screen = shell, on_screen
        self._session, self._formatters = session, formatters

    @no_var_expand
    @magic_arguments()
    @argument("names", nargs="*", metavar="NAME", help="only these and what they need; by default all")
    @argument("--target", default="local", help="where to deploy: local")
    @argument("--max-concurrency", type=int, default=DEFAULT_CONCURRENCY, metavar="N", help="how many at once")
    @line_magic
    @one_line_errors
    def flyte_deploy(self, line: str) -> Deployment:
        """Deploy environments and all they need, in order; what is unchanged is left alone.

        A failure stops what depends on it and nothing else. `deployment = %flyte_deploy` gives the result as data.
        """
        __tracebackhide__ = True
        arguments = parsed("%flyte_deploy", self.flyte_deploy, line)
        return run_in_thread(lambda: self._deploy(arguments))

    @one_line_errors_awaited
    async def _deploy(self, arguments: Namespace) -> Deployment:
        __tracebackhide__ = True
        policy = Policy(arguments.max_concurrency)
        return await self._watched(
            lambda view: self._session.deploy(arguments.names, arguments.target, policy, watcher=view)
        )

    @no_var_expand
    @magic_arguments()
    @argument("deployment", metavar="DEPLOYMENT", help="the name that %%flyte_deployments shows: d12")
    @argument("--max-concurrency", type=int, default=DEFAULT_CONCURRENCY, metavar="N", help="how many at once")
    @argument("--no-wait", action="store_true", help="end at once if another kernel deploys to the target")
    @line_magic
    @one_line_errors
    def flyte_rollback(self, line: str) -> Deployment:
        """Bring back the version that each environment of an earlier deployment had when that ended, in order.

        What failed or did not begin then is left alone. `deployment = %flyte_rollback d12` gives the result as data.
        """
        __tracebackhide__ = True
        arguments = parsed("%flyte_rollback", self.flyte_rollback, line)
        return run_in_thread(lambda: self._rollback(arguments))

    @one_line_errors_awaited
    async def _rollback(self, arguments: Namespace) -> Deployment:
        __tracebackhide__ = True
        name, wait = arguments.deployment, not arguments.no_wait
        policy = Policy(arguments.max_concurrency)
        return await self._watched(lambda view: self._session.rollback(name, policy, wait=wait, watcher=view))

    async def _watched(self, deploy: Callable[[Watcher], Awaitable[Deployment]]) -> Deployment:
        """Show the deployment that `deploy` makes while it goes on."""
        __tracebackhide__ = True
        view = LiveDeployment(self._shell)
        try:
            async with updating(view.update):
                deployment = await deploy(view)
            deployment.raise_if_failed()
        finally:
            view.end()
        return self._formatters.shown(deployment)

    @no_var_expand
    @needs_local_scope
    @line_magic
    @one_line_errors
    def flyte_run(self, line: str, local_ns: Mapping[str, Any] | None = None) -> Any:
        """Run a task and show what it calls; gives the task's value.

        Write the call after the magic: `model = %flyte_run train_model(epochs=3)`. Anything that can be awaited will
        do: `%flyte_run asyncio.gather(train_model(1), train_model(2))`. Interrupting the kernel stops the work.
        """
        __tracebackhide__ = True
        expression = check_expression(line)
        return run_in_thread(lambda: self._run(expression, local_ns or {}))

    @one_line_errors
    def awaited(self, magic: str, line: str, local: Mapping[str, Any]) -> Coroutine[Any, Any, Any]:
        """Serve an async magic in a cell that is awaited.

        Args:
            magic: One of ASYNC_MAGICS.
            line: What follows it.
            local: The local variables where it stands.
        """
        if magic == "flyte_deploy":
            return interruptible(self._deploy(parsed("%flyte_deploy", self.flyte_deploy, line)))
        if magic == "flyte_rollback":
            return interruptible(self._rollback(parsed("%flyte_rollback", self.flyte_rollback, line)))
        return interruptible(self._run(check_expression(line), local))

    async def _run(self, expression: str, local: Mapping[str, Any]) -> Any:
        __tracebackhide__ = True
        runner, cancellation = self._session.runner, Cancellation()
        with runner.collecting() as journal:
            view = LiveRun(self._shell, journal, self._on_screen, cancellation.asker(self._shell))
            try:
                with updating_from_a_thread(view.update):
                    return await run_expression(expression, self._shell.user_ns, local, runner, journal)
            except CancelledError:
                cancellation.raise_if_asked()
                raise
            except FlyteNbError as error:
                if view.begun:
                    raise  # a task's own, with its traceback
                raise UsageError(str(error)) from None
            finally:
                view.end()
