"""The workers of a session: warm ones are used again, idle ones end, and all end with the session.

They live on a loop of their own, in a thread: they go on whatever the kernel's own loop does, and tasks that call each
other need the kernel's loop for nothing.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from time import monotonic
from typing import TYPE_CHECKING
from weakref import WeakSet

from flyte_nb.errors import WorkerStartError
from flyte_nb.workers.guarding import Guard
from flyte_nb.workers.worker import Worker, WorkerSpec

if TYPE_CHECKING:
    from flyte_nb.crossing.definitions import Definitions

__all__ = ["IDLE_SECONDS", "Pool"]

IDLE_SECONDS = 300.0
"""How long a worker that nobody uses is kept."""

_LOOK_SECONDS = 5.0
# Of more workers than these that nobody uses, the others are kept for a moment only: there was a burst.
_MOST_IDLE, _SURPLUS_SECONDS = 8, 10.0
_CLOSING_SECONDS = 5.0

_pools: WeakSet[Pool] = WeakSet()


class Pool:
    """Owns the workers; used on its loop, but for what says otherwise.

    Attributes:
        workers: Those that live.

    Args:
        names: What the user's names mean in this process.
        idle_seconds: How long a worker that nobody uses is kept.
    """

    def __init__(self, names: Definitions, idle_seconds: float = IDLE_SECONDS) -> None:
        self._names, self._idle_seconds = names, idle_seconds
        self.workers: list[Worker] = []
        self._guard = Guard()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        _pools.add(self)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop, which runs from when it is first asked for."""
        with self._lock:
            if self._loop is None:
                self._begin()
            assert self._loop  # noqa: S101 - it has begun
            return self._loop

    def _begin(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(self._loop,), name="flyte_nb-workers", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def forget(self) -> None:
        """Let go of everything, in a process that was forked: workers end when nobody else holds their connections."""
        for worker in self.workers:
            worker.forget()
        self._guard.forget()
        self._lock, self._loop, self._thread = threading.Lock(), None, None
        self.workers, self._guard = [], Guard()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        loop.call_later(_LOOK_SECONDS, self._end_idle)
        loop.run_forever()
        # Somebody may have come in the same moment.
        for task in (late := asyncio.all_tasks(loop)):
            task.cancel()
        loop.run_until_complete(asyncio.gather(*late, return_exceptions=True))
        loop.close()

    async def take(self, spec: WorkerSpec, *, alone: bool) -> Worker:
        """Return a worker that is as `spec` says, a warm one if there is one; it is to be given back.

        Args:
            spec: What it is to be.
            alone: Whether it is for this one call alone; others may be shared by any number of calls.

        Raises:
            WorkerStartError: It cannot start.
        """
        worker = self._take(spec, alone=alone)
        if worker is None:
            worker = self._started(spec, alone=alone)
        try:
            if not worker.ready.done():
                await asyncio.shield(worker.ready)
            worker.ready.result()
        except BaseException:
            self.give_back(worker)
            raise
        return worker

    def take_warm(self, spec: WorkerSpec) -> Worker | None:
        """Return a worker to share that is ready, if there is one; it is to be given back. From any thread."""
        return self._take(spec, alone=False, ready=True)

    def _take(self, spec: WorkerSpec, *, alone: bool, ready: bool = False) -> Worker | None:
        with self._lock:
            fit = [worker for worker in self.workers if worker.can_take(spec, alone=alone)]
            # Rather one that had such calls before: messages take longer to one that ever had a thread for them.
            worker = next((worker for worker in fit if worker.is_alone == alone), fit[0] if fit else None)
            if worker is None or (ready and not worker.is_ready):
                return None
            worker.is_alone = alone
            worker.users += 1
            return worker

    def give_back(self, worker: Worker) -> None:
        """Say that one call does not need `worker` any more. From any thread."""
        with self._lock:
            worker.users -= 1
            worker.idle_since = monotonic()

    def _started(self, spec: WorkerSpec, *, alone: bool) -> Worker:
        try:
            worker = Worker(spec, self._guard, self._names, self._forget)
        except OSError as error:
            raise WorkerStartError(spec.environment, str(error)) from error
        with self._lock:
            worker.is_alone, worker.users = alone, 1
            self.workers.append(worker)
        return worker

    def _forget(self, worker: Worker) -> None:
        with self._lock:
            if worker in self.workers:
                self.workers.remove(worker)

    def _end_idle(self) -> None:
        with self._lock:
            idle = sorted((worker for worker in self.workers if not worker.users), key=lambda worker: worker.idle_since)
            for number, worker in enumerate(reversed(idle)):
                patience = self._idle_seconds if number < _MOST_IDLE else min(_SURPLUS_SECONDS, self._idle_seconds)
                if monotonic() - worker.idle_since > patience:
                    worker.kill("")
        self._guard.look()
        asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._end_idle)

    def close(self) -> None:
        """End every worker; what runs there fails. Whatever comes later begins anew. From whatever other thread."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        atexit.unregister(self.close)
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._close(), loop)
        thread.join(_CLOSING_SECONDS)

    async def _close(self) -> None:
        workers = list(self.workers)
        for worker in workers:
            worker.kill("the session has let go of its workers")
        if workers:
            await asyncio.wait({worker.ended for worker in workers}, timeout=_CLOSING_SECONDS / 2)
        await asyncio.sleep(0)  # who waited for them hears of it
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others, timeout=_CLOSING_SECONDS / 2)
        self._guard.close()
        asyncio.get_running_loop().stop()


def _forked() -> None:
    for pool in list(_pools):
        pool.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
