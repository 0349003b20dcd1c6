"""Who may do what with a virtual environment; the operating system lets go of a process that is killed."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from flyte_nb.venvs.commands import finished

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from filelock import BaseFileLock

__all__ = ["Lease", "alone", "locked_now", "turn"]

_POLL_SECONDS = 0.1


def _lock(file: Path) -> BaseFileLock:
    from filelock import FileLock

    return FileLock(file, thread_local=False)  # the loop takes it in one thread, and gives it back in another


@asynccontextmanager
async def alone(file: Path, waiting: Callable[[], None]) -> AsyncIterator[None]:
    """Hold the lock on `file`; `waiting` is called if somebody else has it."""
    lock = _lock(file)
    try:
        is_mine = await finished(asyncio.to_thread(_acquired, lock))
        if not is_mine:
            waiting()
        while not is_mine:
            await asyncio.sleep(_POLL_SECONDS)
            is_mine = await finished(asyncio.to_thread(_acquired, lock))
        yield
    finally:
        lock.release()


@contextmanager
def locked_now(file: Path) -> Iterator[bool]:
    """Hold the lock on `file` if nobody else has it, and say whether it is held."""
    lock = _lock(file)
    try:
        yield _acquired(lock)
    finally:
        lock.release()


@contextmanager
def turn(file: Path) -> Iterator[None]:
    """Hold the lock on `file`, which nobody has for longer than a moment."""
    with _lock(file):
        yield


class Lease:
    """As long as it is held, by a process that lives, a virtual environment is not collected."""

    def __init__(self, file: Path) -> None:
        self._file, self._lock = file, _lock(file)
        self._lock.acquire()

    def release(self) -> None:
        """Let go of it; once more does nothing."""
        if self._lock.is_locked:
            self._file.unlink(missing_ok=True)
            self._lock.release()

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()


def _acquired(lock: BaseFileLock) -> bool:
    from filelock import Timeout

    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True
