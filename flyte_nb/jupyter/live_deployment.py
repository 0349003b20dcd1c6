"""A deployment on screen: what follows it while it goes on, and what stays of it in the notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.jupyter.live import Live
from flyte_nb.view.deployment_progress import DeploymentProgress
from flyte_nb.view.deployment_still import deployment_bundle, waiting_bundle

if TYPE_CHECKING:
    from collections.abc import Callable

    from flyte_nb.deployment.applying.status import Deployment, EnvironmentStatus
    from flyte_nb.deployment.planning.plan import Plan
    from flyte_nb.jupyter.on_screen import ViewsOnScreen
    from flyte_nb.view.widgets.deployment import DeploymentWidget

__all__ = ["LiveDeployment"]


class LiveDeployment(Live["DeploymentWidget"]):
    """Watches a deployment.

    Args:
        on_screen: Keeps its live view when it is over.
        on_cancel: What the Cancel button does; without it there is none.
        at_once: How many environments are deployed at once, if that is known.
        watched: Whether it is shown while it goes on; otherwise only its end is.
    """

    def __init__(
        self,
        on_screen: ViewsOnScreen,
        on_cancel: Callable[[], None] | None = None,
        at_once: int | None = None,
        *,
        watched: bool,
    ) -> None:
        super().__init__(on_screen, "deployment", watched=watched)
        self._on_cancel, self._at_once = on_cancel, at_once
        self._progress: DeploymentProgress | None = None

    # What it is told: see Watcher

    def waiting(self, holder: str) -> None:
        """Say who deploys already; nothing else tells why nothing happens, not even in a terminal."""
        line = f"Waiting: {holder.rstrip('.')}. Interrupt the kernel (■) to wait no longer."
        self._output.show(waiting_bundle(line, self._output.host))

    def begun(self, plan: Plan, name: str) -> None:
        """Take a place in the output, before anything else is printed."""
        with self._lock:
            self._progress = DeploymentProgress(plan, name, self._at_once)
            self._take_place()

    def changed(self, status: EnvironmentStatus) -> None:
        """Take a change of status into account; it is shown by the next `update`."""
        with self._lock:
            if self._progress:
                self._progress.note(status)

    def said(self, environment: str, line: str) -> None:
        """Take what an environment has to say into account; it is shown by the next `update`."""
        with self._lock:
            if self._progress:
                self._progress.say(environment, line)

    def end(self, deployment: Deployment | None) -> None:
        """Leave the final state in the notebook.

        Args:
            deployment: What became of it; None if it was cancelled or could not go on.
        """
        if self._progress:
            self._progress.end(deployment.duration if deployment else None)
        elif self._output.shown:
            self._output.show(waiting_bundle("Nothing was deployed.", self._output.host))
        self._finish()  # of what was refused before anything was shown, there is nothing to leave

    # What it shows

    def _read(self) -> bool:
        return self._progress is not None

    def _bundle(self, note: str) -> dict[str, str]:
        return deployment_bundle(self._known, self._output.host, note)

    def _new_widget(self) -> DeploymentWidget:
        from flyte_nb.view.widgets.deployment import DeploymentWidget

        return DeploymentWidget(self._known, self._output.host, self._on_cancel)

    @property
    def _known(self) -> DeploymentProgress:
        assert self._progress  # noqa: S101 - `_read` has said so
        return self._progress
