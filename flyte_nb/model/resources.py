"""What a task asks of the machine it runs on."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from flyte_nb.errors import InvalidTypeError, InvalidValueError
from flyte_nb.model.accelerators import accelerator_problem, nearest_accelerator
from flyte_nb.model.quantities import LARGEST, UNIT, nearest_size, parse_bytes, parse_cores
from flyte_nb.model.short_repr import short_repr

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Cores", "Resources"]

Cores = int | float | str
"""A number of cores, or a Kubernetes quantity such as "500m"."""

_CPU_EXAMPLE = '4, "500m" or (1, 4)'


@dataclass(frozen=True, slots=True, repr=False)
class Resources:
    """What a task asks for; None leaves a field to the cluster.

    A pair is (request, limit). Pairs given as lists become tuples.

    Attributes:
        cpu: Cores: a number from 0, a Kubernetes quantity such as "500m", or a pair of those.
        memory: Bytes as a Kubernetes quantity such as "512Mi", "16Gi" or "1G", or a pair of those.
        gpu: "MODEL:count" such as "A100:2", or a number of GPUs of any model.
        disk: Bytes of ephemeral disk, such as "10Gi".
        shm: Bytes of shared memory, such as "1Gi", or "auto" for all that the node has.

    Raises:
        InvalidTypeError: If a field has the wrong type.
        InvalidValueError: If a field means nothing, or a limit is below its request.
    """

    cpu: Cores | tuple[Cores, Cores] | None = None
    memory: str | tuple[str, str] | None = None
    gpu: int | str | None = None
    disk: str | None = None
    shm: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "cpu", _tuple_of_pair(self.cpu))
        object.__setattr__(self, "memory", _tuple_of_pair(self.memory))
        if self.cpu is not None:
            _check_amount("Resources.cpu", self.cpu, _cores, "(1, 4)")
        if self.memory is not None:
            _check_amount("Resources.memory", self.memory, _size, '("1Gi", "4Gi")')
        if self.gpu is not None:
            _check_gpu("Resources.gpu", self.gpu)
        if self.disk is not None:
            _size("Resources.disk", self.disk)
        if self.shm is not None and self.shm != "auto":
            _size("Resources.shm", self.shm, '"1Gi" or "auto"')

    __repr__ = short_repr


def _tuple_of_pair(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _check_amount(field: str, value: object, measure: Callable[[str, object], int], example: str) -> None:
    if not isinstance(value, tuple):
        measure(field, value)
        return
    if len(value) != 2:
        raise InvalidValueError(field, value, "is not a pair of request and limit", example)
    request, limit = (measure(field, part) for part in value)
    if limit < request:
        raise InvalidValueError(field, value, "has a limit below its request; write (request, limit)", example)


def _cores(field: str, value: object) -> int:
    """Return a number of cores in billionths of a core."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise InvalidTypeError(field, value, "a number of cores, a string or a pair of those", _CPU_EXAMPLE)
    if isinstance(value, str):
        cores = parse_cores(value)
    elif isinstance(value, float):
        # The shortest decimal that reads back is what a cluster is sent, so 0.1 is "100m" exactly.
        cores = parse_cores(float.__repr__(value)) if isfinite(value) else None
    else:
        cores = value * UNIT
    if cores is None:
        raise InvalidValueError(field, value, "is not a number of cores", _CPU_EXAMPLE)
    return _within(field, value, cores, least=0, limits="0 and 2**63 - 1 cores", example=_CPU_EXAMPLE)


def _size(field: str, value: object, example: str = '"512Mi"') -> int:
    """Return a number of bytes in billionths of a byte."""
    if not isinstance(value, str):
        raise InvalidTypeError(field, value, "a string with a unit", example)
    size = parse_bytes(value)
    if size is None:
        nearest = nearest_size(value)
        raise InvalidValueError(field, value, "is not a size in bytes", f'"{nearest}"' if nearest else example)
    return _within(field, value, size, least=UNIT, limits="1 and 2**63 - 1 bytes", example=example)


def _within(field: str, value: object, amount: int, *, least: int, limits: str, example: str) -> int:
    if not least <= amount <= LARGEST:
        raise InvalidValueError(field, value, f"is not between {limits}", example)
    return amount


def _check_gpu(field: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise InvalidTypeError(field, value, 'a "MODEL:count" string or a number of GPUs', '"A100:2" or 1')
    if isinstance(value, int):
        _within(field, value, value * UNIT, least=0, limits="0 and 2**63 - 1 GPUs", example='"A100:2" or 1')
        return
    if value.isascii() and value.isdecimal() and len(value) < 10:
        raise InvalidValueError(field, value, "is a number of GPUs as text", str(int(value)))
    problem = accelerator_problem(value)
    if problem:
        raise InvalidValueError(field, value, problem, f'"{nearest_accelerator(value)}"')
