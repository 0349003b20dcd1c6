"""The live view of a deployment: the graph with a head, clocks, and what each environment has said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import Dict, Unicode, observe

from flyte_nb.deployment.applying.status import State
from flyte_nb.view.clock import clock_text
from flyte_nb.view.deployment_still import deployment_bundle
from flyte_nb.view.deployments import deployment_picture
from flyte_nb.view.escape import inert
from flyte_nb.view.widgets.graph import GraphWidget
from flyte_nb.view.widgets.hosting import module, style
from flyte_nb.view.widgets.tail import newer_lines, no_tail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from flyte_nb.deployment.applying.status import EnvironmentStatus
    from flyte_nb.view.deployment_progress import DeploymentProgress

__all__ = ["DeploymentWidget"]

_LONGEST_ERROR = 1_000
# An estimate is sent again when it differs so much from what the page makes of the last one.
_ESTIMATE_SECONDS, _ESTIMATE_PART = 1.0, 0.1


class DeploymentWidget(GraphWidget):
    """Draws a deployment over the still with the class `host`, wherever that is displayed.

    It is never displayed itself: show `bundle()` as the cell's output. `close()` brings the still back.

    Args:
        progress: What is known; whoever has the widget keeps it current and calls `update`.
        host: The class of the still's div.
        on_cancel: What the Cancel button does; without it there is none.
    """

    _esm = module("words", "head", "log", "graph_view", "deployment")
    _css = style("head", "log", "graph", "deployment")
    _title = Unicode().tag(sync=True)
    # The state of the whole, how much is done, and times in seconds since it began.
    _head = Dict().tag(sync=True)
    # Of each card that stands for one environment, by key: its times, its error and the like.
    _facts = Dict().tag(sync=True)
    # The last lines of the environment that is selected.
    _tail = Dict().tag(sync=True)

    def __init__(self, progress: DeploymentProgress, host: str, on_cancel: Callable[[], None] | None = None) -> None:
        self._progress = progress
        self._known, self._version = dict(progress.statuses), progress.version
        super().__init__(
            deployment_picture(progress),
            host,
            on_cancel,
            _title=inert(progress.title),
            _head=self._new_head(),
            _tail=no_tail(),
        )

    @property
    def size(self) -> int:
        """How many environments the deployment has."""
        return len(self._progress.statuses)

    def update(self) -> None:
        """Send what has changed; at most ten times a second is enough."""
        message = {**self._changes(), **self._head_if_new(), **self._new_lines()}
        if message:
            self.send(message)
        if self._progress.ended and self._cancellable:
            self._cancellable = False

    def bundle(self) -> dict[str, str]:
        """Return the mimebundle to display, as things are now: also for `update_display` at the end."""
        return deployment_bundle(self._progress, self._host)

    def _changes(self) -> dict[str, Any]:
        """Return the message by which the page learns states and facts that it does not know, if there are any."""
        if self._version == self._progress.version:
            return {}
        statuses, self._version = self._progress.statuses, self._progress.version
        changed = [name for name, status in statuses.items() if status is not self._known.get(name)]
        self._known = dict(statuses)
        message = self._new_states({name: statuses[name].state.value for name in changed})
        facts = {self._keys[name]: self._fact(statuses[name]) for name in changed if name in self._keys}
        if self._collapser.needed or not facts:
            return message
        self._facts.update(facts)
        return {**message, "facts": facts}

    def _drawn(self) -> dict[str, Any]:
        drawn = super()._drawn()
        statuses = self._progress.statuses
        facts = {key: self._fact(statuses[name]) for name, key in self._keys.items() if name in statuses}
        return {**drawn, "_facts": facts}

    def _fact(self, status: EnvironmentStatus) -> dict[str, Any]:
        return {
            "word": self._progress.word(status.name),
            "at": f"{clock_text(status.started)} {status.started.astimezone():%Z}" if status.started else "",
            "started": self._seconds(status.started),
            "ended": self._seconds(status.ended),
            "attempt": status.attempt,
            "error": inert(status.error, _LONGEST_ERROR),
        }

    def _seconds(self, moment: datetime | None) -> float | None:
        return None if moment is None else round((moment - self._progress.began).total_seconds(), 3)

    # The head

    def _new_head(self) -> dict[str, Any]:
        now = self._progress
        counts = now.counts
        left = now.remaining
        return {
            "state": now.state,
            "counts": counts,
            "done": sum(count for state, count in counts.items() if State(state).is_final),
            "total": len(now.statuses),
            "ended": None if now.ended is None else round(now.elapsed, 3),
            "elapsed": round(now.elapsed, 3),
            "left": None if left is None else round(left, 1),
        }

    def _head_if_new(self) -> dict[str, Any]:
        head, known = self._new_head(), self._head
        times = ("elapsed", "left")
        same = all(head[name] == known[name] for name in head if name not in times)
        if same and not self._is_off(head, known):
            return {}
        # Changed in place: a page that is loaded later gets it, and no event sends the whole.
        self._head.update(head)
        return {"head": head}

    @staticmethod
    def _is_off(head: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
        """Say whether the page's estimate, which counts down by itself, is no longer that of `head`."""
        left: float | None = head["left"]
        if left is None or known["left"] is None:
            return left is not known["left"]
        shown: float = max(0.0, known["left"] - (head["elapsed"] - known["elapsed"]))
        return abs(shown - left) > max(_ESTIMATE_SECONDS, _ESTIMATE_PART * left)

    # The last lines of what is selected

    def _new_lines(self) -> dict[str, Any]:
        """Return the lines of the selected environment that the page does not know, and note that it knows them."""
        name = self.selected
        if name not in self._progress.statuses:
            return {}

        def read(start: int) -> list[tuple[str, str]]:
            return [("stdout", line) for line in self._progress.lines(name, start)]

        return newer_lines(self._tail, self._selected, self._progress.line_count(name), read)

    @observe("selected")
    def _send_lines(self, _change: Mapping[str, Any]) -> None:
        message = self._new_lines()
        if message:
            self.send(message)
