"""What of the machine is free, and who has the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flyte_nb.machine.gpus import suits
from flyte_nb.model.quantities import UNIT

if TYPE_CHECKING:
    from flyte_nb.machine.claims import Claim
    from flyte_nb.machine.detect import Gpu, Machine

__all__ = ["CORES", "MEMORY", "PROCESSES", "Demand", "Stock"]

# The kinds of things that can be had, as bits; each model of GPUs is one more kind.
CORES, MEMORY, PROCESSES, _GPUS = 1, 2, 4, 8


@dataclass(frozen=True, slots=True)
class Demand:
    """A claim as it is counted.

    Attributes:
        claim: The claim.
        cores: Billionths of a core, so that sums are exact.
        gpu_kinds: The kinds of GPUs that suit it.
        kinds: All kinds of things that it asks for.
    """

    claim: Claim
    cores: int
    gpu_kinds: int
    kinds: int


class Stock:
    """All that the machine has, of which tasks have some for a while.

    Attributes:
        machine: The machine.
        processes: How many tasks may run at once that need a process of their own and declare nothing.
        used: What is taken now: cores (in billionths), bytes of memory, GPUs and processes.
        peak: The largest amounts of each that were ever taken at once.
    """

    def __init__(self, machine: Machine, processes: int) -> None:
        self.machine, self.processes = machine, processes
        self.cores = _billionths(machine.cores)
        self.used, self.peak = [0, 0, 0, 0], [0, 0, 0, 0]
        models = list(dict.fromkeys(gpu.model for gpu in machine.gpus))
        self._kind_of = {gpu: _GPUS << models.index(gpu.model) for gpu in machine.gpus}
        self._holders: dict[Gpu, str] = {}

    def demand(self, claim: Claim) -> Demand:
        """Return `claim` as it is counted.

        Raises:
            ValueError: There will never be so much.
        """
        cores = _billionths(claim.cores)
        suiting = [gpu for gpu in self.machine.gpus if claim.gpus and suits(gpu, claim.gpu_model)]
        has = (self.cores, self.machine.memory, len(suiting), self.processes)
        if any(map(int.__gt__, (cores, claim.memory, claim.gpus, claim.processes), has)):
            raise ValueError(f"{claim} is more than there is; make claims with claim_of")
        gpu_kinds = 0
        for gpu in suiting:
            gpu_kinds |= self._kind_of[gpu]
        kinds = (CORES if cores else 0) | (MEMORY if claim.memory else 0) | (PROCESSES if claim.processes else 0)
        return Demand(claim, cores, gpu_kinds, kinds | gpu_kinds)

    def short(self, demand: Demand) -> int:
        """Return the kinds of which less is free than is asked for; 0 if all is there."""
        cores, memory, _, processes = self.used
        claim, short = demand.claim, 0
        if cores + demand.cores > self.cores:
            short |= CORES
        if memory + claim.memory > self.machine.memory:
            short |= MEMORY
        if processes + claim.processes > self.processes:
            short |= PROCESSES
        if claim.gpus and len(self._suiting(demand)) < claim.gpus:
            short |= demand.gpu_kinds
        return short

    def take(self, demand: Demand, who: str, before: tuple[Gpu, ...] = ()) -> tuple[Gpu, ...]:
        """Take what is there, for `who`; return the GPUs: those that it had `before`, if they are free."""
        gpus: tuple[Gpu, ...] = ()
        if demand.claim.gpus:
            suiting = sorted(self._suiting(demand), key=lambda gpu: gpu not in before)
            gpus = tuple(suiting[: demand.claim.gpus])
            self._holders.update(dict.fromkeys(gpus, who))
        self._count(demand, 1)
        self.peak = list(map(max, self.peak, self.used))
        return gpus

    def give_back(self, demand: Demand, gpus: tuple[Gpu, ...]) -> None:
        """Give back what was taken."""
        for gpu in gpus:
            del self._holders[gpu]
        self._count(demand, -1)

    def gpu_holders(self, demand: Demand) -> list[str]:
        """Return who has GPUs that would suit."""
        return list(dict.fromkeys(who for gpu, who in self._holders.items() if self._kind_of[gpu] & demand.gpu_kinds))

    def _suiting(self, demand: Demand) -> list[Gpu]:
        return [gpu for gpu, kind in self._kind_of.items() if kind & demand.gpu_kinds and gpu not in self._holders]

    def _count(self, demand: Demand, sign: int) -> None:
        claim = demand.claim
        for at, amount in enumerate((demand.cores, claim.memory, claim.gpus, claim.processes)):
            self.used[at] += sign * amount


def _billionths(cores: float) -> int:
    return round(cores * UNIT)
