"""What the tests of admission share: a loop without waiting, claims in short, and those who wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from flyte_nb.machine.admission import Admission
from flyte_nb.machine.detect import Gpu, Machine
from tests.deployment.fakes import VirtualTime

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flyte_nb.machine.claims import Claim
    from flyte_nb.machine.grants import Grant

GIB = 2**30
GPUS = (Gpu("0", "NVIDIA A100-SXM4-80GB"), Gpu("1", "NVIDIA A100-SXM4-80GB"), Gpu("2", "Tesla T4"))
MACHINE = Machine(4.0, 8 * GIB, GPUS)


def play(story: Callable[[Queue], Awaitable[Any]], machine: Machine = MACHINE, processes: int = 2) -> Queue:
    """Return the queue after a story about it; where nothing would ever happen any more, that is an error."""
    loop = VirtualTime()
    try:
        queue = Queue(Admission(machine, processes, loop.time))
        loop.run_until_complete(story(queue))
        return queue
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(settled())
        loop.close()


class Queue:
    """Tasks that come to be admitted.

    Attributes:
        admission: What admits them.
        begun: The names of those who were let go, in order.
        told: What each was told it waits for, in order.
    """

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.begun: list[str] = []
        self.told: dict[str, list[str]] = {}

    async def come(self, who: str, claim: Claim) -> asyncio.Task[Grant]:
        """Let a task come; it has begun, or waits."""
        coming = asyncio.ensure_future(self._acquire(who, claim))
        await settled()
        return coming

    async def leave(self, *tasks: asyncio.Task[Grant]) -> None:
        """Let tasks end."""
        for task in tasks:
            self.admission.release(await task)
        await settled()

    async def _acquire(self, who: str, claim: Claim) -> Grant:
        grant = await self.admission.acquire(claim, who, self.told.setdefault(who, []).append)
        self.begun.append(who)
        return grant


async def settled() -> None:
    """Let all go on who can."""
    for _ in range(5):
        await asyncio.sleep(0)
