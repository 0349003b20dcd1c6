"""One journal as the history follows it: what has become of its runs since the last look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.execution.journal import JournalReader
from flyte_nb.execution.output import MOST_LINES

if TYPE_CHECKING:
    from collections.abc import Callable

    from flyte_nb.execution.call import Call
    from flyte_nb.execution.history.store import Batch
    from flyte_nb.execution.journal import Journal
    from flyte_nb.execution.node import LogLine

__all__ = ["Following"]


class Following:
    """How far the history has read one journal, and the outputs of its calls.

    Attributes:
        journal: The journal.
        length: How long it was, at least, when it was last read.
    """

    __slots__ = ("_calls", "_name", "_outputs", "_reader", "_roots", "_under_way", "journal", "length")

    def __init__(self, journal: Journal, name: Callable[[int], str]) -> None:
        self.journal, self._name = journal, name
        self.length = 0
        self._reader = JournalReader(self.journal)
        self._roots: dict[int, Call] = {}
        self._calls: dict[int, set[int]] = {}  # ids by root
        self._under_way: dict[int, Call] = {}
        # Of each call, where its settled lines ended and what followed.
        self._outputs: dict[int, tuple[int, list[LogLine]]] = {}

    @property
    def at_rest(self) -> bool:
        """Whether all that was seen has ended; something may yet begin below it."""
        return self.journal.closed and not self._under_way

    def look(self, batch: Batch) -> None:
        """Add what is new to `batch`."""
        self.length = len(self.journal)
        changed = self._reader.changed()
        printing = {call.id: call for call in changed} | self._under_way
        for call in changed:
            node = call.node()
            batch.nodes.append((self._name(call.root), node))
            self._calls.setdefault(call.root, set()).add(call.id)
            if call.id == call.root:
                self._roots[call.id] = call
            if node.ended is None:
                self._under_way[call.id] = call
            else:
                self._under_way.pop(call.id, None)
        for root in {call.root for call in changed} & self._roots.keys():
            batch.runs.append((self._name(root), self._roots[root].node(), len(self._calls[root])))
        for call in printing.values():
            self._read_output(call, batch)

    def _read_output(self, call: Call, batch: Batch) -> None:
        settled, unsettled = self._outputs.get(call.id, (0, []))
        excerpt = call.excerpt(settled)
        if excerpt is None or (excerpt.settled == settled and excerpt.lines == unsettled):
            return
        run = self._name(call.root)
        batch.lines += [(run, number, line) for number, line in enumerate(excerpt.lines, excerpt.first)]
        self._outputs[call.id] = (excerpt.settled, excerpt.lines[max(0, excerpt.settled - excerpt.first) :])
        count = excerpt.first + len(excerpt.lines)
        if count > MOST_LINES:
            batch.dropped.append((run, call.id, count - MOST_LINES))
