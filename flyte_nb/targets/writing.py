"""Waiting for what cannot be stopped, such as a write to a disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["written"]

T = TypeVar("T")


async def written(write: Future[T]) -> T:
    """Return what `write` gives. A cancellation goes on when it has ended: it takes milliseconds, and it happens."""
    waiting = asyncio.wrap_future(write)
    cancelled: asyncio.CancelledError | None = None
    while not waiting.done():
        try:
            await asyncio.wait({waiting})
        except asyncio.CancelledError as error:
            cancelled = error
    result = waiting.result()
    if cancelled:
        raise cancelled
    return result
