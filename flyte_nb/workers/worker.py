"""A worker as the pool has it: what it is to be, what it runs, and how it is stopped.

All of it belongs to the loop of the pool, but for `run`, which is awaited on whatever loop.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

from flyte_nb.crossing.exceptions import unpack_error
from flyte_nb.crossing.parcel import Parcel
from flyte_nb.errors import TaskMemoryError, WorkerDiedError, WorkerStartError
from flyte_nb.masking import error_text
from flyte_nb.workers.bridging import run_elsewhere
from flyte_nb.workers.calls import NestedCall
from flyte_nb.workers.connection import Connection
from flyte_nb.workers.memory import MemoryWatch
from flyte_nb.workers.nested import NestedCalls
from flyte_nb.workers.process import WorkerProcess
from flyte_nb.workers.running import Outcome, Running
from flyte_nb.workers.tails import Tails

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flyte_nb.crossing.definitions import Definitions
    from flyte_nb.crossing.memory import Memory
    from flyte_nb.workers.calls import Caller, WorkerCall
    from flyte_nb.workers.guarding import Guard
    from flyte_nb.workers.starting import Beginning

__all__ = ["Worker", "WorkerSpec"]

# How long a task that is to stop may take to hear it: where it awaits, and then anywhere; and then to clean up.
_HEARING_SECONDS = 0.25
_GRACE_SECONDS = 1.0
_CLEANING_SECONDS = 3.0


@dataclass(frozen=True)
class WorkerSpec:
    """What a worker is to be; those that are equal can do the same calls.

    Attributes:
        python: The interpreter.
        beginning: What it runs.
        version: The fingerprint of the environment's bundle.
        variables: Its environment variables, sorted; some may be secret.
    """

    python: Path
    beginning: Beginning
    version: str
    variables: tuple[tuple[str, str], ...] = field(repr=False)

    @property
    def environment(self) -> str:
        """The name of the environment."""
        return self.beginning.environment


class Worker:
    """One worker process.

    Attributes:
        spec: What it is.
        ready: Done when it can run calls; WorkerStartError if it never will.
        is_alone: Whether it runs, or is to run, a call that has it for itself.
        is_doomed: Whether it was told to end, or will by itself.
        users: How many calls have it.
        ended: Done when nothing is left of its process.
        idle_since: Since when nobody has it, in the seconds of the monotonic clock.

    Args:
        spec: What it is to be.
        guard: Ends it when this process is killed.
        names: What the user's names mean in this process.
        forget: Called when it can no longer be used.
    """

    def __init__(self, spec: WorkerSpec, guard: Guard, names: Definitions, forget: Callable[[Worker], None]) -> None:
        self.spec = spec
        self.is_alone, self.is_doomed, self.users = False, False, 0
        self._names, self._forget = names, forget
        self._loop = asyncio.get_running_loop()
        self.idle_since = monotonic()
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self._running: dict[int, Running] = {}
        self._opening = threading.Lock()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._why = ""
        self._died: str | None = None
        self._over: TaskMemoryError | None = None
        self._process = WorkerProcess(spec.python, dict(spec.variables), guard)
        self._tails = Tails(self._process.outputs, self._write)
        self._connection = Connection(self._process.end, self._handle, self._gone)
        self._nested = NestedCalls(self._connection.send, self._caller, names)
        self._connection.send(("begin", spec.beginning))
        self._express: Connection | None = None

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid

    @property
    def is_ready(self) -> bool:
        """Whether it can run calls."""
        return self.ready.done() and not self.ready.exception()

    @property
    def is_blocked(self) -> bool:
        """Whether it waits for a call in a way that lets it do nothing else."""
        return self._nested.block

    def can_take(self, spec: WorkerSpec, *, alone: bool) -> bool:
        """Say whether it can take a call that needs a worker as `spec` says, for itself alone or not."""
        is_free = not self.users or not (alone or self.is_alone or self.is_blocked)
        return is_free and not self.is_doomed and (self.spec is spec or self.spec == spec)

    async def run(self, call: WorkerCall) -> Outcome:
        """Run `call`, and return how it has ended. Cancelled, it is stopped before the cancellation goes on.

        Raises:
            WorkerDiedError: The process has ended.
            TaskMemoryError: The process has used more memory than the call may.
        """
        running = self._running[call.id] = Running(call)
        if self._died is not None:
            running.end(None, self._died_in(running))
        function = call.task.partition(".")[2]
        parcel = call.parcel
        running.line = self._line()
        running.line.send(("run", call.id, function, call.run, parcel.payload), parcel.memory)
        watch = MemoryWatch(self.pid, call.memory_limit, self._exceeded) if call.memory_limit else None
        try:
            outcome = await running.outcome
        except asyncio.CancelledError:
            await self._stop(running)
            raise
        finally:
            del self._running[call.id]
            if watch:
                watch.end()
        if watch and watch.peak() > watch.limit:
            self.kill(f"{call.task} used too much memory")
            raise TaskMemoryError(call.task, watch.peak(), watch.limit)
        return outcome

    def _line(self) -> Connection:
        """Return the connection for a call from the loop that runs here: one that it reads itself, if it can be had.

        What comes back need not go over the loop of the pool then, which takes as long as all the rest.
        """
        if asyncio.get_running_loop() is self._loop:
            return self._connection
        with self._opening:
            if self._died is not None:
                return self._connection
            if self._express is None:
                self._express = Connection(self._process.express, self._handle_express, lambda: None)
            elif not self._express.is_attended:
                self._express.attend()
            return self._express if self._express.is_attended_here else self._connection

    def _exceeded(self, used: int, limit: int) -> None:
        (running,) = list(self._running.values())  # a call with a limit is alone
        self._over = TaskMemoryError(running.call.task, used, limit)
        self.kill("")

    async def _stop(self, running: Running) -> None:
        """Stop a call: first where it awaits, then between two steps of Python, then with its process."""
        if self._died is not None:
            return  # it is one of those whose end the end of the process has to wait for
        running.wait_anew()
        call, outcome = running.call, running.outcome
        try:
            for kind, seconds in (("cancel", _HEARING_SECONDS), ("strike", _GRACE_SECONDS)):
                if not (running.heard or running.is_over or outcome.done()):
                    # Where it was sent, so that it is known there by then; a strike has to be heard at any time.
                    line = running.line if running.line and kind == "cancel" else self._connection
                    line.send((kind, call.id))
                    self._process.strike()
                    await asyncio.wait({outcome}, timeout=seconds)
            if running.heard and not running.is_over:
                await asyncio.wait({outcome}, timeout=_CLEANING_SECONDS)
            if running.is_over:
                await asyncio.wait({outcome})
        finally:  # cancelled once more: nobody waits any longer
            if not outcome.done():
                outcome.cancel()
                if not running.is_over:
                    self.kill(f"{call.task}, which ran in it too, did not stop when it was to")
        if self._nested.of(call.id):
            await run_elsewhere(self._loop, lambda: self._nested.stop(call.id))

    def kill(self, why: str) -> None:
        """End the process; calls that it still runs fail, because of `why`."""
        self.is_doomed, self._why = True, why
        self._process.kill()

    def forget(self) -> None:
        """Let go of the connection, in a process that was forked: it is not this one's."""
        self._process.close_sockets()

    # What it says

    def _handle_express(self, message: tuple[Any, ...], memory: Memory | None) -> None:
        """Handle the end of a call that a loop of the caller's reads; what was written before it is noted before."""
        if self._tails.has_more():
            self._loop.call_soon_threadsafe(self._handle, message, memory)
        else:
            self._done(message, memory)

    def _done(self, message: tuple[Any, ...], memory: Memory | None) -> None:
        _, number, status, payload, returned = message
        running = self._running.get(number)
        if running:
            self._end(running, (status, Parcel(payload, memory), returned))

    def _handle(self, message: tuple[Any, ...], memory: Memory | None) -> None:
        kind = message[0]
        if kind == "done":
            self._tails.read()
            self._done(message, memory)
        elif kind == "heard":
            running = self._running.get(message[1])
            if running:
                running.heard = True
        elif kind == "log":
            self._write(message[2], message[3], message[1])
        elif kind == "ready" and not self.ready.done():
            self.ready.set_result(None)
        elif kind == "broken":
            self._broken(Parcel(message[1]))
        else:
            self._handle_nested(message, memory)

    def _handle_nested(self, message: tuple[Any, ...], memory: Memory | None) -> None:
        """Handle what is said of tasks that a task calls."""
        kind = message[0]
        if kind == "call":
            _, number, blocking, parent, task, inputs, digest, policies, payload = message
            called = NestedCall(task, inputs, digest, policies, Parcel(payload, memory))
            self._nested.begin(number, parent, called, blocking=blocking)
        elif kind == "expect":
            self._expect(*message[1:])
        elif kind == "shape":
            self._nested.tell_shape(*message[1:])
        elif kind == "drop":
            self._nested.give_up(message[1])

    def _end(self, running: Running, outcome: Outcome) -> None:
        given_up = self._nested.given_up_by(running.call.id)
        if given_up:
            self._loop.create_task(self._end_after(given_up, running, outcome))
        else:
            running.end(outcome)

    async def _end_after(self, given_up: set[asyncio.Task[None]], running: Running, outcome: Outcome) -> None:
        running.is_over = True
        running.call.caller.end()
        try:
            await asyncio.wait(given_up)
        finally:
            running.end(outcome)

    def _caller(self, number: int) -> Caller | None:
        running = self._running.get(number)
        return running.call.caller if running else None

    def _expect(self, number: int, task: str, calls: int, maps: int) -> None:
        caller = self._caller(number)
        if caller:
            caller.expect(task, calls, maps)

    def _write(self, stream: str, text: str, number: int = 0) -> None:
        """Tell the call `number`, or else the one that runs longest, of what was written."""
        running = self._running.get(number) or next(iter(list(self._running.values())), None)
        if running:
            running.call.caller.write(stream, text)

    def _broken(self, parcel: Parcel) -> None:
        error = unpack_error(parcel, self._names)
        failure = WorkerStartError(self.spec.environment, error_text(error))
        failure.__cause__ = error
        self.is_doomed = True  # it ends by itself; nobody else is to have it meanwhile
        self._fail_ready(failure)

    def _fail_ready(self, error: Exception) -> None:
        if not self.ready.done():
            self.ready.set_exception(error)
            self.ready.exception()  # or asyncio says that nobody asked for it

    # Its end

    def _gone(self) -> None:
        self._forget(self)
        self._loop.create_task(self._bury())

    async def _bury(self) -> None:
        how = await self._process.wait()
        self._tails.close()
        self._process.clear_up()
        self._fail_ready(WorkerStartError(self.spec.environment, f"it {how}. {self._tails.last}".strip()))
        with self._opening:
            self._died = f"{how}, because {self._why}" if self._why else how
        if self._express:
            self._express.close_soon()
        else:
            self._process.express.close()
        nested = self._nested.all()
        for task in nested:
            task.cancel()
        running = list(self._running.values())
        others = 0 if self._why else max(0, len(running) - 1)  # of a known cause nobody need be suspected
        await asyncio.gather(*(self._end_with_it(each, others) for each in running))
        if nested:
            await asyncio.wait(nested, timeout=_CLEANING_SECONDS)
        self.ended.set_result(None)

    async def _end_with_it(self, running: Running, others: int) -> None:
        """End a call when what it has called has ended, which may itself wait for others that ran here."""
        running.is_over = True
        running.call.caller.end()
        nested = self._nested.of(running.call.id)
        if nested:
            await asyncio.wait(nested)
        running.end(None, self._died_in(running, others))

    def _died_in(self, running: Running, others: int = 0) -> Exception:
        return self._over or WorkerDiedError(running.call.task, self._died or "", others)
