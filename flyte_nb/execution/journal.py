"""What happens in a run, in order: an append-only list that views and history read, each at its own pace.

Noting a change is one append, whatever the number of readers; a reader that comes rarely sees each call once, as it
stands by then. Who wants every single change subscribes to the runner instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.listeners import Listeners

if TYPE_CHECKING:
    from collections.abc import Callable

    from flyte_nb.execution.call import Call

__all__ = ["InnerJournal", "Journal", "JournalReader", "LoneJournal"]


class Journal(list["Call"]):
    """The calls of a run, each as often as its state has changed; a call comes after the one that made it.

    It is a list to which calls are only ever appended, because that is on the path of every call.

    Attributes:
        closed: Whether nobody will begin another root here.
    """

    closed = False

    def when_begun(self, tell: Callable[[], None]) -> None:
        """Call `tell` once, when the first call has been noted; what it raises is logged."""
        note, listeners = self.append, Listeners[Journal](lambda _: tell())

        def first(call: Call) -> None:
            del self.append  # from here on the list's own, which costs nothing
            note(call)
            listeners.tell(self)

        self.append = first  # type: ignore[method-assign]

    def calls(self) -> list[Call]:
        """Return every call once, in the order of their beginning."""
        return list(dict.fromkeys(self))


class LoneJournal(Journal):
    """The journal of a root that was called by itself."""

    closed = True


class InnerJournal(Journal):
    """The journal of a part of a run; what is noted here is noted in the journal of the whole, too."""

    def __init__(self, outer: Journal) -> None:
        super().__init__()
        self._outer = outer

    def append(self, call: Call) -> None:
        """Note that `call` has begun or changed its state."""
        super().append(call)
        self._outer.append(call)


class JournalReader:
    """One reader's place in a journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self._at = journal, 0

    def changed(self) -> list[Call]:
        """Return the calls that have begun or changed since the last time, each once, callers before what they call."""
        end = len(self._journal)  # other threads may append meanwhile
        new, self._at = self._journal[self._at : end], end
        return list(dict.fromkeys(new))
