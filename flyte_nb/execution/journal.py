"""What happens in a run, in order: an append-only list that views and history read, each at its own pace.

Noting a change is one append, whatever the number of readers; a reader that comes rarely sees each call once, as it
stands by then. Who wants every single change subscribes to the runner instead.
"""

from __future__ import annotations

import threading
from copy import copy
from typing import TYPE_CHECKING

from flyte_nb.execution.expected import Expected
from flyte_nb.execution.node import RunState
from flyte_nb.listeners import Listeners
from flyte_nb.masking import error_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from flyte_nb.execution.call import Call

__all__ = ["InnerJournal", "Journal", "JournalReader", "LoneJournal"]

_expecting = threading.Lock()  # maps may go on in several threads


class Journal(list["Call"]):
    """The calls of a run, each as often as its state has changed; a call comes after the one that made it.

    It is a list to which calls are only ever appended, because that is on the path of every call.

    Attributes:
        closed: Whether nobody will begin another root here.
        outcome: What has become of the whole, where that is not for its roots to say: who maps may expect failures.
        error: What the whole has raised, if it has failed.
        has_maps: Whether calls that are noted here may be of a map.
    """

    closed = False
    outcome: RunState | None = None
    error = ""
    has_maps = False
    _expected: dict[tuple[int | None, str], Expected] | None = None

    def close(self, error: BaseException | None = None) -> None:
        """Note that nobody will begin another root here, and by which error the whole has ended, if by any."""
        try:
            if error is None:
                self.outcome = RunState.SUCCEEDED
            elif isinstance(error, Exception):
                self.outcome, self.error = RunState.FAILED, error_text(error)
            elif not isinstance(error, GeneratorExit):  # a loop that was left, for whatever reason: its roots tell
                self.outcome = RunState.CANCELLED
        finally:  # an error may say anything, for as long as it likes
            self.closed = True

    def when_begun(self, tell: Callable[[], None]) -> None:
        """Call `tell` once, when the first call has been noted; what it raises is logged."""
        note, listeners = self.append, Listeners[Journal](lambda _: tell())

        def first(call: Call) -> None:
            del self.append  # from here on the list's own, which costs nothing
            note(call)
            listeners.tell(self)

        self.append = first  # type: ignore[method-assign]

    def expect(self, caller: int | None, task: str, calls: int, maps: int = 0) -> None:
        """Note that maps of `task` by `caller` are asked for so many more calls; and how many more maps go on."""
        self.has_maps = True
        self.note_expected((caller, task), calls, maps)

    def note_expected(self, key: tuple[int | None, str], calls: int, maps: int) -> None:
        """Note what is expected here or in a part of it."""
        with _expecting:
            if self._expected is None:
                self._expected = {}
            expected = self._expected.setdefault(key, Expected())
            expected.add(calls, maps)
            if not expected.maps and not expected.left:
                del self._expected[key]

    def begin(self, call: Call) -> None:
        """Note that `call` has begun, if it is one of those that maps are asked for.

        In the kernel, a call from a worker that its caller makes beside a map of the same task is taken for one of it.
        """
        with _expecting:
            expected = (self._expected or {}).get((call.parent, call.task))
            if expected and expected.maps:
                expected.begun += 1

    def expectations(self) -> dict[tuple[int | None, str], Expected]:
        """Return what maps are asked for at this moment, by the id of their caller and by their task.

        Of maps that have ended there is only what never began.
        """
        with _expecting:
            items = list((self._expected or {}).items())
        return {key: copy(expected) for key, expected in items}

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

    def note_expected(self, key: tuple[int | None, str], calls: int, maps: int) -> None:
        """Note what is expected, in the journal of the whole, too."""
        super().note_expected(key, calls, maps)
        self._outer.note_expected(key, calls, maps)

    def begin(self, call: Call) -> None:
        """Note what `Journal.begin` does here, and in the journal of the whole."""
        super().begin(call)
        self._outer.begin(call)


class JournalReader:
    """One reader's place in a journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self._at = journal, 0

    def changed(self) -> list[Call]:
        """Return the calls that have begun or changed since the last time, each once, callers before what they call."""
        end = len(self._journal)  # other threads may append meanwhile
        new, self._at = self._journal[self._at : end], end
        return list(dict.fromkeys(new))
