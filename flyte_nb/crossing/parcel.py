"""A value on its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flyte_nb.crossing.memory import Memory

__all__ = ["LARGE", "Parcel"]

LARGE = 256 * 1024
"""From how many bytes on something travels in shared memory."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A value as bytes.

    Attributes:
        payload: All of it but what is large.
        memory: What is large, or None.
    """

    payload: bytes
    memory: Memory | None = None
