"""What happens in a run, in order: an append-only list that views and history read, each at its own pace.

Noting a change is one append, whatever the number of readers; a reader that comes rarely sees each call once, as it
stands by then. Who wants every single change subscribes to the runner instead.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from flyte_nb.listeners import Listeners

if TYPE_CHECKING:
    from collections.abc import Callable

    from flyte_nb.execution.call import Call

__all__ = ["InnerJournal", "Journal", "JournalReader", "LoneJournal", "MapKey"]

_expecting = threading.Lock()  # maps may go on in several threads


class MapKey(NamedTuple):
    """What tells the maps of a run apart.

    Attributes:
        caller: The id of the call that maps, or None for a caller that is no task.
        task: The full name of the task that is mapped.
        number: Another one for every map of that caller.
    """

    caller: int | None
    task: str
    number: int


class Journal(list["Call"]):
    """The calls of a run, each as often as its state has changed; a call comes after the one that made it.

    It is a list to which calls are only ever appended, because that is on the path of every call.

    Attributes:
        closed: Whether nobody will begin another root here.
    """

    closed = False
    _maps: dict[MapKey, int] | None = None

    def when_begun(self, tell: Callable[[], None]) -> None:
        """Call `tell` once, when the first call has been noted; what it raises is logged."""
        note, listeners = self.append, Listeners[Journal](lambda _: tell())

        def first(call: Call) -> None:
            del self.append  # from here on the list's own, which costs nothing
            note(call)
            listeners.tell(self)

        self.append = first  # type: ignore[method-assign]

    @property
    def maps(self) -> dict[MapKey, int]:
        """How many calls each map will still begin that goes on and knows how many inputs it has."""
        with _expecting:
            return dict(self._maps or {})

    def expect(self, key: MapKey, calls: int | None) -> None:
        """Note that a map will begin so many calls from here on, or with None that it is over."""
        with _expecting:
            if self._maps is None:
                self._maps = {}
            if calls is None:
                self._maps.pop(key, None)
            else:
                self._maps[key] = calls

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

    def expect(self, key: MapKey, calls: int | None) -> None:
        """Note what `Journal.expect` does here, and in the journal of the whole."""
        super().expect(key, calls)
        self._outer.expect(key, calls)


class JournalReader:
    """One reader's place in a journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self._at = journal, 0

    def changed(self) -> list[Call]:
        """Return the calls that have begun or changed since the last time, each once, callers before what they call."""
        end = len(self._journal)  # other threads may append meanwhile
        new, self._at = self._journal[self._at : end], end
        return list(dict.fromkeys(new))
