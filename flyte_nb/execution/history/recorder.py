"""Follows the journals of runs and writes what is new in them to the database of runs."""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from flyte_nb.execution.history.following import Following
from flyte_nb.liveness import SIGN_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from flyte_nb.execution.history.store import RunStore
    from flyte_nb.execution.journal import Journal
    from flyte_nb.execution.runner import Runner
    from flyte_nb.settings import Settings

__all__ = ["Recorder"]

# Of more runs than this that ended in one moment, only the last are written; and so many in one transaction.
_MOST_AT_ONCE, _MOST_IN_A_BATCH = 100_000, 10_000
# How many of the runs that ended last are looked at again: something may have begun or printed below them. They are
# kept for that up to so many calls and lines; of more, those that still go on somewhere are.
_REMEMBERED, _KEPT = 1_000, 100_000
# Looking through them takes no more than this part of the time.
_LOOK_SECONDS, _LOOKING = 2.0, 0.05


class _Ended(NamedTuple):
    following: Following
    home: Path


class Recorder:
    """What is being recorded. One thread uses it."""

    def __init__(self, runner: Runner, settings: Settings) -> None:
        self._runner, self._settings = runner, settings
        self._new: list[Journal] = []
        self._followed: list[Following] = []
        self._ended: deque[_Ended] = deque(maxlen=_REMEMBERED)
        self._home: Path | None = None
        self._last_sign = self._next_look = 0.0
        self._fresh = self._thorough = False

    @property
    def at_rest(self) -> bool:
        """Whether everything has ended, is written, and has stood still since."""
        return not (self._new or self._followed or self._fresh)

    @property
    def next_look(self) -> float | None:
        """When, by `time.monotonic`, to look again at what is at rest; None if nothing can begin there any more."""
        return self._next_look if self._ended else None

    def take(self, journals: list[Journal], *, all_of_it: bool) -> None:
        """Record `journals`, and what has begun in others since they ended; leave out what would be pruned at once.

        Args:
            journals: Of runs that have begun.
            all_of_it: Look also for what calls have printed that had ended, which is otherwise done now and then.
        """
        self._new += journals
        begun = monotonic()
        self._thorough = all_of_it or begun >= self._next_look
        self._look_back()
        if self._thorough:
            now = monotonic()
            self._next_look = now + max(_LOOK_SECONDS, (now - begun) / _LOOKING)
        self._new = _newest(self._new, min(self._settings.keep_runs, _MOST_AT_ONCE))

    def _look_back(self) -> None:
        """Follow again what has begun or printed since it had ended."""
        before, self._ended = self._ended, deque(maxlen=_REMEMBERED)
        for ended in before:
            following, journal = ended.following, ended.following.journal
            if journal is None:
                continue
            if not (following.has_begun or (self._thorough and following.has_printed)):
                self._ended.append(ended)
            elif ended.home == self._home:
                following.hold()
                self._followed.append(following)
            else:  # it is written here from its beginning
                self._new.append(journal)

    def write(self) -> None:
        """Write what is new.

        Raises:
            StateError: The database cannot be written. All of what is followed will be written again.
        """
        from flyte_nb.execution.history.store import RunStore

        home, keep = self._settings.home_path, self._settings.keep_runs
        store = RunStore(home, self._runner.name)
        if home != self._home:  # what is under way is written there from its beginning
            self._unfollow()
            self._home = home
        if keep < 1:
            self._new, self._followed, self._fresh = [], [], False
            self._ended.clear()
            store.prune(0)
            return
        try:
            self._write_to(store, keep, home)
        except BaseException:
            self._unfollow()
            raise

    def _write_to(self, store: RunStore, keep: int, home: Path) -> None:
        self._fresh = False
        going_on = self._write_part(self._followed, store, keep, home)
        self._followed = list(going_on)
        while self._new:
            part = [Following(journal, self._runner.run_name) for journal in self._new[:_MOST_IN_A_BATCH]]
            del self._new[:_MOST_IN_A_BATCH]
            self._followed += part
            going_on += self._write_part(part, store, keep, home)
            self._followed = list(going_on)
        if self._followed and monotonic() - self._last_sign > SIGN_SECONDS:
            store.give_sign()
            self._last_sign = monotonic()

    def _write_part(self, part: list[Following], store: RunStore, keep: int, home: Path) -> list[Following]:
        """Write what is new of `part`, and return those that are not at rest."""
        from flyte_nb.execution.history.store import Batch

        batch = Batch()
        for following in part:
            following.look(batch, thoroughly=self._thorough)
        if batch:
            store.write(batch, keep)
            self._last_sign, self._fresh = monotonic(), True
        # From here on it is written.
        going_on = []
        for following in part:
            if following.at_rest:
                self._ended.append(_Ended(following, home))
            else:
                going_on.append(following)
        self._let_go()
        return going_on

    def _let_go(self) -> None:
        kept = 0
        for ended in reversed(self._ended):
            kept += ended.following.length + ended.following.lines
            if kept > _KEPT:
                ended.following.let_go()

    def _unfollow(self) -> None:
        self._new[:0] = [following.journal for following in self._followed if following.journal is not None]
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
