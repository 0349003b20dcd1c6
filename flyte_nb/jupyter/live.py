"""Progress on screen: how often views that listen while work goes on are brought up to date."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

__all__ = ["KEEP_SECONDS", "updating"]

_UPDATE_SECONDS = 0.1
# Drawing what stays in the notebook costs more than telling the live view, and only front ends without one need it.
KEEP_SECONDS = 1.0


@asynccontextmanager
async def updating(update: Callable[[], None]) -> AsyncIterator[None]:
    """Call `update` at most ten times a second while the body runs."""

    async def repeat() -> None:
        while True:
            await asyncio.sleep(_UPDATE_SECONDS)
            update()

    ticker = asyncio.ensure_future(repeat())
    try:
        yield
    finally:
        ticker.cancel()
