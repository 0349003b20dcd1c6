"""Calls of tasks out of tasks: in a worker they all go through the kernel, which knows where they run."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from flyte_nb.crossing.exceptions import unpack_error
from flyte_nb.crossing.packing import pack_arguments, unpack
from flyte_nb.crossing.parcel import Parcel
from flyte_nb.errors import InvalidValueError
from flyte_nb.execution.call import AROSE
from flyte_nb.execution.inputs import check_arguments
from flyte_nb.execution.preview import inputs_preview
from flyte_nb.worker.jobs import current_job
from flyte_nb.workers.outcome import RETURNED
from flyte_nb.workers.tasks import ignored_by

if TYPE_CHECKING:
    from flyte_nb.crossing.definitions import Definitions
    from flyte_nb.crossing.memory import Memory
    from flyte_nb.execution.expected import Expect
    from flyte_nb.model.policies import Cache
    from flyte_nb.model.task import Task
    from flyte_nb.worker.jobs import Job, Jobs
    from flyte_nb.worker.requests import Answer, Requests
    from flyte_nb.workers.tasks import TaskShape

__all__ = ["Elsewhere"]

_MOST_SHAPES = 1_000


class Elsewhere:
    """Has the kernel run tasks, and tells what is known of those of other environments.

    Args:
        requests: What is asked of the kernel.
        definitions: What the user's names mean here.
    """

    def __init__(self, requests: Requests, definitions: Definitions) -> None:
        self._requests, self._definitions = requests, definitions
        self._shapes: dict[tuple[int, str, str], TaskShape] = {}
        self.jobs: Jobs | None = None

    def call(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call `task`: the value of a sync one, a coroutine of an async one."""
        __tracebackhide__ = True
        check_arguments(task, args, kwargs)
        if task.is_async:
            return self._awaited(task, args, kwargs)
        return self._blocking(task, args, kwargs)

    async def call_in_thread(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a sync `task`, and let others go on meanwhile."""
        __tracebackhide__ = True
        check_arguments(task, args, kwargs)
        return await self._awaited(task, args, kwargs)

    def call_and_wait(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call `task`, async or not, and return its value: this thread stands still meanwhile, with its loop."""
        __tracebackhide__ = True
        check_arguments(task, args, kwargs)
        return self._blocking(task, args, kwargs)

    async def run(self, task: object, _args: tuple[Any, ...], _kwargs: dict[str, Any], _on: object = None) -> Any:
        """Refuse: a run is what is begun from outside."""
        raise InvalidValueError("flyte.run", task, "was called inside of a task", "await train_model(config)")

    def expecting(self, _collector: object, task: str) -> Expect:
        """Return what tells the kernel how many calls of `task` a map is asked for, if it is known who maps."""
        job = self._known_job()

        def tell(calls: int, maps: int = 0) -> None:
            if job:
                self._requests.tell("expect", job.id, task, calls, maps, job=job)

        return tell

    def shape(self, environment: str, function: str) -> TaskShape:
        """Return how a task is called, in the version that its environment has in this run."""
        job = self._job()
        key = job.run, environment, function
        if key not in self._shapes:
            answer = self._requests.ask_and_wait("shape", job.id, environment, function, job=job)
            _, _, status, content, _ = answer[0]
            if status != RETURNED:
                raise unpack_error(Parcel(content), self._definitions)
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()  # of runs that are long over, for the most part
            self._shapes[key] = content
        return self._shapes[key]

    async def _awaited(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        __tracebackhide__ = True
        content, memory = self._asked(task, args, kwargs)
        return self._given(task, await self._requests.ask("call", False, *content, memory=memory, job=self._job()))

    def _blocking(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        __tracebackhide__ = True
        content, memory = self._asked(task, args, kwargs)
        return self._given(
            task, self._requests.ask_and_wait("call", _blocks_the_loop(), *content, memory=memory, job=self._job())
        )

    def _asked(
        self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], Memory | None]:
        """Return what to say of a call, and its shared memory."""
        job = self._job()
        parcel = pack_arguments(task.name, tuple(task.signature.parameters), args, kwargs, self._definitions)
        inputs = inputs_preview(task, args, kwargs) if args or kwargs else ""
        shape = self.shape(task.environment, task.name.partition(".")[2])
        ignored = _ignored(task, shape)
        digest = ""
        if ignored is not None:
            from flyte_nb.execution.caching.key import inputs_digest

            digest = inputs_digest(task.name, shape.signature, ignored, args, kwargs)
        return (job.id, task.name, inputs, digest, dict(task.overridden), parcel.payload), parcel.memory

    def _given(self, task: Task[..., Any], answer: Answer) -> Any:
        __tracebackhide__ = True
        (_, _, status, payload, arose), memory = answer
        parcel = Parcel(payload, memory)
        if status == RETURNED:
            return unpack(parcel, f"the result of {task.name}", self._definitions)
        error = unpack_error(parcel, self._definitions)
        if arose is not None:
            setattr(error, AROSE, arose)
        raise error

    def _known_job(self) -> Job | None:
        return current_job(self.jobs) if self.jobs else None

    def _job(self) -> Job:
        job = self._known_job()
        if job is None:
            problem = "is called where no task runs, or in a thread that does not say for which it works"
            example = "contextvars.copy_context().run(...) in the thread, or asyncio.to_thread"
            raise InvalidValueError("task", "a task", problem, example)
        return job


def _ignored(task: Task[..., Any], shape: TaskShape) -> frozenset[str] | None:
    if "cache" not in task.overridden:
        return shape.ignored
    policy: Cache | None = task.overridden["cache"]
    return ignored_by(policy) if policy else shape.ignored_by_default


def _blocks_the_loop() -> bool:
    """Say whether waiting here keeps the loop from running, and so every other call of this process."""
    if threading.current_thread() is not threading.main_thread():
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
