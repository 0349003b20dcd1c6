"""Follows the journals of runs and writes what is new in them to the database of runs."""

from __future__ import annotations

import weakref
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from flyte_nb.execution.history.following import Following
from flyte_nb.execution.history.liveness import SIGN_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from flyte_nb.execution.history.store import RunStore
    from flyte_nb.execution.journal import Journal
    from flyte_nb.execution.runner import Runner
    from flyte_nb.settings import Settings

__all__ = ["Recorder"]

# Of more runs than this that ended in one moment, only the last are written.
_MOST_AT_ONCE = 10_000
# How many of the runs that ended last are looked at again: something may have begun below them.
_REMEMBERED = 1_000


class _Ended(NamedTuple):
    journal: weakref.ref[Journal]
    length: int


class Recorder:
    """What is being recorded. One thread uses it."""

    def __init__(self, runner: Runner, settings: Settings) -> None:
        self._runner, self._settings = runner, settings
        self._new: list[Journal] = []
        self._followed: list[Following] = []
        self._ended: deque[_Ended] = deque(maxlen=_REMEMBERED)
        self._home: Path | None = None
        self._last_sign = 0.0
        self._fresh = False

    @property
    def at_rest(self) -> bool:
        """Whether everything has ended, is written, and has stood still since."""
        return not (self._new or self._followed or self._fresh)

    def take(self, journals: list[Journal]) -> None:
        """Record `journals` and those that have grown since they ended; leave out what would be pruned at once."""
        self._new += journals
        before, self._ended = self._ended, deque(maxlen=_REMEMBERED)
        for ended in before:
            journal = ended.journal()
            if journal is not None and len(journal) != ended.length:
                self._new.append(journal)
            else:
                self._ended.append(ended)
        self._new = _newest(self._new, min(self._settings.keep_runs, _MOST_AT_ONCE))

    def write(self) -> None:
        """Write what is new.

        Raises:
            StateError: The database cannot be written. All of what is followed will be written again.
        """
        from flyte_nb.execution.history.store import RunStore

        home, keep = self._settings.home_path, self._settings.keep_runs
        store = RunStore(home, self._runner.name)
        if home != self._home:  # what is under way is written there from its beginning
            self._home = home
            self._unfollow()
        if keep < 1:
            self._new, self._followed, self._fresh = [], [], False
            store.prune(0)
            return
        try:
            self._write_to(store, keep)
        except BaseException:
            self._unfollow()
            raise

    def _write_to(self, store: RunStore, keep: int) -> None:
        from flyte_nb.execution.history.store import Batch

        self._followed += [Following(journal, self._runner.run_name) for journal in self._new]
        self._new = []
        batch = Batch()
        for following in self._followed:
            following.look(batch)
        if batch or (self._followed and monotonic() - self._last_sign > SIGN_SECONDS):
            store.write(batch, keep)
            self._last_sign = monotonic()
        # From here on it is written.
        at_rest = [following for following in self._followed if following.at_rest]
        self._ended.extend(_Ended(weakref.ref(following.journal), following.length) for following in at_rest)
        self._followed = [following for following in self._followed if not following.at_rest]
        self._fresh = bool(batch)

    def _unfollow(self) -> None:
        self._new[:0] = [following.journal for following in self._followed]
        self._followed = []


def _newest(journals: list[Journal], most: int) -> list[Journal]:
    """Return those that are under way, and the last `most` of those that have ended."""
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
