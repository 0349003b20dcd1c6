"""Parcels of results that are kept: shared memory becomes bytes, and again shared memory."""

from __future__ import annotations

from flyte_nb.crossing.memory import Memory
from flyte_nb.crossing.parcel import Parcel

__all__ = ["KeptParcel", "kept_parcel", "opened"]

KeptParcel = tuple[bytes, bytes]


def kept_parcel(parcel: Parcel) -> KeptParcel:
    """Return what can be kept of `parcel`."""
    return parcel.payload, bytes(parcel.memory.mapped()) if parcel.memory else b""


def opened(kept: KeptParcel) -> Parcel:
    """Return the parcel that `kept` was made of."""
    payload, content = kept
    return Parcel(payload, Memory.holding([memoryview(content)])[0] if content else None)
