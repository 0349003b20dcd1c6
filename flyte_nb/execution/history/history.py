"""The history of runs: which runs are recorded, and the runs that were, in this session and in earlier ones."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING

from flyte_nb.errors import StateError, UnknownRunError
from flyte_nb.execution.history.writer import Writer

if TYPE_CHECKING:
    from flyte_nb.execution.call import Call
    from flyte_nb.execution.history.recorder import Recorder
    from flyte_nb.execution.history.records import RecordedRun, RecordedRuns, RunFilter
    from flyte_nb.execution.history.store import RunStore
    from flyte_nb.execution.runner import Runner
    from flyte_nb.settings import Settings

__all__ = ["History"]

_LONGEST_FLUSH = 10.0
_LOOKED_AT, _USUAL_OF = 100, 10


class History:
    """Records what `flyte_nb.run` runs, and from `start` to `stop` every call of a task that is not part of another.

    A process that was forked off records nothing: the names of its runs would be those of its parent.
    """

    def __init__(self, runner: Runner, settings: Settings) -> None:
        self._runner, self._settings = runner, settings
        self._writer = Writer(self._recorder)
        self._end_watch = runner.watch(self._writer.note, lone=False)
        _writers.add(self._writer)

    def start(self) -> None:
        """Record every run of the session from now on."""
        self._end_watch()
        self._end_watch = self._runner.watch(self._writer.note)

    def stop(self) -> None:
        """Take back `start`."""
        self._end_watch()
        self._end_watch = self._runner.watch(self._writer.note, lone=False)

    def flush(self, seconds: float = _LONGEST_FLUSH) -> bool:
        """Wait, but not longer than so many seconds, until all there is so far is written; say whether it is."""
        return self._writer.flush(seconds)

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

    def calls(self) -> tuple[int, dict[tuple[str, str], int]]:
        """Return how often tasks of one environment called those of another, in the last hundred runs.

        Those are runs of this session, or of all if it has none.

        Returns:
            The number of runs, and the number of calls by the environment that calls and the one that is called.

        Raises:
            StateError: The database cannot be read.
        """
        self.flush()
        own = self._store().calls(self._runner.name, _LOOKED_AT)
        return own if own[0] else self._store().calls(None, _LOOKED_AT)

    def usual_seconds(self, first: Call) -> float | None:
        """Return how long runs of the task of `first`, there where it runs, have taken when they succeeded.

        That is the median of the last ten that are written; None if there is none, or the history cannot be read.
        """
        from statistics import median

        try:
            known = self._store().durations(first.task, first.target, _USUAL_OF)
        except StateError:
            return None
        return median(known) if known else None

    def names(self) -> list[str]:
        """Return the names of the last hundred runs that are written, the newest first.

        Raises:
            StateError: The database cannot be read.
        """
        from flyte_nb.execution.history.records import RunFilter

        return [run.name for run in self._store().runs(RunFilter())]

    def _latest(self) -> RecordedRun | None:
        from flyte_nb.execution.history.records import RunFilter

        store = self._store()
        own = store.runs(RunFilter(limit=1, session=self._runner.name))
        return next(iter(own or store.runs(RunFilter(limit=1))), None)

    def _store(self) -> RunStore:
        from flyte_nb.execution.history.store import RunStore

        return RunStore(self._settings.home_path, self._runner.name)

    def _recorder(self) -> Recorder:
        from flyte_nb.execution.history.recorder import Recorder

        return Recorder(self._runner, self._settings)


_writers: weakref.WeakSet[Writer] = weakref.WeakSet()


def _end_in_child() -> None:
    for writer in _writers:
        writer.end_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_end_in_child)
