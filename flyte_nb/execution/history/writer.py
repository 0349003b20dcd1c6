"""The thread that records runs: it is told of a run with one append, and writes about twice a second.

What it has not written when the process is killed is lost, which is the last moments; what it has written stands.
"""

from __future__ import annotations

import threading
from collections import deque
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
        if self._thread is None:
            return True
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
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._start()
        self._wake.set()

    def _start(self) -> None:
        import atexit

        thread = threading.Thread(target=self._work, name="flyte_nb history", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the process is about to end
            return
        self._thread = thread
        atexit.register(self.flush, _LONGEST_EXIT)

    # In the thread

    def _work(self) -> None:
        recorder = self._make_recorder()
        while True:
            if recorder.at_rest:
                self._sleep()
            self._hurry.wait(min(_MOMENT_SECONDS, max(0.0, self._due - monotonic())))
            self._hurry.clear()
            asked = self._asked
            try:
                recorder.take([self._begun.popleft() for _ in range(len(self._begun))])
                if asked > self._answered or monotonic() >= self._due:
                    recorder.write()
                    self._due, self._trouble = monotonic() + _MOMENT_SECONDS, False
            except Exception as error:  # noqa: BLE001 - whatever is wrong here, runs and later moments go on
                self._note_trouble(error)
            with self._answering:
                self._answered = asked
                self._answering.notify_all()

    def _sleep(self) -> None:
        """Return when something begins or is asked."""
        self._wake.clear()
        self._awake = False
        if not self._begun and self._asked == self._answered:
            self._wake.wait()
        self._awake, self._due = True, monotonic() + _MOMENT_SECONDS

    def _note_trouble(self, error: Exception) -> None:
        """Tell of it once, and try again later."""
        self._due = monotonic() + _RETRY_SECONDS
        if not self._trouble:
            import logging

            reason = str(error) if isinstance(error, FlyteNbError) else error_text(error)
            logging.getLogger("flyte_nb").warning("runs go on, and are not recorded for now: %s", reason)
        self._trouble = True
