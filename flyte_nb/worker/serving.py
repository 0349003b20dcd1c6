"""The life of a worker: it begins with the kernel's first message, and ends with the kernel."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flyte_nb.crossing.exceptions import pack_error
from flyte_nb.crossing.parcel import Parcel
from flyte_nb.session import session
from flyte_nb.worker.children import offer
from flyte_nb.worker.connection import Connection
from flyte_nb.worker.elsewhere import Elsewhere
from flyte_nb.worker.jobs import Jobs, current_job
from flyte_nb.worker.loading import install, load
from flyte_nb.worker.names import names_of_worker
from flyte_nb.worker.output import take_output
from flyte_nb.worker.requests import Requests
from flyte_nb.worker.strikes import Strikes

if TYPE_CHECKING:
    from flyte_nb.crossing.memory import Memory
    from flyte_nb.workers.starting import Beginning

__all__ = ["serve"]

# Where the machine runs out of memory, Linux ends workers before the kernel.
_ENDS_EARLY = "500"


def serve(descriptor: int, express: int) -> None:
    """Serve the kernel, for ever: when it ends, so does this process.

    Args:
        descriptor: Of the socket for all that is said.
        express: Of the socket for calls, and what becomes of them, that a loop of the kernel itself reads.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the kernel's to understand
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_ENDS_EARLY, encoding="ascii")
    strikes = Strikes()
    connection = Connection(descriptor, strikes)
    beginning: Beginning = connection.first()[1]
    worker = _Worker(connection, Connection(express, strikes), strikes, beginning)
    worker.begin(beginning)


class _Worker:
    def __init__(self, connection: Connection, express: Connection, strikes: Strikes, beginning: Beginning) -> None:
        self._connection, self._express, self._strikes = connection, express, strikes
        self._requests = Requests(connection)
        self._names = names_of_worker(beginning.environment, beginning.module, self._shape)
        self._elsewhere = Elsewhere(self._requests, self._names)
        self._flush, self._give_output_back = take_output(self._writing_job, self._tell)
        os.register_at_fork(after_in_child=self._forked)
        self._jobs: Jobs | None = None

    def begin(self, beginning: Beginning) -> None:
        """Import the environment's module, say that it is done, and run what comes."""
        home: Any = session()
        home.call, home.call_in_thread = self._elsewhere.call, self._elsewhere.call_in_thread
        home.call_and_wait, home.runner.run = self._elsewhere.call_and_wait, self._elsewhere.run
        home.runner.expecting = self._elsewhere.expecting
        try:
            install(beginning, self._elsewhere.shape)
            load(beginning)
            offer(beginning)
        except BaseException as error:  # noqa: BLE001 - importing runs code of the user's
            self._flush()
            self._connection.send(("broken", pack_error(error, self._names).payload))
            sys.exit(1)
        tasks = {task.function.__name__: task for task in session().tasks(beginning.environment).values()}
        self._jobs = self._elsewhere.jobs = Jobs(self._connection, self._strikes, tasks, self._names, self._flush)
        self._jobs.follow(self._connection, self._handle)
        self._jobs.follow(self._express, self._handle_express)
        self._flush()
        self._connection.send(("ready",))
        self._jobs.serve()

    def _forked(self) -> None:
        """Let go of the kernel, in a process that a task has forked: it would not learn of this one's end."""
        self._connection.forget()
        self._express.forget()
        self._give_output_back()

    def _handle(self, message: tuple[Any, ...], memory: Memory | None) -> None:
        """Do what the kernel says, in whatever thread reads."""
        kind, number = message[:2]
        if kind == "answer":
            self._requests.answered(number, message, memory)
        elif self._jobs is None:
            raise AssertionError(f"{kind} came before this worker was ready")
        elif kind == "run":
            self._run(self._jobs, self._connection, message, memory)
        else:
            self._jobs.cancel(number, strike=kind == "strike")

    def _handle_express(self, message: tuple[Any, ...], memory: Memory | None) -> None:
        if self._jobs and message[0] == "run":
            self._run(self._jobs, self._express, message, memory)
        elif self._jobs:
            self._jobs.cancel(message[1], strike=False)

    def _run(self, jobs: Jobs, line: Connection, message: tuple[Any, ...], memory: Memory | None) -> None:
        _, number, function, run, payload = message
        jobs.begin(number, function, run, Parcel(payload, memory), line)

    def _shape(self, environment: str, function: str) -> Any:
        return self._elsewhere.shape(environment, function)

    def _writing_job(self) -> int:
        job = current_job(self._jobs) if self._jobs else None
        return job.id if job else 0

    def _tell(self, job: int, stream: str, text: str) -> None:
        if self._jobs:
            self._jobs.writes(job)
        self._connection.send(("log", job, stream, text))
