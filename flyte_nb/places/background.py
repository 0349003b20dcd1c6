"""A loop in a thread of its own, for code that must wait where a loop runs already."""

from __future__ import annotations

import asyncio
import os
import threading

__all__ = ["background_loop"]

_lock = threading.Lock()
_begun: tuple[int, asyncio.AbstractEventLoop] | None = None


def background_loop() -> asyncio.AbstractEventLoop:
    """Return the loop, which runs from when it is first asked for, to the end of the process."""
    global _begun
    with _lock:
        if _begun is None or _begun[0] != os.getpid():  # threads do not outlive a fork
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="flyte_nb-background", daemon=True).start()
            _begun = os.getpid(), loop
        return _begun[1]
