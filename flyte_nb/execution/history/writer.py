"""The thread that records runs: it is told of a run with one append, and writes about twice a second.

What it has not written when the process is killed is lost, which is the last moments; what it has written stands.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from flyte_nb.errors import FlyteNbError
from flyte_nb.masking import error_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from flyte_nb.execution.history.recorder import Recorder
    from flyte_nb.execution.journal import Journal

__all__ = ["Writer"]

# How long what is new may wait to be written, and how many new runs do not wait so long to be looked through.
_MOMENT_SECONDS, _MANY = 0.5, 5_000
_RETRY_SECONDS = 5.0
_LONGEST_EXIT = 3.0


class Writer:
    """A thread that begins with the first run, and sleeps while none is under way.

    Args:
        recorder: Makes, in the thread, what writes; it is heavy to import.
    """

    def __init__(self, recorder: Callable[[], Recorder]) -> None:
        self._make_recorder = recorder
        self._recorder: Recorder | None = None
        self._begun: deque[Journal] = deque()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._wake, self._hurry = threading.Event(), threading.Event()
        self._awake = self._trouble = False
        # How many flushes were asked for, and which of them was answered last.
        self._asked = self._answered = 0
        self._answering = threading.Condition()
        self._due = 0.0

    def note(self, journal: Journal) -> None:
        """Note that a run has begun. This is on the path of calls."""
        self._begun.append(journal)
        if not self._awake:
            self._rouse()
        elif len(self._begun) >= _MANY and not self._hurry.is_set():
            self._hurry.set()

    def flush(self, seconds: float) -> bool:
        """Wait, but not longer than so many seconds, until all that was noted is written; say whether it is."""
        thread = self._thread
        if thread is None:
            return True
        if not thread.is_alive():
            self._rouse()
        with self._answering:
            self._asked += 1
            mine = self._asked
            self._hurry.set()
            self._wake.set()
            return self._answering.wait_for(lambda: self._answered >= mine, seconds) and not self._trouble

    def end_in_child(self) -> None:
        """Note nothing any more, in a process that was forked: it has no such thread, and shares names with another."""
        self._begun = deque(maxlen=0)
        self._thread, self._awake = None, True

    def _rouse(self) -> None:
        thread = self._thread
        if thread is None or not thread.is_alive():
            with self._starting:
                if self._thread is thread:
                    self._start()
        self._wake.set()

    def _start(self) -> None:
        import atexit

        thread = threading.Thread(target=self._work, name="flyte_nb history", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the process is about to end
            return
        if self._thread is None:
            atexit.register(self.flush, _LONGEST_EXIT)
        self._thread = thread

    # In the thread

    def _work(self) -> None:
        try:
            self._recorder = self._recorder or self._make_recorder()
            while True:
                self._work_on(self._recorder)
        finally:
            self._awake = False  # who notes next finds the thread dead

    def _work_on(self, recorder: Recorder) -> None:
        if recorder.at_rest:
            self._sleep(recorder.next_look)
        self._hurry.wait(min(_MOMENT_SECONDS, max(0.0, self._due - monotonic())))
        self._hurry.clear()
        asked = self._asked
        is_asked = asked > self._answered
        try:
            recorder.take([self._begun.popleft() for _ in range(len(self._begun))], all_of_it=is_asked)
            if is_asked or monotonic() >= self._due:
                recorder.write()
                self._due, self._trouble = monotonic() + _MOMENT_SECONDS, False
        except Exception as error:  # noqa: BLE001 - whatever is wrong here, runs and later moments go on
            self._note_trouble(error)
        with self._answering:
            self._answered = asked
            self._answering.notify_all()

    def _sleep(self, until: float | None) -> None:
        """Return when something begins or is asked, or it is time to look again at what has ended."""
        self._wake.clear()
        self._awake = False
        if not self._begun and self._asked == self._answered:
            self._wake.wait(None if until is None else max(0.0, until - monotonic()))
        self._awake, self._due = True, monotonic() + _MOMENT_SECONDS

    def _note_trouble(self, error: Exception) -> None:
        """Tell of it once, and try again later."""
        self._due = monotonic() + _RETRY_SECONDS
        told, self._trouble = self._trouble, True
        if not told:
            import logging

            with suppress(Exception):  # filters and handlers of others may raise, and so may the error's own words
                reason = str(error) if isinstance(error, FlyteNbError) else error_text(error)
                logging.getLogger("flyte_nb").warning("runs go on, and are not recorded for now: %s", reason)
