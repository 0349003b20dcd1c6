"""What the actions of a run on a cluster write, for the calls that stand for them."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from flyte_nb.sdk.failures import is_passing
from flyte_nb.sdk.running import lines_of
from flyte_nb.sdk.telling import told_to

if TYPE_CHECKING:
    from flyte_nb.execution.call import Call

__all__ = ["ClusterLogs"]

# How many are read at once; others wait, and lose nothing by that.
_AT_ONCE = 8
# A cluster does not say that nothing more will come. When the run has ended, so long a silence means it.
_SILENCE_SECONDS, _LONGEST_SECONDS = 1.0, 10.0
_AGAIN_SECONDS = 1.0


class ClusterLogs:
    """The logs of one run.

    Args:
        run: What the cluster calls the run.
    """

    def __init__(self, run: str) -> None:
        self._run = run
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._tails: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._last = 0.0

    def follow(self, action: str, attempt: int, call: Call) -> None:
        """Note with `call` what an attempt at an action writes, from now on; asked for again, it goes on."""
        if (action, attempt) not in self._tails:
            self._tails[action, attempt] = asyncio.ensure_future(self._unheard_tail(action, attempt, call))
            self._last = monotonic()

    async def quiet(self) -> None:
        """Wait until nothing more comes; the run has ended."""
        end = monotonic() + _LONGEST_SECONDS
        while any(not tail.done() for tail in self._tails.values()):
            now = monotonic()
            left = min(self._last + _SILENCE_SECONDS, end) - now
            if left <= 0:
                return
            await asyncio.wait(self._tails.values(), timeout=left)

    def close(self) -> None:
        """Read no more."""
        for tail in self._tails.values():
            tail.cancel()

    async def _unheard_tail(self, action: str, attempt: int, call: Call) -> None:
        with told_to(lambda _: None):  # what the SDK says of a stream that broke, which is taken up again
            await self._tail(action, attempt, call)

    async def _tail(self, action: str, attempt: int, call: Call) -> None:
        seen = 0
        async with self._gate:
            while True:
                number = 0
                try:
                    async for line in lines_of(self._run, action, attempt):
                        number += 1
                        if number > seen:  # what comes again after the connection was lost is known
                            seen, self._last = number, monotonic()
                            call.write("stdout", f"{line}\n")
                except Exception as error:  # noqa: BLE001 - a run without logs is a run
                    if not is_passing(error):
                        return
                    await asyncio.sleep(_AGAIN_SECONDS)
                else:
                    return
