"""The live views of what is over: they stay as long as not too many come after them."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["ViewsOnScreen"]

# How many live views are kept, and how many calls or environments these may have altogether.
_MOST_VIEWS, _MOST_PARTS = 16, 50_000


class View(Protocol):
    """A live view over what stays in the notebook."""

    @property
    def size(self) -> int:
        """How many parts it has."""

    def close(self) -> None:
        """Let go of it; what stays in the notebook takes its place."""


class ViewsOnScreen:
    """The live views of runs and deployments that are over."""

    def __init__(self) -> None:
        self._views: deque[View] = deque()
        self._followers: set[asyncio.Task[None]] = set()

    def follow(self, work: Coroutine[Any, Any, None]) -> None:
        """Bring a view up to date, as `work` does, while what it shows outlives the cell."""
        follower = asyncio.ensure_future(work)
        self._followers.add(follower)  # the loop itself does not keep it
        follower.add_done_callback(self._followers.discard)

    def keep(self, view: View) -> None:
        """Keep a live view; what stays in the notebook takes the place of those for which there is no more room."""
        shown = self._views
        shown.append(view)
        while len(shown) > 1 and (len(shown) > _MOST_VIEWS or sum(each.size for each in shown) > _MOST_PARTS):
            shown.popleft().close()

    def close(self) -> None:
        """Let go of every live view."""
        for follower in self._followers:
            follower.cancel()
        while self._views:
            self._views.popleft().close()
