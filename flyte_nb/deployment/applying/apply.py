"""Apply a plan to a target: whatever is ready is done at once, up to a limit; a failure stops its dependents only."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from flyte_nb.deployment.applying.attempt import Attempt
from flyte_nb.deployment.applying.policy import Policy
from flyte_nb.deployment.applying.progress import Progress, utc_now
from flyte_nb.deployment.applying.status import Deployment, State
from flyte_nb.deployment.applying.workers import Workers
from flyte_nb.deployment.planning.expectations import by_urgency
from flyte_nb.deployment.planning.plan import Action
from flyte_nb.graph import Schedule

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.deployment.applying.record import Record
    from flyte_nb.deployment.planning.plan import Plan
    from flyte_nb.targets.protocol import Target

__all__ = ["Policy", "apply_plan"]

# Work that takes less may not have given way to others: a button, or an interrupt.
_INSTANT_SECONDS = 0.001


async def apply_plan(
    plan: Plan, bundles: Mapping[str, Bundle], target: Target, policy: Policy, record: Record
) -> Deployment:
    """Do what `plan` says, and return what became of it once `record` has settled.

    If the caller is cancelled, what is under way is cancelled and waited for, what has not started never does, and the
    cancellation goes on when the record has settled. Cancelled once more, it waits no longer for what will not stop,
    whose fate is then told as lost. In the same way it ends when the record fails, or the target wants the process to
    end (KeyboardInterrupt, SystemExit): what they raised is raised.

    Raises:
        DeploymentBlockedError: The plan has steps that cannot be taken; nothing was done.
    """
    plan.raise_if_blocked()
    return await _Application(plan, bundles, target, policy, record).run()


class _Application:
    """One run of a plan: owns what is under way, what waits for its next try, and why it was stopped."""

    def __init__(
        self, plan: Plan, bundles: Mapping[str, Bundle], target: Target, policy: Policy, record: Record
    ) -> None:
        self._bundles, self._target, self._policy, self._record = bundles, target, policy, record
        self._steps = {step.name: step for step in plan.steps}
        self._schedule = Schedule(by_urgency(plan.steps), {step.name: step.depends_on for step in plan.steps})
        self._progress = Progress(self._steps, record, self._stop)
        self._order: list[str] = []
        self._workers = Workers(policy.max_concurrency, self._work, self._go_on)
        self._running: dict[str, Attempt] = {}
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._quiet = asyncio.Event()  # nothing is under way, and nothing will be
        self._stopped_by: BaseException | None = None

    async def run(self) -> Deployment:
        started = utc_now()
        try:
            self._pass_unchanged()
            self._go_on()
            await self._quiet.wait()
        except GeneratorExit:
            raise  # the loop was closed over it
        except BaseException as error:  # noqa: BLE001 - most likely the caller is cancelled; it is raised below
            self._stop(error)
            with suppress(asyncio.CancelledError):  # asked once more: something will not stop
                await self._quiet.wait()
        self._conclude()
        await self._settle()
        if self._stopped_by:
            raise self._stopped_by
        statuses = tuple(self._progress.statuses.values())
        return Deployment(self._target.name, statuses, self._order, started, utc_now(), self._record.name)

    def _go_on(self) -> None:
        """Have all that is ready done, or note that nothing is left to do."""
        if not self._stopped_by:
            self._workers.call(self._schedule.ready)
        if not self._workers and (self._stopped_by or not self._waiting):
            self._quiet.set()

    def _stop(self, reason: BaseException) -> None:
        """Begin nothing more, and stop what is under way; `run` raises the first `reason`."""
        self._stopped_by = self._stopped_by or reason
        for waiting in self._waiting.values():
            waiting.cancel()
        for attempt in self._running.values():
            attempt.stop()
        self._go_on()

    async def _work(self) -> None:
        """Do what is ready, until nothing is."""
        self._workers.arrived()
        clock = asyncio.get_running_loop().time
        try:
            while not self._stopped_by and (name := self._schedule.next()) is not None:
                self._progress.begin(name)
                self._tell_remarks(name)
                self._go_on()  # others may be ready too
                if self._stopped_by:
                    break  # the record could not take it
                begun, attempt = clock(), Attempt()
                self._running[name] = attempt
                await attempt.run(self._action(name), self._policy.timeout)
                self._end(name)
                if attempt.left_traces:
                    break
                if clock() - begun < _INSTANT_SECONDS:
                    await asyncio.sleep(0)
        except GeneratorExit:
            raise  # the loop was closed over it
        except BaseException as error:  # noqa: BLE001 - nobody else would hear of it; it is raised by `run`
            self._stop(error)

    def _tell_remarks(self, name: str) -> None:
        if self._progress.statuses[name].attempt == 1:
            for remark in self._steps[name].remarks:
                self._progress.say(name, remark)

    def _action(self, name: str) -> Callable[[], Awaitable[None]]:
        def log(line: str) -> None:
            if name in self._running:  # what was given up has nothing to say any more
                self._record.log(name, str(line))  # targets are the code of others

        if self._steps[name].action is Action.REMOVE:
            return lambda: self._target.remove_environment(name, log)
        return lambda: self._target.deploy_environment(self._bundles[name], log)

    def _end(self, name: str) -> None:
        attempt = self._running.pop(name, None)
        if attempt is None:
            return  # it was given up, and is over only now
        state, error = attempt.outcome
        if attempt.interruption:
            self._stop(attempt.interruption)
        if state is State.SUCCEEDED:
            self._succeed(name)
        elif self._may_try_again(name):
            self._try_again_later(name, state, error)
        else:
            self._fail(name, state, error)

    def _succeed(self, name: str) -> None:
        if self._steps[name].action is Action.REMOVE:
            self._progress.end(name, State.REMOVED)
        else:
            self._progress.end(name, State.SUCCEEDED)
            self._order.append(name)
        self._schedule.done(name)
        self._pass_unchanged()

    def _pass_unchanged(self) -> None:
        """Complete what is ready and unchanged: it comes before all else that is ready, and takes no place."""
        while (name := self._schedule.first) is not None and self._steps[name].action is Action.UNCHANGED:
            self._schedule.next()
            self._progress.end(name, State.UNCHANGED)
            self._order.append(name)
            self._schedule.done(name)

    def _fail(self, name: str, state: State, error: str) -> None:
        if state is State.CANCELLED:
            self._progress.end(name, state, error)
            return
        if self._policy.retries:
            self._progress.say(name, self._attempt_ended(name, state, error))
        self._progress.end(name, state, error)
        self._skip_dependents(name, f"{name!r} {state.value}")

    def _skip_dependents(self, name: str, reason: str) -> None:
        stopped = [name]
        while stopped:
            for follower in self._schedule.dependents[stopped.pop()]:
                if self._progress.statuses[follower].state is State.PENDING:
                    self._progress.never(follower, State.SKIPPED, reason)
                    stopped.append(follower)

    def _may_try_again(self, name: str) -> bool:
        return not self._stopped_by and self._progress.statuses[name].attempt <= self._policy.retries

    def _try_again_later(self, name: str, state: State, error: str) -> None:
        wait = self._policy.backoff.delay(self._progress.statuses[name].attempt - 1).total_seconds()
        self._progress.say(name, f"{self._attempt_ended(name, state, error)}; next attempt in {wait:g} s")
        self._progress.retry(name, error)
        self._waiting[name] = asyncio.get_running_loop().call_later(wait, self._try_again, name)

    def _try_again(self, name: str) -> None:
        del self._waiting[name]
        self._schedule.again(name)
        self._go_on()

    def _attempt_ended(self, name: str, state: State, error: str) -> str:
        return f"attempt {self._progress.statuses[name].attempt} {state.value}: {error}"

    def _conclude(self) -> None:
        """Say what became of all that did not end by itself; nothing is left to say unless it was stopped."""
        while self._running:
            name, attempt = self._running.popitem()
            self._progress.end(name, *attempt.outcome)
        for name, status in self._progress.statuses.items():
            if status.state is State.PENDING:
                self._progress.never(name, State.CANCELLED, "cancelled before it started")
            elif status.state is State.RETRYING:
                self._progress.end(name, State.CANCELLED, f"cancelled before its next attempt; {status.error}")
            elif not status.state.is_final:
                self._progress.end(name, State.CANCELLED, "cancelled")

    async def _settle(self) -> None:
        """Wait for the record, whoever wants to hurry: what was told must be durable."""
        settling = asyncio.ensure_future(self._record.settle())
        while not settling.done():
            try:
                await asyncio.wait([settling])
            except asyncio.CancelledError as error:
                self._stopped_by = self._stopped_by or error
        try:
            settling.result()
        except BaseException as error:  # noqa: BLE001 - raised by `run`
            self._stopped_by = self._stopped_by or error
