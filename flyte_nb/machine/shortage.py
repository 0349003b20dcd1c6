"""What somebody waits for, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.machine.amounts import bytes_text, counted
from flyte_nb.machine.stock import CORES, MEMORY, PROCESSES
from flyte_nb.model.quantities import UNIT

if TYPE_CHECKING:
    from flyte_nb.machine.stock import Demand, Stock

__all__ = ["shortage"]

_MOST_HOLDERS = 3


def shortage(stock: Stock, demand: Demand, short: int) -> str:
    """Return what `demand` lacks, which are the kinds in `short`: "2 cores: 1 is free; 1 GPU, which ml.train has"."""
    cores, memory, _, processes = stock.used
    claim = demand.claim
    lacks = (
        (CORES, f"{counted(claim.cores, 'core')}: {_free((stock.cores - cores) / UNIT)}"),
        (MEMORY, f"{bytes_text(claim.memory)} of memory: {bytes_text(stock.machine.memory - memory)} is free"),
        (PROCESSES, f"a process: {_free(stock.processes - processes)}"),
        (demand.gpu_kinds, _gpus(stock, demand)),
    )
    return "; ".join(words for kinds, words in lacks if kinds & short)


def _free(amount: float) -> str:
    if not amount:
        return "none is free"
    return f"{amount:.10g} {'is' if amount == 1 else 'are'} free"


def _gpus(stock: Stock, demand: Demand) -> str:
    model = demand.claim.gpu_model
    asked = counted(demand.claim.gpus, f"{model} GPU" if model else "GPU")
    holders = stock.gpu_holders(demand)
    if not holders:  # they are set aside for somebody who is ahead
        return asked
    names = ", ".join(holders[:_MOST_HOLDERS])
    more = f" and {len(holders) - _MOST_HOLDERS} more" if len(holders) > _MOST_HOLDERS else ""
    return f"{asked}, which {names}{more} {'has' if len(holders) == 1 else 'have'}"
