"""The live view of a deployment: the graph with a head, clocks, and what each environment has said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import Dict, Unicode, observe

from flyte_nb.deployment.applying.status import State
from flyte_nb.view.bars import with_bars
from flyte_nb.view.clock import clock_text
from flyte_nb.view.deployments import deployment_picture
from flyte_nb.view.escape import inert
from flyte_nb.view.states import STATES
from flyte_nb.view.widgets.graph import GRAPH_PARTS, GraphWidget
from flyte_nb.view.widgets.hosting import module, style
from flyte_nb.view.widgets.tail import newer_lines, no_tail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from flyte_nb.deployment.applying.status import EnvironmentStatus
    from flyte_nb.view.deployment_progress import DeploymentProgress

__all__ = ["DeploymentWidget"]

_LONGEST_ERROR = 1_000
# An estimate is sent again when it differs so much from what the page makes of the last one.
_ESTIMATE_SECONDS, _ESTIMATE_PART = 1.0, 0.1
# A fact of what has not begun, which pages know, too.
_PENDING = {"word": "", "at": "", "started": None, "ended": None, "attempt": 1, "error": "", "bar": True}
# What of the head changes by itself.
_TIMES = ("elapsed", "left")


class DeploymentWidget(GraphWidget):
    """Draws a deployment over the still with the class `host`, wherever that is displayed.

    It is never displayed itself: show a still with that class as the cell's output. `close()` brings the still back.

    Args:
        progress: What is known; whoever has the widget keeps it current and calls `update`.
        host: The class of the still's div.
        on_cancel: What the Cancel button does; without it there is none.
    """

    _subtitles_stay = False  # they are the words of states
    _esm = module("words", "head", "log", "track", *GRAPH_PARTS, "deployment_timeline", "deployment")
    _css = style("head", "log", "track", "graph", "graph_search", "deployment")
    _title = Unicode().tag(sync=True)
    # The state of the whole, how much is done, and times in seconds since it began.
    _head = Dict().tag(sync=True)
    # Of each environment that has a card or a bar, by key: its times, its error and the like.
    _facts = Dict().tag(sync=True)
    # The last lines of the environment that is selected.
    _tail = Dict().tag(sync=True)

    def __init__(self, progress: DeploymentProgress, host: str, on_cancel: Callable[[], None] | None = None) -> None:
        self._progress = progress
        self._known, self._version = dict(progress.statuses), progress.version
        self._barred = with_bars(progress.statuses.values())
        head = self._new_head()
        # What pages were told last; the clock and the estimate in `_head` go on.
        self._head_told = dict(head)
        super().__init__(
            deployment_picture(progress),
            host,
            on_cancel,
            _title=inert(progress.title),
            _head=head,
            _tail=no_tail(),
        )

    @property
    def size(self) -> int:
        """How many environments the deployment has."""
        return len(self._progress.statuses)

    def update(self) -> None:
        """Send what has changed; at most ten times a second is enough."""
        with self.lock:
            message = {**self._changes(), **self._head_if_new(), **self._new_lines()}
            if message:
                self.send(message)
            if self._progress.ended and self._cancellable:
                self._cancellable = False

    def _changes(self) -> dict[str, Any]:
        """Return the message by which the page learns states and facts that it does not know, if there are any."""
        if self._version == self._progress.version:
            return {}
        statuses, self._version = self._progress.statuses, self._progress.version
        changed = [name for name, status in statuses.items() if status is not self._known.get(name)]
        self._known = dict(statuses)
        before, self._barred = self._barred, with_bars(statuses.values())
        facts = self._new_facts(self._facts_of({*changed, *(before ^ self._barred)}))
        message = self._new_states({name: statuses[name].state.value for name in changed})
        return {**message, "facts": facts} if facts else message

    def _drawn(self) -> dict[str, Any]:
        drawn = super()._drawn()
        return {**drawn, "_facts": self._facts_of({*self._shown, *self._barred})}

    def _replace(self, drawn: Mapping[str, Any]) -> None:
        facts = self._new_facts(drawn["_facts"])
        if facts:
            self.send({"facts": facts})  # before what they are written on
        super()._replace({name: value for name, value in drawn.items() if name != "_facts"})

    def _new_facts(self, facts: Mapping[str, Mapping[str, Any] | None]) -> dict[str, dict[str, Any] | None]:
        """Return what of `facts` a page does not know, and note that it does: in place, so that no event sends all."""
        news: dict[str, dict[str, Any] | None] = {}
        for key, fact in facts.items():
            if fact is None:
                if self._facts.pop(key, None):
                    news[key] = None
                continue
            known = self._facts.setdefault(key, dict(_PENDING))
            new = {name: value for name, value in fact.items() if known[name] != value}
            if new:
                known.update(new)
                news[key] = new
        return news

    def _facts_of(self, names: Iterable[str]) -> dict[str, dict[str, Any] | None]:
        """Return the facts of `names` by key: None of those that have neither a card nor a bar."""
        statuses = self._progress.statuses
        return {
            self._keys[name]: self._fact(statuses[name]) if name in self._shown or name in self._barred else None
            for name in names
            if name in statuses
        }

    def _fact(self, status: EnvironmentStatus) -> dict[str, Any]:
        word = self._progress.word(status.name)
        return {
            "word": "" if word == STATES[status.state.value].label else word,  # which the page knows
            "at": f"{clock_text(status.started)} {status.started.astimezone():%Z}" if status.started else "",
            "started": self._seconds(status.started),
            "ended": self._seconds(status.ended),
            "attempt": max(1, status.attempt),
            "error": inert(status.error, _LONGEST_ERROR),
            "bar": status.started is None or status.name in self._barred,  # as soon as it begins
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
            "elapsed": round(now.elapsed, 1),
            "left": None if left is None else round(left, 1),
        }

    def _head_if_new(self) -> dict[str, Any]:
        head, known = self._new_head(), self._head_told
        # Changed in place: a page that is loaded later gets it as it is now, and no event sends the whole.
        self._head.update(head)
        news = {name: head[name] for name in head if name not in _TIMES and head[name] != known[name]}
        if not news and not self._is_off(head, known):
            return {}
        self._head_told = dict(head)
        if "counts" in news:
            news["counts"] = _difference(known["counts"], head["counts"])
        # The two together: the page counts the one up and the other down from the moment that it hears them.
        news["elapsed"] = head["elapsed"]
        if head["left"] is not None or known["left"] is not None:
            news["left"] = head["left"]
        return {"head": news}

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


def _difference(known: Mapping[str, int], counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts that differ from those a page knows; 0 says that there is none any more."""
    return {state: counts.get(state, 0) for state in {**known, **counts} if counts.get(state) != known.get(state)}
