"""Whatever calls whatever, and whoever is cancelled: all ends, and nobody ever has more than there is."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from flyte_nb.machine.admission import Admission
from flyte_nb.machine.claims import Claim
from tests.deployment.fakes import VirtualTime
from tests.machine.queues import GIB, MACHINE

if TYPE_CHECKING:
    from flyte_nb.machine.detect import Gpu
    from flyte_nb.machine.grants import Grant
    from flyte_nb.machine.lines import Waiter

PROCESSES = 2
MODELS = {"": 3, "A100": 2, "T4": 1}


@dataclass
class Wanted:
    """A task as it is to happen: what it claims, how long it runs, and what it calls, one group after the other."""

    claim: Claim
    seconds: int
    cancelled_after: int | None
    groups: list[list[Wanted]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return 1 + sum(inner.size for group in self.groups for inner in group)


@st.composite
def claims(draw: st.DrawFn) -> Claim:
    model = draw(st.sampled_from(sorted(MODELS)))
    gpus = draw(st.integers(0, MODELS[model]) | st.just(0))
    cores, memory = draw(st.sampled_from([0, 0.1, 0.5, 1, 3.9, 4])), draw(st.sampled_from([0, GIB, 5 * GIB, 8 * GIB]))
    return Claim(cores, memory, gpus, model if gpus else "", draw(st.integers(0, 1)))


def wanted(children: st.SearchStrategy[list[list[Wanted]]]) -> st.SearchStrategy[Wanted]:
    ends = st.sampled_from([None, None, None, None, 0, 1, 5, 40])
    return st.builds(Wanted, claims(), st.sampled_from([0, 1, 2, 50]), ends, children)


TREES = st.recursive(
    wanted(st.just([])),
    lambda inner: wanted(st.lists(st.lists(inner, min_size=1, max_size=4), max_size=2)),
    max_leaves=12,
)


class Watched(Admission):
    """An admission that is watched when it gives."""

    def _give(self, waiter: Waiter) -> None:
        waiting = [line.first for line in self._lines.present() if line.first.place < waiter.place]
        for other in waiting:
            lacks = other.demand.kinds if other.has_begun and not waiter.has_begun else self._stock.short(other.demand)
            assert not waiter.demand.kinds & lacks, "it must not pass"
        super()._give(waiter)
        used = self.used
        assert used.cores <= MACHINE.cores
        assert used.memory <= MACHINE.memory
        assert used.gpus <= len(MACHINE.gpus)
        assert used.processes <= PROCESSES


class Play:
    """Tasks that do what is wanted, and watch what they have."""

    def __init__(self, admission: Admission) -> None:
        self.admission, self.ended = admission, 0
        self.has: dict[Gpu, Grant] = {}

    async def call(self, task: Wanted) -> None:
        """Run `task`, or cancel it meanwhile."""
        running = asyncio.ensure_future(self.run(task))
        try:
            await asyncio.wait({running}, timeout=task.cancelled_after)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            self.ended += 1

    async def run(self, task: Wanted) -> None:
        grant = await self.admission.acquire(task.claim, "env.task", lambda words: None)
        try:
            await self.work(task, grant)
            for group in task.groups:
                self.admission.suspend(grant)
                await asyncio.gather(*map(self.call, group))
                await self.admission.resume(grant)
                await self.work(task, grant)
        finally:
            self.admission.release(grant)

    async def work(self, task: Wanted, grant: Grant) -> None:
        assert len(grant.gpus) == task.claim.gpus
        assert all(task.claim.gpu_model in gpu.model for gpu in grant.gpus)
        assert not self.has.keys() & set(grant.gpus), "somebody else has it"
        self.has.update(dict.fromkeys(grant.gpus, grant))
        try:
            await asyncio.sleep(task.seconds)
        finally:
            for gpu in grant.gpus:
                del self.has[gpu]


@given(st.lists(TREES, min_size=1, max_size=5))
@settings(max_examples=300)
def test_everything_ends_within_the_budget(trees: list[Wanted]) -> None:
    """Every task ends, nothing is given twice, and those who go on are before those who begin."""
    loop = VirtualTime()
    admission = Watched(MACHINE, PROCESSES, loop.time)
    play = Play(admission)

    async def all_of_them() -> None:
        await asyncio.gather(*map(play.call, trees))

    try:
        loop.run_until_complete(all_of_them())
    finally:
        loop.close()
    assert admission.used == Claim()
    assert admission._lines.present() == []
    if all(task.cancelled_after is None for task in _all(trees)):
        assert play.ended == sum(tree.size for tree in trees)


def _all(trees: list[Wanted]) -> list[Wanted]:
    return [*trees, *(found for tree in trees for group in tree.groups for found in _all(group))]
