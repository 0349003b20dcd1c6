"""The live view of a run: the rows of the still, which grow, with a clock, details and what the calls are printing."""

from __future__ import annotations

from dataclasses import asdict
from time import time
from typing import TYPE_CHECKING, Any

from traitlets import Dict, Unicode, observe

from flyte_nb.execution.node import RunState
from flyte_nb.view.run_left import seconds_left
from flyte_nb.view.run_logs import line_parts
from flyte_nb.view.run_rows import summarise
from flyte_nb.view.states import STATES
from flyte_nb.view.widgets.hosted import HostedWidget
from flyte_nb.view.widgets.hosting import module, style
from flyte_nb.view.widgets.tail import newer_lines, no_tail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flyte_nb.view.run_tree import RunTree, TrackedCall

__all__ = ["RunWidget"]

_CALL_STATES = {state.value for state in RunState}
_VOCABULARY = {name: {**asdict(state), "label": name} for name, state in STATES.items() if name in _CALL_STATES}
# Of each stream the last line may still grow.
_STILL_OPEN = 4
_NO_TIMES = {"elapsed": None, "left": None}
# How far what a page tells to be left may be from what is known since.
_DRIFT_SECONDS, _DRIFT_SHARE = 2.0, 0.2


class RunWidget(HostedWidget):
    """Draws a run over the still with the class `host`, wherever that is displayed.

    It is never displayed itself: show a still with that class as the cell's output. `close()` brings the still back.

    Args:
        tree: The calls; whoever has the widget keeps them current and calls `update`.
        host: The class of the still's div.
        on_cancel: What the Cancel button does; without it there is none.
    """

    _choices = frozenset({"_opened", "_more"})
    _esm = module("words", "head", "log", "track", "rows", "row_drawing", "row_openings", "run")
    _css = style("head", "log", "track", "run")
    _vocabulary = Dict(_VOCABULARY).tag(sync=True)
    # The rows by key, their order, and the head: {"rows": ..., "order": [...], "head": ...}.
    _run = Dict().tag(sync=True)
    # The key of the row whose details are open, and the last lines of that call.
    _opened = Unicode().tag(sync=True, echo_update=False)
    _tail = Dict().tag(sync=True)
    # How many rows are shown because somebody asked for more, by the key of the row that counts what is not shown; the
    # one that was opened last comes last.
    _more = Dict().tag(sync=True, echo_update=False)

    def __init__(self, tree: RunTree, host: str, on_cancel: Callable[[], None] | None = None) -> None:
        self._tree, self._under_way = tree, True
        self._summary = summarise(tree, under_way=True)
        self._rows = {row.key: row for row in self._summary.rows}
        self._expected: float | None = None
        head = self._head()
        run = {"rows": {key: asdict(row) for key, row in self._rows.items()}, **self._order(), "head": head}
        super().__init__(host, on_cancel, _run=run, _tail=no_tail())
        # How much is left as pages know it, and since when.
        self._told: tuple[float | None, float] = head["left"], time()

    @property
    def size(self) -> int:
        """How many calls the run has."""
        return len(self._tree)

    def update(self, *, under_way: bool = True) -> None:
        """Send what has changed; at most ten times a second is enough.

        Args:
            under_way: Whether another root may begin.
        """
        with self.lock:
            self._update(under_way)

    def _update(self, under_way: bool) -> None:
        self._under_way = under_way
        kept, opened = self._looked_at(), self._asked_for()
        self._summary = summarise(self._tree, under_way=under_way, kept=kept, opened=opened)
        head = self._head()
        message = self._difference(head)
        # Changed in place: a page that is loaded later gets it, and no event sends the whole.
        self._run["rows"].update(message.get("rows", {}))
        self._run.update({"head": head, "order": message.get("order", self._run["order"])})
        for key in self._run["rows"].keys() - self._rows.keys():
            del self._run["rows"][key]
        message |= self._new_lines()
        if message:
            self.send(message)
        if not under_way and self._cancellable:
            self._cancellable = False  # calls that outlive the cell are no longer its own

    def expect(self, seconds: float) -> None:
        """Note how long the run will probably take in all; it is shown from the next update on."""
        with self.lock:
            self._expected = seconds

    def _looked_at(self) -> Sequence[TrackedCall]:
        """Return the call whose details are open, and those that have led to it."""
        found: list[TrackedCall] = []
        call = self._summary.calls.get(self._opened)
        while call is not None:
            found.append(call)
            call = self._summary.calls.get(f"c{call.parent}")
        return found

    def _asked_for(self) -> dict[str, int]:
        """Return how many rows are asked for; what a page tells may be anything."""
        return {str(key): wanted for key, wanted in self._more.items() if isinstance(wanted, int)}

    @observe("_more")
    def _show_more(self, _change: Mapping[str, Any]) -> None:
        self._update(self._under_way)

    def _difference(self, head: dict[str, Any]) -> dict[str, Any]:
        """Return what is other than the page knows it: rows, their order, the head."""
        before, self._rows = self._rows, {row.key: row for row in self._summary.rows}
        changed = {key: asdict(row) for key, row in self._rows.items() if row != before.get(key)}
        message: dict[str, Any] = {"rows": changed} if changed else {}
        if list(before) != list(self._rows):
            message |= self._order()
        if {**head, **_NO_TIMES} != {**self._run["head"], **_NO_TIMES} or self._is_news(head["left"]):
            message["head"] = head
            self._told = head["left"], time()
        return message

    def _is_news(self, left: float | None) -> bool:
        """Say whether a page, which counts down by itself, shows another time than `left`."""
        told, at = self._told
        if left is None or told is None:
            return left is not told
        return abs(left - max(0.0, told - (time() - at))) > max(_DRIFT_SECONDS, _DRIFT_SHARE * left)

    def _order(self) -> dict[str, list[str]]:
        return {"order": list(self._rows)}

    def _head(self) -> dict[str, Any]:
        now = self._summary
        return {
            "state": now.state,
            "counts": dict(now.counts),
            "done": now.done,
            "total": now.total + now.to_come + now.not_begun,
            "to_come": now.to_come,
            "not_begun": now.not_begun,
            "ended": now.ended,
            **self._times(),
        }

    def _times(self) -> dict[str, Any]:
        """Return how long it has taken, and how long it will probably still take, if that is known."""
        elapsed = self._elapsed()
        left = None if self._summary.ended is not None else seconds_left(self._tree, time(), elapsed, self._expected)
        return {"elapsed": elapsed, "left": None if left is None else round(left, 1)}

    def _elapsed(self) -> float:
        """Return the seconds since the run began, so that the clock of the page need not agree with ours."""
        now = self._summary
        return now.ended if now.ended is not None else round(max(0.0, time() - now.began), 3) if now.began else 0.0

    # The last lines of the row that is open

    def _new_lines(self) -> dict[str, Any]:
        """Return the lines of the open row from the first that differs, and note that the page knows them."""
        row, call = self._rows.get(self._opened), self._summary.calls.get(self._opened)
        if row is None:
            return {}

        def read(start: int) -> list[tuple[str, str]]:
            return [line_parts(line) for line in call.logs(start)] if call else []

        return newer_lines(self._tail, row.key, row.lines, read, last=row.last_line, still_open=_STILL_OPEN)

    @observe("_opened")
    def _send_lines(self, _change: Mapping[str, Any]) -> None:
        message = self._new_lines()
        if message:
            self.send(message)
