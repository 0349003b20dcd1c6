"""What calls in workers have returned, and what is kept of it: shared memory becomes bytes, and again shared memory."""

from __future__ import annotations

from typing import NamedTuple

from flyte_nb.crossing.memory import Memory
from flyte_nb.crossing.parcel import Parcel

__all__ = ["KeptParcel", "ReturnedParcel", "kept_parcel", "kept_preview", "opened"]

# Of what was kept before, nobody knows what it is in a few words.
KeptParcel = tuple[bytes, bytes] | tuple[bytes, bytes, str]


class ReturnedParcel(NamedTuple):
    """What a task has returned: the parcel, and the value in a few words."""

    parcel: Parcel
    preview: str


def kept_parcel(returned: ReturnedParcel) -> KeptParcel:
    """Return what can be kept of `returned`."""
    memory = returned.parcel.memory
    return returned.parcel.payload, bytes(memory.mapped()) if memory else b"", returned.preview


def kept_preview(kept: KeptParcel) -> str:
    """Return the value that is kept in a few words, without opening it; nothing if nobody knows."""
    return kept[2] if len(kept) > 2 else ""


def opened(kept: KeptParcel) -> ReturnedParcel:
    """Return what `kept` was made of."""
    payload, content = kept[:2]
    memory = Memory.holding([memoryview(content)])[0] if content else None
    return ReturnedParcel(Parcel(payload, memory), kept_preview(kept))
