"""How a call in a worker ends."""

from __future__ import annotations

__all__ = ["CANCELLED", "FAILED", "RETURNED"]

RETURNED, FAILED, CANCELLED = 0, 1, 2
"""With a value, with an error, and with a cancellation: in messages, beside the parcel that holds it."""
