"""One journal as the history follows it: what has become of its run since the last look.

A run is what one journal holds: a task and all that it called, or all that one `%flyte_run` or `flyte_nb.map` called.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, NamedTuple

from flyte_nb.execution.history.heads import RunHead, head_of
from flyte_nb.execution.journal import LoneJournal
from flyte_nb.execution.output import MOST_LINES

if TYPE_CHECKING:
    from collections.abc import Callable

    from flyte_nb.execution.call import Call
    from flyte_nb.execution.history.store import Batch
    from flyte_nb.execution.journal import Journal
    from flyte_nb.execution.node import LogLine

__all__ = ["Following"]


class _Read(NamedTuple):
    """How far the output of a call was read: where its settled lines ended, what followed, and how many there were."""

    settled: int
    unsettled: list[LogLine]
    total: int


_NOTHING = _Read(0, [], 0)


class Following:
    """How far the history has read one journal, and the outputs of its calls.

    Attributes:
        length: How much of the journal was read.
        lines: How many lines its calls had printed by then.
    """

    __slots__ = (
        "_calls",
        "_head",
        "_held",
        "_journal",
        "_name",
        "_outputs",
        "_roots",
        "_settled",
        "_under_way",
        "length",
        "lines",
    )

    def __init__(self, journal: Journal, name: Callable[[int], str]) -> None:
        self._held: Journal | None = journal
        self._journal, self._name = weakref.ref(journal), name
        self.length = self.lines = 0
        self._roots: dict[int, Call] = {}
        self._calls: set[int] = set()
        self._head: RunHead | None = None
        self._under_way: dict[int, Call] = {}
        self._outputs: dict[int, _Read] = {}
        self._settled = False

    @property
    def journal(self) -> Journal | None:
        """The journal, or None if nobody has it any more; see `let_go`."""
        return self._journal()

    def hold(self) -> None:
        """Keep the journal, as at first."""
        self._held = self._journal()

    def let_go(self) -> None:
        """Keep the journal no longer: it goes when nothing can begin or print there."""
        self._held = None

    @property
    def at_rest(self) -> bool:
        """Whether all that was seen has ended, and was seen as it ended; something may yet begin below it."""
        journal = self.journal
        if journal is None:
            return True
        if not journal and isinstance(journal, LoneJournal):
            return False  # its call is about to begin
        return self._settled and len(journal) == self.length

    @property
    def has_begun(self) -> bool:
        """Whether something has begun since it was at rest."""
        journal = self.journal
        return journal is not None and len(journal) != self.length

    @property
    def has_printed(self) -> bool:
        """Whether calls have printed since their lines were read."""
        journal = self.journal
        return journal is not None and any(map(self._prints, journal))

    def look(self, batch: Batch, *, thoroughly: bool) -> None:
        """Add what is new to `batch`; only a thorough look sees what calls print that had ended."""
        journal = self._journal()
        if journal is None:
            return
        closed = journal.closed  # before it is read
        changed = self._read(journal)
        if not self.length:
            return
        run = self._name(journal[0].id)
        printing = dict.fromkeys([*changed, *self._under_way.values()])
        for call in changed:
            node = call.node()
            batch.nodes.append((run, node))
            self._calls.add(call.id)
            if node.state.is_final and node.ended is not None:
                self._under_way.pop(call.id, None)
            else:
                self._under_way[call.id] = call
        self._settled = closed and not self._under_way
        if thoroughly or self._settled:
            printing |= dict.fromkeys(filter(self._prints, journal[: self.length]))
        for call in printing:
            self._read_output(run, call, batch)
        head = head_of(run, self._roots.values(), len(self._calls), journal, closed=closed)
        if head != self._head:
            batch.runs.append(head)
            self._head = head

    def _read(self, journal: Journal) -> list[Call]:
        """Return the calls that have begun or changed, each once, callers before what they call."""
        begin, self.length = self.length, len(journal)  # other threads may append meanwhile
        new = dict.fromkeys(journal[begin : self.length])
        self._roots.update((call.id, call) for call in new if call.id == call.root)
        return list(new)

    def _prints(self, call: Call) -> bool:
        """Return whether the output of a call is not as it was read."""
        if call.output is None:
            return False
        read = self._outputs.get(call.id, _NOTHING)
        if call.output.count != read.total:
            return True
        excerpt = call.excerpt(read.settled) if read.unsettled else None
        return excerpt is not None and excerpt.lines != read.unsettled

    def _read_output(self, run: str, call: Call, batch: Batch) -> None:
        """Add what is new of an output."""
        read = self._outputs.get(call.id, _NOTHING)
        excerpt = call.excerpt(read.settled)
        if excerpt is None or (excerpt.settled == read.settled and excerpt.lines == read.unsettled):
            return
        batch.lines += [(run, number, line) for number, line in enumerate(excerpt.lines, excerpt.first)]
        count = excerpt.first + len(excerpt.lines)
        unsettled = excerpt.lines[max(0, excerpt.settled - excerpt.first) :]
        self._outputs[call.id] = _Read(excerpt.settled, unsettled, count)
        self.lines += count - read.total
        if count > MOST_LINES:
            batch.dropped.append((run, call.id, count - MOST_LINES))
