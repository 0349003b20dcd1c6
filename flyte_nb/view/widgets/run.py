"""The live view of a run: the rows of the still, which grow, with a clock, details and what the calls are printing."""

from __future__ import annotations

from dataclasses import asdict
from time import time
from typing import TYPE_CHECKING, Any

from traitlets import Dict, Unicode, observe

from flyte_nb.execution.node import RunState
from flyte_nb.view.run_logs import line_parts
from flyte_nb.view.run_rows import summarise
from flyte_nb.view.run_still import run_bundle
from flyte_nb.view.states import STATES
from flyte_nb.view.widgets.hosted import HostedWidget
from flyte_nb.view.widgets.hosting import module, style
from flyte_nb.view.widgets.tail import newer_lines, no_tail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flyte_nb.view.run_tree import RunTree

__all__ = ["RunWidget"]

_VOCABULARY = {state.value: {**asdict(STATES[state.value]), "label": state.value} for state in RunState}
# Of each stream the last line may still grow.
_STILL_OPEN = 4


class RunWidget(HostedWidget):
    """Draws a run over the still with the class `host`, wherever that is displayed.

    It is never displayed itself: show `bundle()` as the cell's output. `close()` brings the still back.

    Args:
        tree: The calls; whoever has the widget keeps them current and calls `update`.
        host: The class of the still's div.
        on_cancel: What the Cancel button does; without it there is none.
    """

    _choices = frozenset({"_opened"})
    _esm = module("words", "head", "log", "run")
    _css = style("head", "log", "run")
    _vocabulary = Dict(_VOCABULARY).tag(sync=True)
    # The rows by key, their order, and the head: {"rows": ..., "order": [...], "head": ...}.
    _run = Dict().tag(sync=True)
    # The key of the row whose details are open, and the last lines of that call.
    _opened = Unicode().tag(sync=True, echo_update=False)
    _tail = Dict().tag(sync=True)

    def __init__(self, tree: RunTree, host: str, on_cancel: Callable[[], None] | None = None) -> None:
        self._tree = tree
        self._summary = summarise(tree, under_way=True)
        self._rows = {row.key: row for row in self._summary.rows}
        self._under_way = True
        run = {"rows": {key: asdict(row) for key, row in self._rows.items()}, **self._order(), "head": self._head()}
        super().__init__(host, on_cancel, _run=run, _tail=no_tail())

    @property
    def size(self) -> int:
        """How many calls the run has."""
        return len(self._tree)

    def update(self, *, under_way: bool = True) -> None:
        """Send what has changed; at most ten times a second is enough.

        Args:
            under_way: Whether another root may begin.
        """
        self._under_way = under_way
        self._summary = summarise(self._tree, under_way=under_way)
        message = self._difference()
        # Changed in place: a page that is loaded later gets it, and no event sends the whole.
        self._run["rows"].update(message.get("rows", {}))
        self._run.update({name: message[name] for name in ("order", "head") if name in message})
        self._run["head"]["elapsed"] = self._elapsed()
        for key in self._run["rows"].keys() - self._rows.keys():
            del self._run["rows"][key]
        message |= self._new_lines()
        if message:
            self.send(message)
        if self._summary.ended is not None and self._cancellable:
            self._cancellable = False

    def bundle(self) -> dict[str, str]:
        """Return the mimebundle to display, as things are now: also for `update_display` at the end."""
        return run_bundle(self._tree, self._host, under_way=self._under_way)

    def _difference(self) -> dict[str, Any]:
        """Return what is other than the page knows it: rows, their order, the head."""
        before, self._rows = self._rows, {row.key: row for row in self._summary.rows}
        changed = {key: asdict(row) for key, row in self._rows.items() if row != before.get(key)}
        message: dict[str, Any] = {"rows": changed} if changed else {}
        if list(before) != list(self._rows):
            message |= self._order()
        head = self._head()
        if {**head, "elapsed": 0} != {**self._run["head"], "elapsed": 0}:
            message["head"] = head
        return message

    def _order(self) -> dict[str, list[str]]:
        return {"order": list(self._rows)}

    def _head(self) -> dict[str, Any]:
        now = self._summary
        return {
            "state": now.state,
            "counts": dict(now.counts),
            "done": now.done,
            "total": now.total,
            "ended": now.ended,
            "elapsed": self._elapsed(),
        }

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
