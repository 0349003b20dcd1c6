"""The gate before each call of a run that somebody may ask to stop."""

from __future__ import annotations

import asyncio
import time

import pytest

import flyte_nb as flyte
from flyte_nb.execution.gate import Gate


def computing(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def test_a_shut_gate_refuses_a_sync_call_once() -> None:
    """It ends the task as a cancellation would, and what that calls to clean up begins."""
    began: list[str] = []
    env = flyte.TaskEnvironment("e")

    @env.task
    def called(name: str) -> None:
        began.append(name)

    async def work() -> None:
        try:
            called("too late")
        finally:
            called("tidy")

    async def main() -> None:
        gate = Gate(asyncio.get_running_loop())
        with gate.before_calls():
            called("in time")
            gate.shut()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.ensure_future(work())
            assert gate.told.is_set()
        called("outside")

    asyncio.run(main())
    assert began == ["in time", "tidy", "outside"]


@pytest.mark.parametrize("in_thread", [False, True])
def test_what_is_awaited_waits_at_a_shut_gate(in_thread: bool) -> None:
    """The loop cancels it there, once, so that its clean-up may await; what is not cancelled goes on."""
    began: list[str] = []
    env = flyte.TaskEnvironment("e")

    @env.task
    async def awaited(name: str) -> None:
        began.append(name)

    @env.task
    def called(name: str) -> None:
        began.append(name)

    async def work(name: str) -> None:
        try:
            await (called.aio(name) if in_thread else awaited(name))
        finally:
            await asyncio.sleep(0.01)
            await awaited(f"tidy {name}")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        gate = Gate(loop)
        with gate.before_calls():
            cancelled, going_on = asyncio.ensure_future(work("too late")), asyncio.ensure_future(work("later"))
            gate.shut()
            loop.call_later(0.01, lambda: (gate.open(), cancelled.cancel()))
            with pytest.raises(asyncio.CancelledError):
                await cancelled
            await going_on

    asyncio.run(main())
    assert sorted(began) == ["later", "tidy later", "tidy too late"]


@pytest.mark.parametrize("gathered", [False, True])
def test_a_loop_that_calls_keep_busy_gets_turns_between_them(gathered: bool) -> None:
    """What the loop was asked to do before a call ended is done before the next begins; the order stays."""
    said: list[object] = []
    env = flyte.TaskEnvironment("e")

    @env.task
    async def compute(number: int) -> None:
        said.append(number)
        asyncio.get_running_loop().call_soon(said.append, f"heard {number}")
        computing(0.15)

    async def main() -> None:
        with Gate(asyncio.get_running_loop()).before_calls():
            if gathered:
                await asyncio.gather(*[compute(number) for number in range(3)])
            else:
                for number in range(3):
                    await compute(number)
            await asyncio.sleep(0)

    asyncio.run(main())
    assert said == [0, "heard 0", 1, "heard 1", 2, "heard 2"]
