"""Stopping a call that runs in a worker."""

from __future__ import annotations

import asyncio
from typing import Any

from flyte_nb.workers.outcome import RETURNED
from flyte_nb.workers.running import Running


def test_an_end_in_the_moment_of_the_cancellation_is_heard() -> None:
    """Who waits anew, after it was cancelled, waits for nothing if the call has ended meanwhile."""

    async def cancelled_while_it_ends() -> Any:
        running = Running(None)  # type: ignore[arg-type]  # which call it is makes no difference here
        running.outcome.cancel()
        running.end((RETURNED, None))  # type: ignore[arg-type]
        running.wait_anew()
        return await asyncio.wait_for(running.outcome, 10)

    assert asyncio.run(cancelled_while_it_ends()) == (RETURNED, None)
