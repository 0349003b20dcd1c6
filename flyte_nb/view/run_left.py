"""How long a run will probably still take."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flyte_nb.view.run_tree import MapProgress, RunTree

__all__ = ["seconds_left"]


def seconds_left(tree: RunTree, now: float, elapsed: float, usual: float | None) -> float | None:
    """Return the seconds that a run which goes on will probably still take, or None if that cannot be told.

    That is as long as its maps need for the calls that are left, and as long as such runs have taken before.

    Args:
        tree: Its calls.
        now: In seconds since the epoch.
        elapsed: The seconds since it began.
        usual: How many seconds runs of the task that was called first have taken, if that is known.
    """
    maps = list(tree.maps())
    known = [left for left in (_left(each, now) for each in maps) if left is not None]
    # Where a map is the run itself, its first call is no measure of the whole.
    before = None if usual is None or any(each.is_root for each in maps) else max(0.0, usual - elapsed)
    if before is None:
        return max(known, default=None) if len(known) == len(maps) else None
    return max([before, *known])


def _left(progress: MapProgress, now: float) -> float | None:
    """Return the seconds that a map needs if calls go on to take as long as they have, and so many at once.

    If those that run have taken longer than that already, so will others. None until as many have ended as are running:
    the first to end are the shortest.
    """
    running, done = len(progress.running), progress.done
    if not running and not progress.to_come:
        return 0.0
    if not done or done < running:
        return None
    so_far = [now - started for started in progress.running]
    usual = max(progress.worked / done, sum(so_far) / max(1, running))
    begun = sum(max(0.0, usual - seconds) for seconds in so_far)
    return (begun + usual * progress.to_come) / max(1, running)
