"""One call of a task of a local run: its attempts, each with what it claims of the machine, and a worker."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextvars import copy_context
from typing import TYPE_CHECKING

from flyte_nb.crossing.exceptions import unpack_error
from flyte_nb.errors import TaskTimeoutError, WorkerStartError
from flyte_nb.execution.attempts import limited
from flyte_nb.machine.admission import NOTHING
from flyte_nb.masking import declared_secrets
from flyte_nb.places.kept_parcels import ReturnedParcel, kept_parcel, kept_preview, opened
from flyte_nb.places.task_facts import with_policies
from flyte_nb.places.tracebacks import make_presentable
from flyte_nb.workers.bridging import run_elsewhere
from flyte_nb.workers.calls import WorkerCall
from flyte_nb.workers.nested import keep_parcel
from flyte_nb.workers.outcome import CANCELLED, RETURNED
from flyte_nb.workers.tasks import TaskShape

if TYPE_CHECKING:
    from flyte_nb.crossing.parcel import Parcel
    from flyte_nb.execution.call import Call, Collector
    from flyte_nb.machine.admission import Grant
    from flyte_nb.machine.claims import Claim
    from flyte_nb.places.kept_parcels import KeptParcel
    from flyte_nb.places.local_run import LocalRun
    from flyte_nb.places.task_facts import DeployedTaskFacts
    from flyte_nb.workers.calls import NestedCall
    from flyte_nb.workers.running import Outcome
    from flyte_nb.workers.worker import Worker

__all__ = ["LocalCall"]


class LocalCall:
    """A call that is to be made.

    Attributes:
        facts: What is known of the task.

    Args:
        run: The run that it is a part of.
        facts: As above.
        inputs: Its arguments in a few words.
        digest: The digest of its arguments, if its results are kept.
        parcel: Its arguments.
        caller: Who calls it.
    """

    def __init__(
        self,
        run: LocalRun,
        facts: DeployedTaskFacts,
        inputs: str,
        digest: str,
        parcel: Parcel,
        caller: Call | Collector | None,
    ) -> None:
        self._run, self.facts, self._inputs, self._parcel = run, facts, inputs, parcel
        self._digest, self._caller = digest, caller
        self._warm: Worker | None = None

    async def run(self, warm: Worker | None = None) -> Parcel:
        """Make the call, and return the parcel of its result.

        Args:
            warm: A worker, taken from the pool, that the first attempt has at once; with one, any loop will do. By
                default the pool gives one, on its own loop.
        """
        __tracebackhide__ = True
        self._warm = warm
        try:
            return await self._made()
        finally:
            if self._warm:  # it was not needed
                self._run.place.pool.give_back(self._warm)

    async def _made(self) -> Parcel:
        __tracebackhide__ = True
        runner, facts, target = self._run.place.runner, self.facts, self._run.target
        if not self._digest:
            called = runner.call_elsewhere(facts, target, self._inputs, self._caller, self._attempt, _preview)
            return (await called).parcel
        once, kept = self._attempt_to_keep, self._run.kept(facts, self._digest)
        result = await runner.call_elsewhere(facts, target, self._inputs, self._caller, once, kept_preview, kept)
        return opened(result).parcel

    async def _attempt_to_keep(self, call: Call, limit: float | None) -> KeptParcel:
        __tracebackhide__ = True
        return kept_parcel(await self._attempt(call, limit))

    async def _attempt(self, call: Call, limit: float | None) -> ReturnedParcel:
        __tracebackhide__ = True
        warm, self._warm = self._warm, None
        pool = self._run.place.pool
        if warm:
            outcome = await self._in_worker(call, warm, NOTHING, None, limit)
        elif asyncio.get_running_loop() is pool.loop:
            outcome = await self._when_ready(call, limit)
        else:  # it had a warm worker, and is tried again
            outcome = await run_elsewhere(pool.loop, lambda: self._when_ready(call, limit))
        status, parcel, preview = outcome
        if status == RETURNED:
            return ReturnedParcel(parcel, declared_secrets.masked_where_cut(preview))
        error = unpack_error(parcel, self._run.place.names)
        make_presentable(error, self._run.place.preparing.code)
        if status == CANCELLED and not isinstance(error, asyncio.CancelledError):
            error = asyncio.CancelledError()
        keep_parcel(error, parcel)
        raise error

    async def _when_ready(self, call: Call, limit: float | None) -> Outcome:
        """Run when everything is there, and there is room."""
        __tracebackhide__ = True
        place = self._run.place
        ready = await self._run.ready(self.facts.environment, call)
        alone = ready.is_alone or not self.facts.is_async
        grant = await self._turn(call, ready.claim_of(alone=alone))
        try:
            worker = await place.pool.take(ready.worker(grant.gpus), alone=alone)
            return await self._in_worker(call, worker, grant, ready.memory_limit, limit)
        except WorkerStartError as error:
            self._run.forget(self.facts.environment)  # something may have gone: the next call prepares it again
            make_presentable(error, place.preparing.code)
            raise
        finally:
            place.admission.release(grant)

    async def _in_worker(
        self, call: Call, worker: Worker, grant: Grant, memory_limit: int | None, limit: float | None
    ) -> Outcome:
        __tracebackhide__ = True
        caller = _Caller(self._run, call, grant)
        work = WorkerCall(call.id, self.facts.name, self._run.number, self._parcel, caller, memory_limit)
        try:
            running = worker.run(work)
            return await (running if limit is None else limited(self.facts, running, limit))
        finally:
            caller.end()
            self._run.place.pool.give_back(worker)

    async def _turn(self, call: Call, claim: Claim) -> Grant:
        """Wait until there is room for a call; meanwhile it says for what it waits."""
        runner, waited = self._run.place.runner, False

        def waiting(reason: str) -> None:
            nonlocal waited
            waited = True
            call.queue(reason)
            runner.tell(call)

        turn = self._run.place.admission.acquire(claim, call.task, waiting)
        limit = self.facts.timeout.max_queued_time
        try:
            grant = await (turn if limit is None else asyncio.wait_for(turn, limit.total_seconds()))
        except asyncio.TimeoutError:
            seconds = limit.total_seconds() if limit else 0.0
            raise TaskTimeoutError(call.task, seconds, queued=True) from None
        if waited:
            call.begin()
            runner.tell(call)
        return grant


def _preview(returned: ReturnedParcel) -> str:
    return returned.preview


class _Caller:
    """An attempt at a call, as its worker has it; used on the loop of the pool.

    Attributes:
        has_ended: Whether it has ended, and claims nothing any more.
        context: What was noted where it was begun.
    """

    def __init__(self, run: LocalRun, call: Call, grant: Grant) -> None:
        self._run, self._call, self._grant = run, call, grant
        self._under_way, self.has_ended = 0, False
        self._resuming: asyncio.Future[None] | None = None
        self._maps: Counter[str] = Counter()
        self.context = copy_context()

    def end(self) -> None:
        self.has_ended = True
        while self._maps:  # of which nobody else would say that they are over
            task, maps = self._maps.popitem()
            self._call.journal.expect(self._call.id, task, 0, -maps)

    def write(self, stream: str, text: str) -> None:
        self._run.write(self._call, stream, text)

    def expect(self, task: str, calls: int, maps: int) -> None:
        if not self.has_ended:
            self._maps[task] += maps
            self._call.journal.expect(self._call.id, task, calls, maps)

    def shape(self, environment: str, function: str) -> TaskShape:
        facts = self._run.facts(f"{environment}.{function}", self._call.task)
        default = self._run.version(environment).cache
        return TaskShape.of(facts.signature, facts.cache or default, default, is_async=facts.is_async)

    async def call(self, call: NestedCall) -> Parcel:
        facts = with_policies(self._run.facts(call.task, self._call.task), call.policies)
        admission = self._run.place.admission
        if not self._under_way:
            admission.suspend(self._grant)
        self._under_way += 1
        try:
            inputs = declared_secrets.masked_where_cut(call.inputs)  # a worker knows those of its environment alone
            result = await LocalCall(self._run, facts, inputs, call.digest, call.parcel, self._call).run()
        except asyncio.CancelledError:
            self._resume()  # who has given it up does not wait
            raise
        except BaseException:
            await self._resume()
            raise
        await self._resume()
        return result

    def _resume(self) -> asyncio.Future[None]:
        """Take back what the call has claimed, when nothing that it has called is under way."""
        self._under_way -= 1
        if self._under_way or self.has_ended:
            back: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            back.set_result(None)
            return back
        self._resuming = asyncio.ensure_future(self._run.place.admission.resume(self._grant))
        return self._resuming
