"""What a task claims of the machine while it runs, going by the resources that its environment declares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flyte_nb.machine.amounts import bytes_text, counted
from flyte_nb.machine.gpus import suits
from flyte_nb.model.quantities import UNIT, parse_bytes, parse_cores

if TYPE_CHECKING:
    from flyte_nb.machine.detect import Machine
    from flyte_nb.model.resources import Resources

__all__ = ["Claim", "claim_of", "memory_limit"]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a task has while it runs, and nobody else; by default nothing.

    Attributes:
        cores: Cores.
        memory: Bytes.
        gpus: How many GPUs.
        gpu_model: Of which model, as Flyte names it; empty for any.
        processes: 1 if it needs a process of its own, of those that may run at once without declaring what they need.
    """

    cores: float = 0
    memory: int = 0
    gpus: int = 0
    gpu_model: str = ""
    processes: int = 0


def claim_of(resources: Resources | None, machine: Machine) -> tuple[Claim, tuple[str, ...]]:
    """Return what a task claims that asks for `resources`, and in words what it asks for beyond what `machine` has.

    It claims no more than there is: any GPUs where the model is missing, and none where there are none.
    """
    if resources is None:
        return Claim(), ()
    cores, memory = _cores(resources), _memory(resources, limit=False) or 0
    gpus, model = _gpus(resources)
    suiting = sum(suits(gpu, model) for gpu in machine.gpus)
    there = suiting or len(machine.gpus)
    claim = Claim(
        min(cores, machine.cores), min(memory, machine.memory), min(gpus, there), model if gpus and suiting else ""
    )
    kind = f"{model} GPU" if model and machine.gpus else "GPU"
    beyond = (
        (cores > machine.cores, f"{counted(cores, 'core')} of {machine.cores:g}"),
        (memory > machine.memory, f"{bytes_text(memory)} of memory of {bytes_text(machine.memory)}"),
        (gpus > suiting, f"{counted(gpus, kind)} " + (f"of {suiting}" if suiting else "where there is none")),
    )
    return claim, tuple(words for is_beyond, words in beyond if is_beyond)


def memory_limit(resources: Resources | None, machine: Machine) -> int | None:
    """Return how many bytes a task may use that asks for `resources`: the limit of a pair, or else what it asks for.

    No more than `machine` has; None if it declares nothing.
    """
    declared = None if resources is None else _memory(resources, limit=True)
    return None if declared is None else min(declared, machine.memory)


def _cores(resources: Resources) -> float:
    request = resources.cpu[0] if isinstance(resources.cpu, tuple) else resources.cpu
    return (parse_cores(request) or 0) / UNIT if isinstance(request, str) else float(request or 0)


def _memory(resources: Resources, *, limit: bool) -> int | None:
    if resources.memory is None:
        return None
    pair = resources.memory if isinstance(resources.memory, tuple) else (resources.memory, resources.memory)
    return -(-(parse_bytes(pair[limit]) or 0) // UNIT)


def _gpus(resources: Resources) -> tuple[int, str]:
    """Return how many, and of which model."""
    if not isinstance(resources.gpu, str):
        return resources.gpu or 0, ""
    model, _, count = resources.gpu.partition(":")
    return int(count or 1), model
