"""Whose turn it is: tasks run when this machine has what they claim, and wait for it otherwise.

First come, first served; but who asks only for kinds of things that nobody ahead of it lacks may pass. Whoever was
passed for long is set aside all that it wants. A task that waits for one that it has called gives what it has to
others meanwhile, and gets it back before anybody who has not begun. So only those have anything who run and wait for
nobody: one of them ends at some time, and as each claim fits into the machine, everybody's turn comes.

All of this belongs to one loop: nothing here may be called from another thread.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from flyte_nb.machine.claims import Claim
from flyte_nb.machine.grants import Grant
from flyte_nb.machine.lines import Lines, Waiter
from flyte_nb.machine.stock import Stock
from flyte_nb.machine.stops import Stop
from flyte_nb.model.quantities import UNIT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flyte_nb.machine.detect import Machine
    from flyte_nb.machine.lines import Line
    from flyte_nb.machine.stock import Demand

__all__ = ["NOTHING", "PATIENCE_SECONDS", "Admission", "Grant"]

PATIENCE_SECONDS = 30.0
"""How long others may pass before all is set aside that the first in a line wants."""


NOTHING = Grant(Claim(), None, "")
"""What a task has that claims nothing."""


class Admission:
    """Gives tasks what they claim of one machine, each when its turn comes.

    Args:
        machine: What there is.
        processes: How many tasks may run at once that need a process of their own and declare nothing.
        clock: Tells the time in seconds.
    """

    def __init__(self, machine: Machine, processes: int, clock: Callable[[], float] = monotonic) -> None:
        self._stock = Stock(machine, processes)
        self._lines = Lines()
        self._clock = clock

    @property
    def used(self) -> Claim:
        """What is given now, all in all."""
        return _total(self._stock.used)

    @property
    def peak(self) -> Claim:
        """The most of each kind that was ever given at once."""
        return _total(self._stock.peak)

    async def acquire(self, claim: Claim, who: str, waiting: Callable[[str], None]) -> Grant:
        """Give what `claim` says, when its turn comes; at once, without giving way to others, if that is now.

        Args:
            claim: From `claim_of` for the same machine.
            who: The full name of the task, for others that wait for what it has.
            waiting: Is told what it waits for, whenever that changes: "1 GPU, which ml.train has".

        Raises:
            ValueError: There will never be so much.
        """
        if not (claim.cores or claim.memory or claim.gpus or claim.processes):
            return NOTHING
        demand = self._stock.demand(claim)
        grant = Grant(claim, demand, who)
        try:
            await self._turn(grant, demand, waiting)
        except BaseException:
            self.release(grant)  # its turn may have come in the same moment
            raise
        return grant

    def release(self, grant: Grant) -> None:
        """Take back what was given, for good: the task has ended. Who still waits for it to go on waits no more."""
        if grant.waiter:
            waiter = grant.waiter
            self._leave(waiter)
            waiter.end_wait()
        self.suspend(grant)
        grant.demand = None

    def suspend(self, grant: Grant) -> None:
        """Take back what was given, until `resume`; harmless if that was done already."""
        if grant.demand and grant.holds:
            grant.holds = False
            self._stock.give_back(grant.demand, grant.gpus)
            self._serve()

    async def resume(self, grant: Grant) -> None:
        """Give again what was given, before anybody who has not begun; harmless if that was done already."""
        if grant.demand and not grant.holds:
            await self._turn(grant, grant.demand, None)

    async def _turn(self, grant: Grant, demand: Demand, waiting: Callable[[str], None] | None) -> None:
        """Wait until `grant` holds what it claims; several may wait for the same to go on."""
        waiter = grant.waiter or self._join(grant, demand, waiting)
        if grant.holds:
            return
        from asyncio import get_running_loop

        future = get_running_loop().create_future()
        waiter.futures.append(future)
        try:
            await future
        finally:
            waiter.futures.remove(future)
            if grant.waiter is waiter and not waiter.futures:
                self._leave(waiter)

    def _join(self, grant: Grant, demand: Demand, waiting: Callable[[str], None] | None) -> Waiter:
        place = self._lines.place(has_begun=waiting is None)
        waiter = grant.waiter = Waiter(place, grant, demand, waiting)
        line = self._lines.join(waiter)
        if line.first is waiter:
            self._serve()
        else:
            line.tell_last()  # for those ahead of it nothing has changed
        return waiter

    def _leave(self, waiter: Waiter) -> None:
        self._lines.leave(waiter)
        waiter.grant.waiter = None
        self._serve()

    def _serve(self) -> None:
        """Give to all whose turn it is now, and tell the others what they wait for."""
        lines, stops = self._lines.present(), list[Stop]()
        while lines:
            line = min(lines, key=_place)
            first = line.first
            ahead = next((stop for stop in stops if stop.keeps_from(first)), None)
            if ahead or self._stock.short(first.demand):
                lines.remove(line)
                stops.append(Stop(line, self._stock, ahead, is_overdue=self._is_overdue(first)))
                continue
            self._give(first)
            for stop in stops:
                stop.was_passed(self._clock())
            if not line.waiters:
                lines.remove(line)
        for stop in stops:
            stop.tell()

    def _give(self, waiter: Waiter) -> None:
        grant = waiter.grant
        self._lines.leave(waiter)
        grant.gpus = self._stock.take(waiter.demand, grant.who, grant.gpus)
        grant.waiter, grant.holds = None, True
        waiter.end_wait()

    def _is_overdue(self, waiter: Waiter) -> bool:
        return waiter.passed is not None and self._clock() - waiter.passed > PATIENCE_SECONDS


def _place(line: Line) -> tuple[int, int]:
    return line.first.place


def _total(amounts: Sequence[int]) -> Claim:
    cores, memory, gpus, processes = amounts
    return Claim(cores / UNIT, memory, gpus, "", processes)
