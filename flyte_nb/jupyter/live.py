"""Progress on screen: how often views that listen while work goes on are brought up to date."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

__all__ = ["KEEP_SECONDS", "ending", "updating", "updating_from_a_thread"]

_UPDATE_SECONDS = 0.1
# Drawing what stays in the notebook costs more than telling the live view, and only front ends without one need it.
KEEP_SECONDS = 1.0


def ending(end: Callable[[], None]) -> None:
    """Call `end`, the last thing a view does. What it raises is logged: it must not hide what became of the work."""
    try:
        end()
    except Exception:
        logging.getLogger("flyte_nb").exception("the end of a view cannot be shown")


@asynccontextmanager
async def updating(update: Callable[[], None]) -> AsyncIterator[None]:
    """Call `update` at most ten times a second while the body runs."""

    async def repeat() -> None:
        while True:
            await asyncio.sleep(_UPDATE_SECONDS)
            try:
                update()
            except Exception:
                logging.getLogger("flyte_nb").exception("the view of a deployment is no longer updated")
                return

    ticker = asyncio.ensure_future(repeat())
    try:
        yield
    finally:
        ticker.cancel()


@contextmanager
def updating_from_a_thread(update: Callable[[], None]) -> Iterator[None]:
    """Call `update` as `updating` does, but in a thread: also while the body does not await."""
    over = threading.Event()

    def repeat() -> None:
        try:
            while not over.wait(_UPDATE_SECONDS):
                update()
        except Exception:
            logging.getLogger("flyte_nb").exception("the view of a run is no longer updated")

    context = contextvars.copy_context()  # what is shown belongs to this cell
    thread = threading.Thread(target=context.run, args=(repeat,), name="flyte_nb view", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
