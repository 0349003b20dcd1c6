"""A run is stopped from its view, whether it awaits or computes."""

from __future__ import annotations

import asyncio
import threading

import pytest

from flyte_nb.jupyter.cancelling import Cancellation
from flyte_nb.jupyter.interrupts import interruptible


def test_work_that_awaits_is_cancelled_once() -> None:
    """Its clean-up is complete when it has ended, however often somebody asks."""
    said: list[str] = []

    async def work() -> None:
        cancellation = Cancellation()
        asyncio.get_running_loop().call_later(0.01, cancellation.ask)
        try:
            await asyncio.sleep(60)
        finally:
            cancellation.ask()
            await asyncio.sleep(0.01)
            said.append("cleaned up")

    async def cell() -> None:
        with pytest.raises(asyncio.CancelledError):
            await interruptible(work())

    asyncio.run(cell())
    assert said == ["cleaned up"]


def test_work_that_blocks_the_loop_is_interrupted() -> None:
    """Asked in another thread, as a subshell is, it stops code that never awaits; its `finally` may await."""
    said: list[str] = []

    async def work() -> None:
        cancellation = Cancellation()
        threading.Timer(0.05, cancellation.ask).start()
        try:
            while True:
                sum(range(1000))
        except asyncio.CancelledError:
            assert cancellation.asked
            raise
        finally:
            await asyncio.sleep(0.01)
            said.append("cleaned up")

    async def cell() -> None:
        with pytest.raises(asyncio.CancelledError):
            await interruptible(work())

    asyncio.run(cell())
    assert said == ["cleaned up"]
