"""What this machine has: as much as this process may use, which in a container is less than what is built in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flyte_nb.machine.gpus import Gpu, visible_gpus
from flyte_nb.machine.limits import core_limit, memory_limit

__all__ = ["Gpu", "Machine", "this_machine"]


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to run tasks with.

    Attributes:
        cores: How many cores may be busy at once, on average; a container may have a part of one.
        memory: Bytes.
        gpus: Those that are visible.
    """

    cores: float
    memory: int
    gpus: tuple[Gpu, ...] = ()


@lru_cache(maxsize=1)
def this_machine() -> Machine:
    """Return what this process may use, as it was when it was asked first."""
    import psutil

    root = Path("/")
    limits = [limit for limit in (core_limit(root), _affinity()) if limit]
    cores = min(limits, default=float(psutil.cpu_count() or 1))
    memory = min(memory_limit(root) or psutil.virtual_memory().total, psutil.virtual_memory().total)
    return Machine(cores, memory, visible_gpus())


def _affinity() -> float | None:
    """Return on how many cores this process may run, where the system says it."""
    import psutil

    affinity = getattr(psutil.Process(), "cpu_affinity", None)  # not on macOS
    return float(len(affinity())) if affinity else None
