"""The virtual environments on this machine: one for each specification, shared by all who need what it holds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flyte_nb.errors import VenvError
from flyte_nb.venvs.building import build
from flyte_nb.venvs.commands import finished
from flyte_nb.venvs.locking import Lease, alone, locked_now, turn
from flyte_nb.venvs.place import Place, interpreter, remove

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from flyte_nb.venvs.specification import VenvSpec

    Log = Callable[[str], None]

__all__ = ["Venvs"]


class Venvs:
    """Virtual environments in a folder, which other processes use too.

    Attributes:
        folder: The folder; it may not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._place = Place(folder)

    def find(self, spec: VenvSpec) -> Path | None:
        """Return the interpreter of the virtual environment for `spec`, or None if that is not built, or broken."""
        return interpreter(self._place.venv(spec.key)) if self._place.is_whole(spec.key) else None

    async def ensure(self, spec: VenvSpec, log: Log) -> Path:
        """Return the interpreter of the virtual environment for `spec`, which is built if need be.

        If this is cancelled, or the process ends, the build ends, and nothing of it is left or what is left is removed
        by the next one. A lease that was taken before keeps what is returned from being collected.

        Args:
            spec: What it holds.
            log: Takes lines for people to read, while it is built; in the thread of the loop.

        Raises:
            VenvError: It cannot be built.
        """
        try:
            if python := await asyncio.to_thread(self._used, spec):
                return python
            await asyncio.to_thread(self._place.prepare)
            return await self._built(spec, log)
        except OSError as error:
            raise VenvError(str(spec), f"{error.strerror or error} ({error.filename or self._place.folder})") from error

    async def _built(self, spec: VenvSpec, log: Log) -> Path:
        key = spec.key
        async with alone(self._place.lock(key), lambda: log("waiting: another environment or kernel builds it")):
            if python := await asyncio.to_thread(self._used, spec):
                log("it is built")
                return python
            await asyncio.to_thread(self._clear, key)
            await self._build(spec, log)
        return interpreter(self._place.venv(key))

    async def _build(self, spec: VenvSpec, log: Log) -> None:
        aside = self._place.new_aside(spec.key)
        try:
            record = await build(spec, aside, self._place.venv(spec.key), log)
            await finished(asyncio.to_thread(self._place.finish, aside, record))
        finally:
            await finished(asyncio.to_thread(self._clear, spec.key))

    def _clear(self, key: str) -> None:
        """Remove what is aside of `key`; whoever builds it holds the lock, so nobody needs that any more."""
        for aside in self._place.asides(key):
            remove(aside)

    def _used(self, spec: VenvSpec) -> Path | None:
        python = self.find(spec)
        if python:
            self._place.touch(spec.key)
        return python

    def use(self, spec: VenvSpec) -> Lease:
        """Return a lease: until it is released, or this process ends, the virtual environment is not collected.

        Take it before `ensure`, so that nobody collects what that returns.

        Raises:
            VenvError: The folder cannot be written.
        """
        try:
            self._place.prepare()
            with turn(self._place.leases_lock):
                return Lease(self._place.new_lease(spec.key))
        except OSError as error:
            raise VenvError(str(spec), f"{error.strerror or error} ({error.filename or self._place.folder})") from error

    def unused(self, unused_for: float) -> list[str]:
        """Return the keys of those that were not used for so many seconds; workers may run in them all the same."""
        return [key for key in self._place.built() if self._place.unused_seconds(key) >= unused_for]

    def collect(self, keep: Collection[str], unused_for: float) -> list[str]:
        """Remove what nobody needs, and return the keys of it.

        Args:
            keep: The keys of those to keep.
            unused_for: Seconds since the last use; those that were used later are kept, and those in use.
        """
        collected = [key for key in self.unused(unused_for) if key not in keep and self._put_aside(key, unused_for)]
        self.sweep()
        return collected

    def sweep(self) -> None:
        """Remove what processes have left that were killed while they built, removed or used one."""
        if self._place.leases():
            with turn(self._place.leases_lock):
                for lease in self._place.leases():
                    _has_ended(lease)
        for key in {aside.name.partition(".")[0] for aside in self._place.asides()}:
            with locked_now(self._place.lock(key)) as is_mine:
                if is_mine:
                    self._clear(key)

    def _put_aside(self, key: str, unused_for: float) -> bool:
        """Take the environment away unless somebody builds or uses it, and say whether that was done."""
        with locked_now(self._place.lock(key)) as is_mine, turn(self._place.leases_lock):
            # Another process may have collected it by now, or used it.
            if not is_mine or key not in self.unused(unused_for) or not all(map(_has_ended, self._place.leases(key))):
                return False
            self._place.put_aside(key)
            return True


def _has_ended(lease: Path) -> bool:
    """Say whether the process that held `lease` has ended; then the file is removed."""
    with locked_now(lease) as is_mine:
        if is_mine:
            lease.unlink(missing_ok=True)
        return is_mine
