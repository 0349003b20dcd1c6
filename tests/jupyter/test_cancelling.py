"""A run is stopped from its view, whether it awaits or computes."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

import flyte_nb as flyte
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


def test_calls_that_compute_side_by_side_are_cancelled_before_the_next_begins() -> None:
    """Asked while one computes, the others never begin; the clean-up of each caller is complete."""
    began: list[str] = []
    tidied: list[str] = []
    env = flyte.TaskEnvironment("e")

    @env.task
    async def compute(name: str) -> None:
        began.append(name)
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            pass

    async def caller(name: str) -> None:
        try:
            for _ in range(3):
                await compute(name)
        finally:
            await asyncio.sleep(0.01)
            tidied.append(name)

    async def work() -> None:
        cancellation = Cancellation()
        threading.Timer(0.05, cancellation.ask).start()
        with cancellation.before_calls():
            callers = [asyncio.ensure_future(caller(name)) for name in "ab"]
            try:
                await asyncio.gather(*callers)
            finally:
                await asyncio.wait(callers)

    async def cell() -> None:
        with pytest.raises(asyncio.CancelledError):
            await interruptible(work())

    asyncio.run(cell())
    assert began == ["a"]
    assert sorted(tidied) == ["a", "b"]
