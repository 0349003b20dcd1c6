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
from flyte_nb.execution.preview import result_preview
from flyte_nb.execution.stopping import StoppedInThread
from flyte_nb.workers.outcome import CANCELLED, FAILED, RETURNED
from flyte_nb.workers.signals import STRIKE

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from flyte_nb.crossing.definitions import Definitions
    from flyte_nb.crossing.parcel import Parcel
    from flyte_nb.model.task import Task
    from flyte_nb.worker.connection import Connection, Handle
    from flyte_nb.worker.strikes import Strikes

__all__ = ["Job", "Jobs", "current_job"]

_current: ContextVar[Job | None] = ContextVar("flyte_nb_job", default=None)


class Job:
    """One call of a task.

    Attributes:
        id: What the kernel calls it.
        task: The task.
        run: Another number for every run, in which no environment changes its version.
        line: Where its end is sent, if nothing was sent of it elsewhere that must be read before.
        has_written: Whether something was.
        stopping: Whether a strike is meant for it.
        heard: Whether it has been stopped: what it does since then is to clean up.
        interruptible: Whether the code of the task is what runs.
    """

    def __init__(
        self, number: int, task: Task[..., Any], run: int, line: Connection, tell: Callable[[tuple[Any, ...]], None]
    ) -> None:
        self.id, self.task, self.run, self.line, self._tell = number, task, run, line, tell
        self.has_written = self.stopping = self.heard = False
        self.interruptible = True
        self.awaited: asyncio.Task[None] | None = None

    def hears(self) -> bool:
        """Say whether it is to stop here, where it does not await: once."""
        if self.heard or not self.stopping:
            return False
        self.hear()
        return True

    def hear(self) -> None:
        """Note, and tell, that it has been stopped."""
        self.heard = True
        self._tell(("heard", self.id))


class Jobs:
    """Owns the calls that run in this process.

    Args:
        connection: On which the kernel says what to stop, and is told everything in order.
        strikes: Stop the code that runs.
        tasks: The tasks of the environment, by the names of their functions.
        definitions: What the user's names mean here.
        flush: Sends what calls have printed.
    """

    def __init__(
        self,
        connection: Connection,
        strikes: Strikes,
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
        strikes.heed(self._struck)

    def follow(self, line: Connection, handle: Handle) -> None:
        """Have every message that comes on `line` given to `handle`."""
        self._lines.append(line)
        line.read_on(self._loop, handle)

    def writes(self, number: int) -> None:
        """Note that something is sent that a call, if it runs, has written."""
        job = self._running.get(number)
        if job:
            job.has_written = True

    def begin(self, number: int, function: str, run: int, parcel: Parcel, line: Connection) -> None:
        """Run a call, which came on `line`; from whatever thread reads."""
        self._do(self._begin, number, function, run, parcel, line)

    def cancel(self, number: int, *, strike: bool) -> None:
        """Stop a call; with `strike`, also if it does not await. From whatever thread reads."""
        job = self._running.get(number)
        if job and job.task.is_async and not job.heard:
            self._do(self._cancel, job)
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
            with suppress(SystemExit, KeyboardInterrupt):  # which tasks of asyncio's let out of the loop
                self._loop.run_forever()
            if self._sync:  # outside of the loop, so that a sync task may run one of its own
                (job, parcel), self._sync = self._sync, None
                for line in self._lines:
                    line.read_in_thread(self._loop)
                copy_context().run(self._call, job, parcel)

    def _begin(self, number: int, function: str, run: int, parcel: Parcel, line: Connection) -> None:
        job = self._running[number] = Job(number, self._tasks[function], run, line, self._connection.send)
        if not job.task.is_async:
            self._sync = job, parcel
            self._loop.stop()
            return
        context = copy_context()
        context.run(_current.set, job)
        job.awaited = context.run(self._loop.create_task, self._await(job, parcel))
        job.awaited.add_done_callback(lambda _: self._never_began(job))

    def _never_began(self, job: Job) -> None:
        """Tell of a job that was cancelled before its first step; any other has told of itself."""
        if job.id in self._running:
            self._end(job, *self._failed(asyncio.CancelledError()))

    def _cancel(self, job: Job) -> None:
        if job.awaited:
            job.awaited.cancel()
            self._loop.call_soon(job.hear)  # once the loop gets that far, so has the task

    async def _await(self, job: Job, parcel: Parcel) -> None:
        try:
            work: Coroutine[Any, Any, Any] = self._made(job, parcel)
            try:
                result = await work
            finally:
                job.interruptible = False
            outcome = self._returned(job, result)
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
            outcome = self._returned(job, result)
        except BaseException as error:  # noqa: BLE001 - whatever a task raises is what becomes of it
            outcome = self._failed(error)
        self._end(job, *outcome)

    def _made(self, job: Job, parcel: Parcel) -> Any:
        """Return what the function of the task makes of the arguments in `parcel`."""
        args, kwargs = unpack(parcel, f"what {job.task.name} is given", self._definitions)
        check_arguments(job.task, args, kwargs)
        return job.task.function(*args, **kwargs)

    def _returned(self, job: Job, result: Any) -> tuple[int, Parcel, str]:
        name = job.task.name
        return RETURNED, pack(result, f"the result of {name}", self._definitions), result_preview(name, result)

    def _failed(self, error: BaseException) -> tuple[int, Parcel, str]:
        if isinstance(error, asyncio.CancelledError):
            return CANCELLED, pack_error(error, self._definitions), ""
        if not isinstance(error, Exception):  # SystemExit and the like end this process if anything, not the kernel
            error = RemoteError(type(error).__name__, str(error)).with_traceback(error.__traceback__)
        return FAILED, pack_error(error, self._definitions), ""

    def _end(self, job: Job, status: int, parcel: Parcel, returned: str) -> None:
        self._flush()
        del self._running[job.id]
        # Who reads the other line may wait for something else that is done here, and must not be waited for.
        at_once = not job.has_written and job.line.takes(parcel.payload)
        line = job.line if at_once else self._connection
        line.send(("done", job.id, status, parcel.payload, returned), parcel.memory)

    def _struck(self) -> None:
        """Stop the call whose code was interrupted, if it is to stop and was not stopped yet."""
        self._connection.look()
        self._loop.call_soon_threadsafe(_nothing)  # it may be asleep, and does not know of what was read
        job = _current.get()
        if job and job.interruptible and job.hears():
            raise StoppedInThread

    def only(self) -> Job | None:
        """Return the call that runs, if it is the only one."""
        with suppress(ValueError, RuntimeError):
            (job,) = self._running.values()
            return job
        return None


def _nothing() -> None:
    """Wake the loop."""


def current_job(jobs: Jobs) -> Job | None:
    """Return the call whose code runs here, if that can be told: threads need not carry the context."""
    return _current.get() or jobs.only()
