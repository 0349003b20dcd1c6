"""A deployment on screen: what follows it while it goes on, and what stays of it in the notebook."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from flyte_nb.jupyter.live import KEEP_SECONDS
from flyte_nb.jupyter.output import has_front_end, show
from flyte_nb.view.deployment_progress import DeploymentProgress
from flyte_nb.view.deployment_still import deployment_bundle, waiting_bundle
from flyte_nb.view.still import new_host

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.deployment.applying.status import Deployment, EnvironmentStatus
    from flyte_nb.deployment.planning.plan import Plan
    from flyte_nb.jupyter.on_screen import ViewsOnScreen
    from flyte_nb.view.widgets.deployment import DeploymentWidget

__all__ = ["LiveDeployment"]

# A deployment that is over sooner has no live view.
_PATIENCE_SECONDS = 0.2
# How much longer than an update the pause after it is at least: it stands in the way of what deploys.
_REST = 9


class LiveDeployment:
    """Watches a deployment: live where there is a front end; a terminal shows only its end.

    Args:
        shell: Where it is shown.
        on_screen: Keeps its live view when it is over.
        on_cancel: What the Cancel button does; without it there is none.
        at_once: How many environments are deployed at once, if that is known.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        on_screen: ViewsOnScreen,
        on_cancel: Callable[[], None] | None = None,
        at_once: int | None = None,
    ) -> None:
        self._live, self._on_screen = has_front_end(shell), on_screen
        self._on_cancel, self._at_once = on_cancel, at_once
        self._host = new_host()
        self._progress: DeploymentProgress | None = None
        self._widget: DeploymentWidget | None = None
        self._begun_at, self._kept_at, self._resting_until = 0.0, 0.0, 0.0
        self._kept: dict[str, str] | None = None

    # What it is told: see Watcher

    def waiting(self, holder: str) -> None:
        """Say who deploys already; nothing else tells why nothing happens, not even in a terminal."""
        line = f"Waiting: {holder.rstrip('.')}. Interrupt the kernel (■) to wait no longer."
        self._replace(waiting_bundle(line, self._host))

    def begun(self, plan: Plan, name: str) -> None:
        """Take a place in the output, before anything else is printed."""
        self._progress, self._begun_at = DeploymentProgress(plan, name, self._at_once), monotonic()
        if self._live:
            self._keep()

    def changed(self, status: EnvironmentStatus) -> None:
        """Take a change of status into account; it is shown by the next `update`."""
        if self._progress:
            self._progress.note(status)

    def said(self, environment: str, line: str) -> None:
        """Take what an environment has to say into account; it is shown by the next `update`."""
        if self._progress:
            self._progress.say(environment, line)

    # What it shows

    def update(self) -> None:
        """Show what has changed, once the deployment has lasted long enough to be watched."""
        began = monotonic()
        if not (self._live and self._progress) or began < max(self._begun_at + _PATIENCE_SECONDS, self._resting_until):
            return
        if self._widget is None:
            self._widget = _widget(self._progress, self._host, self._on_cancel)
        else:
            self._widget.update()
        if began > self._kept_at + KEEP_SECONDS:
            self._keep()
        self._resting_until = monotonic() + _REST * (monotonic() - began)

    def end(self, deployment: Deployment | None) -> None:
        """Leave the final state in the notebook.

        Args:
            deployment: What became of it; None if it was cancelled or could not go on.
        """
        if self._progress is None:
            if self._kept:
                self._replace(waiting_bundle("Nothing was deployed.", self._host))
            return  # refused before anything was shown
        self._progress.end(deployment.duration if deployment else None)
        if self._widget:
            self._widget.update()
            self._on_screen.keep(self._widget)
        self._keep()

    def _note(self) -> str:
        """Return what a reader has to know who finds the notebook as it is now."""
        seconds = monotonic() - self._begun_at
        if seconds <= 1 or (self._progress and self._progress.ended):
            return ""
        return f"As it stood after {seconds:.0f} s. The deployment goes on, or its kernel has ended."

    def _keep(self) -> None:
        if self._progress:
            self._replace(deployment_bundle(self._progress, self._host, self._note()))
            self._kept_at = monotonic()

    def _replace(self, bundle: dict[str, str]) -> None:
        if bundle != self._kept:
            show(bundle, self._host, update=self._kept is not None)
        self._kept = bundle


def _widget(progress: DeploymentProgress, host: str, on_cancel: Callable[[], None] | None) -> DeploymentWidget:
    from flyte_nb.view.widgets.deployment import DeploymentWidget

    return DeploymentWidget(progress, host, on_cancel)
