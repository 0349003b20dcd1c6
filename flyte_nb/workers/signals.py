"""The signal between a kernel and its workers."""

from __future__ import annotations

import signal

__all__ = ["STRIKE"]

STRIKE = signal.SIGUSR1
"""Makes the main thread of a worker look whether the call whose code it runs is to stop."""
