"""Calls that the kernel has sent: run on the loop if the task is async, and by the main thread itself if it is not.

So either can be stopped as in the kernel: what awaits is cancelled, and what computes or blocks is struck by a signal,
whose handler raises in the code of that very call, and nowhere else. What hears neither is killed from outside.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import suppress
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any

from flyte_nb.crossing.exceptions import pack_error
from flyte_nb.crossing.packing import pack, unpack
from flyte_nb.errors import RemoteError
from flyte_nb.execution.inputs import check_arguments
from flyte_nb.execution.stopping import StoppedInThread
from flyte_nb.workers.outcome import CANCELLED, FAILED, RETURNED
from flyte_nb.workers.signals import STRIKE

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from types import FrameType

    from flyte_nb.crossing.definitions import Definitions
    from flyte_nb.crossing.parcel import Parcel
    from flyte_nb.model.task import Task
    from flyte_nb.worker.connection import Connection, Handle

__all__ = ["Job", "Jobs", "current_job"]

_current: ContextVar[Job | None] = ContextVar("flyte_nb_job", default=None)


class Job:
    """One call of a task.

    Attributes:
        id: What the kernel calls it.
        task: The task.
        run: Another number for every run, in which no environment changes its version.
        line: Where what becomes of it is sent.
        stopping: Whether a strike is meant for it.
        interruptible: Whether the code of the task is what runs.
    """

    def __init__(self, number: int, task: Task[..., Any], run: int, line: Connection) -> None:
        self.id, self.task, self.run, self.line = number, task, run, line
        self.stopping, self.interruptible = False, True
        self.awaited: asyncio.Task[None] | None = None

    def is_stopping(self) -> bool:
        """Say whether a strike is meant for it."""
        return self.stopping


class Jobs:
    """Owns the calls that run in this process.

    Args:
        connection: On which the kernel says what to stop.
        tasks: The tasks of the environment, by the names of their functions.
        definitions: What the user's names mean here.
        flush: Sends what calls have printed.
    """

    def __init__(
        self,
        connection: Connection,
        tasks: Mapping[str, Task[..., Any]],
        definitions: Definitions,
        flush: Callable[[], None],
    ) -> None:
        self._connection, self._tasks = connection, tasks
        self._definitions, self._flush = definitions, flush
        self._loop = asyncio.new_event_loop()
        self._running: dict[int, Job] = {}
        self._lines: list[Connection] = []
        self._sync: tuple[Job, Parcel] | None = None
        signal.signal(STRIKE, self._struck)

    def follow(self, line: Connection, handle: Handle) -> None:
        """Have every message that comes on `line` given to `handle`."""
        self._lines.append(line)
        line.read_on(self._loop, handle)

    def line_of(self, number: int) -> Connection | None:
        """Return where what becomes of a call is sent, if it runs."""
        job = self._running.get(number)
        return job.line if job else None

    def begin(self, number: int, function: str, run: int, parcel: Parcel, line: Connection) -> None:
        """Run a call, which came on `line`; from whatever thread reads."""
        self._do(self._begin, number, function, run, parcel, line)

    def cancel(self, number: int, *, strike: bool) -> None:
        """Stop a call; with `strike`, also if it does not await. From whatever thread reads."""
        self._do(self._cancel, number)
        job = self._running.get(number)
        if job and (strike or not job.task.is_async):
            job.stopping = True
            if self._connection.has_thread:
                signal.pthread_kill(threading.main_thread().ident or 0, STRIKE)

    def _do(self, function: Callable[..., None], *args: Any) -> None:
        if self._connection.has_thread:
            self._loop.call_soon_threadsafe(function, *args)
        else:
            function(*args)

    def serve(self) -> None:
        """Run what comes, for ever."""
        asyncio.set_event_loop(self._loop)
        while True:
            self._loop.run_forever()
            if self._sync:  # outside of the loop, so that a sync task may run one of its own
                (job, parcel), self._sync = self._sync, None
                for line in self._lines:
                    line.read_in_thread(self._loop)
                copy_context().run(self._call, job, parcel)

    def _begin(self, number: int, function: str, run: int, parcel: Parcel, line: Connection) -> None:
        job = self._running[number] = Job(number, self._tasks[function], run, line)
        if not job.task.is_async:
            self._sync = job, parcel
            self._loop.stop()
            return
        context = copy_context()
        context.run(_current.set, job)
        job.awaited = context.run(self._loop.create_task, self._await(job, parcel))

    def _cancel(self, number: int) -> None:
        job = self._running.get(number)
        if job and job.awaited:
            job.awaited.cancel()

    async def _await(self, job: Job, parcel: Parcel) -> None:
        try:
            work: Coroutine[Any, Any, Any] = self._made(job, parcel)
            try:
                result = await work
            finally:
                job.interruptible = False
            outcome = RETURNED, pack(result, f"the result of {job.task.name}", self._definitions)
        except BaseException as error:  # noqa: BLE001 - whatever a task raises is what becomes of it
            outcome = self._failed(error)
        self._end(job, *outcome)

    def _call(self, job: Job, parcel: Parcel) -> None:
        _current.set(job)
        try:
            try:
                result = self._made(job, parcel)
            finally:
                job.interruptible = False
            outcome = RETURNED, pack(result, f"the result of {job.task.name}", self._definitions)
        except BaseException as error:  # noqa: BLE001 - whatever a task raises is what becomes of it
            outcome = self._failed(error)
        self._end(job, *outcome)

    def _made(self, job: Job, parcel: Parcel) -> Any:
        """Return what the function of the task makes of the arguments in `parcel`."""
        args, kwargs = unpack(parcel, f"what {job.task.name} is given", self._definitions)
        check_arguments(job.task, args, kwargs)
        return job.task.function(*args, **kwargs)

    def _failed(self, error: BaseException) -> tuple[int, Parcel]:
        if isinstance(error, asyncio.CancelledError):
            return CANCELLED, pack_error(error, self._definitions)
        if not isinstance(error, Exception):  # SystemExit and the like end this process if anything, not the kernel
            error = RemoteError(type(error).__name__, str(error)).with_traceback(error.__traceback__)
        return FAILED, pack_error(error, self._definitions)

    def _end(self, job: Job, status: int, parcel: Parcel) -> None:
        self._flush()
        del self._running[job.id]
        job.line.send(("done", job.id, status, parcel.payload), parcel.memory)

    def _struck(self, _number: int, _frame: FrameType | None) -> None:
        """Stop the call whose code was interrupted, if it is to stop."""
        self._connection.look()
        job = _current.get()
        if job and job.stopping and job.interruptible and not self._connection.is_reading:
            raise StoppedInThread

    def only(self) -> Job | None:
        """Return the call that runs, if it is the only one."""
        with suppress(ValueError, RuntimeError):
            (job,) = self._running.values()
            return job
        return None


def current_job(jobs: Jobs) -> Job | None:
    """Return the call whose code runs here, if that can be told: threads need not carry the context."""
    return _current.get() or jobs.only()
