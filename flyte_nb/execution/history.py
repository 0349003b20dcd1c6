"""Writes runs to the database, in a thread of its own: a run notes that it begins, and never waits.

What the thread has not written when the process is killed is lost, which is the last moments; what it has written
stands. A process that ends by itself writes the rest first.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from flyte_nb.errors import FlyteNbError, UnknownRunError
from flyte_nb.masking import error_text

if TYPE_CHECKING:
    from pathlib import Path

    from flyte_nb.execution.following import Following
    from flyte_nb.execution.journal import Journal
    from flyte_nb.execution.records import RecordedRun, RecordedRuns, RunFilter
    from flyte_nb.execution.run_store import RunStore
    from flyte_nb.execution.runner import Runner
    from flyte_nb.settings import Settings

__all__ = ["History"]

# How long what is new may wait to be written, and how many new runs do not wait so long to be looked through.
_MOMENT_SECONDS, _MANY = 0.5, 5_000
_RETRY_SECONDS = 5.0
_LONGEST_FLUSH, _LONGEST_EXIT = 10.0, 3.0
# Runs that ended in one moment: of more than this, only the last are written.
_MOST_AT_ONCE = 10_000
# How many of the runs that ended last are looked at again: something may have begun below them.
_REMEMBERED = 1_000


class _Ended(NamedTuple):
    journal: weakref.ref[Journal]
    length: int


class History:
    """The history of runs, of this session and of those before it.

    It notes what `flyte_nb.run` runs, and from `start` to `stop` every call of a task that is not part of another.
    """

    def __init__(self, runner: Runner, settings: Settings) -> None:
        self._runner, self._settings = runner, settings
        self._begun: deque[Journal] = deque()
        self._clear()
        self._end_watch = runner.watch(self.note, lone=False)
        _histories.add(self)

    def _clear(self) -> None:
        self._begun.clear()
        self._new: list[Journal] = []
        self._followed: list[Following] = []
        self._ended: deque[_Ended] = deque(maxlen=_REMEMBERED)
        self._home: Path | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._awake = False
        self._wake, self._hurry = threading.Event(), threading.Event()
        self._asked = self._answered = 0
        self._answering = threading.Condition()
        self._fresh = self._trouble = False
        self._last_sign = self._due = 0.0

    def start(self) -> None:
        """Note every run of the session from now on."""
        self._end_watch()
        self._end_watch = self._runner.watch(self.note)

    def stop(self) -> None:
        """Take back `start`."""
        self._end_watch()
        self._end_watch = self._runner.watch(self.note, lone=False)

    def note(self, journal: Journal) -> None:
        """Note that a run has begun. This is on the path of calls."""
        self._begun.append(journal)
        if not self._awake:
            self._rouse()
        elif len(self._begun) >= _MANY and not self._hurry.is_set():
            self._hurry.set()

    def _rouse(self) -> None:
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._start_thread()
        self._wake.set()

    def _start_thread(self) -> None:
        import atexit

        self._thread = threading.Thread(target=self._work, name="flyte_nb history", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # the process is about to end
            self._thread = None
            return
        atexit.register(self.flush, _LONGEST_EXIT)

    def end_in_child(self) -> None:
        """Note nothing any more, in a process that was forked: the names of its runs would be those of its parent."""
        self._clear()
        self._begun = deque(maxlen=0)
        self._awake = True

    # Reading

    def runs(self, wanted: RunFilter) -> RecordedRuns:
        """Return the runs that `wanted` describes, the newest first.

        Raises:
            StateError: The database cannot be read.
        """
        self.flush()
        return self._store().runs(wanted)

    def run(self, name: str | None) -> RecordedRun:
        """Return the run of that name; without a name the latest of this session, or else of all.

        Raises:
            UnknownRunError: There is none.
            StateError: The database cannot be read.
        """
        self.flush()
        found = self._latest() if name is None else self._store().run(name)
        if found is None:
            raise UnknownRunError(name, self.names())
        return found

    def _latest(self) -> RecordedRun | None:
        from flyte_nb.execution.records import RunFilter

        store = self._store()
        own = store.runs(RunFilter(limit=1, session=self._runner.name))
        return next(iter(own or store.runs(RunFilter(limit=1))), None)

    def names(self) -> list[str]:
        """Return the names of the last hundred runs that are written, the newest first.

        Raises:
            StateError: The database cannot be read.
        """
        from flyte_nb.execution.records import RunFilter

        return [run.name for run in self._store().runs(RunFilter())]

    def flush(self, seconds: float = _LONGEST_FLUSH) -> bool:
        """Wait, but not longer than so many seconds, until all that was noted is written; say whether it is."""
        if self._thread is None:
            return True
        with self._answering:
            self._asked += 1
            mine = self._asked
            self._hurry.set()
            self._wake.set()
            return self._answering.wait_for(lambda: self._answered >= mine, seconds) and not self._trouble

    def _store(self) -> RunStore:
        from flyte_nb.execution.run_store import RunStore

        return RunStore(self._settings.home_path, self._runner.name)

    # In the thread. What follows is its own but for `_begun`, the events, and the answers.

    def _work(self) -> None:
        while True:
            self._rest()
            self._hurry.wait(min(_MOMENT_SECONDS, max(0.0, self._due - monotonic())))
            self._hurry.clear()
            asked = self._asked
            try:
                self._take_new()
                if asked > self._answered or monotonic() >= self._due:
                    self._write()
                    self._due = monotonic() + _MOMENT_SECONDS
            except Exception as error:  # noqa: BLE001 - whatever is wrong here, runs and later moments go on
                self._note_trouble(error)
            with self._answering:
                self._answered = asked
                self._answering.notify_all()

    def _rest(self) -> None:
        """Return at once while something is under way, and otherwise when something begins or is asked."""
        if self._new or self._followed or self._fresh:
            return
        self._wake.clear()
        self._awake = False
        if not self._begun and self._asked == self._answered:
            self._wake.wait()
        self._awake, self._due = True, monotonic() + _MOMENT_SECONDS

    def _take_new(self) -> None:
        self._new += [self._begun.popleft() for _ in range(len(self._begun))]
        before, self._ended = self._ended, deque(maxlen=_REMEMBERED)
        for ended in before:
            journal = ended.journal()
            if journal is not None and len(journal) != ended.length:
                self._new.append(journal)
            else:
                self._ended.append(ended)
        self._new = _newest(self._new, min(self._settings.keep_runs, _MOST_AT_ONCE))

    def _write(self) -> None:
        from flyte_nb.execution.following import Following
        from flyte_nb.execution.liveness import SIGN_SECONDS
        from flyte_nb.execution.run_store import Batch

        self._go_home()
        if self._settings.keep_runs < 1:
            self._new, self._followed, self._fresh, self._trouble = [], [], False, False
            self._store().prune(0)
            return
        self._followed += [Following(journal, self._runner.run_name) for journal in self._new]
        self._new = []
        batch = Batch()
        for following in self._followed:
            following.look(batch)
        if batch or (self._followed and monotonic() - self._last_sign > SIGN_SECONDS):
            self._store().write(batch, self._settings.keep_runs)
            self._last_sign = monotonic()
        # From here on it is written.
        self._fresh, self._trouble = bool(batch), False
        at_rest = [following for following in self._followed if following.at_rest]
        self._ended.extend(_Ended(weakref.ref(following.journal), following.length) for following in at_rest)
        self._followed = [following for following in self._followed if not following.at_rest]

    def _go_home(self) -> None:
        """Where the user has chosen another folder, write what is under way there, from its beginning."""
        home = self._settings.home_path
        if home != self._home:
            self._home = home
            self._unfollow()

    def _unfollow(self) -> None:
        self._new[:0] = [following.journal for following in self._followed]
        self._followed = []

    def _note_trouble(self, error: Exception) -> None:
        """Write later what could not be written, and tell of it once."""
        self._unfollow()
        self._due = monotonic() + _RETRY_SECONDS
        if not self._trouble:
            import logging

            reason = str(error) if isinstance(error, FlyteNbError) else error_text(error)
            logging.getLogger("flyte_nb").warning("runs go on, and are not recorded for now: %s", reason)
        self._trouble = True


def _newest(journals: list[Journal], most: int) -> list[Journal]:
    """Return those that are under way, and the last `most` of those that have ended: others would be pruned at once."""
    if len(journals) <= most:
        return journals
    kept: list[Journal] = []
    for journal in reversed(journals):
        ended = _has_ended(journal)
        if most > 0 or not ended:
            kept.append(journal)
            most -= ended
    return kept[::-1]


def _has_ended(journal: Journal) -> bool:
    if not journal.closed or not journal:
        return False
    for call in journal:  # noqa: SIM110 - this is done for every one of many short runs, and `all` takes much longer
        if call.ended is None:
            return False
    return True


_histories: weakref.WeakSet[History] = weakref.WeakSet()


def _forget_in_child() -> None:
    for history in _histories:
        history.end_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
