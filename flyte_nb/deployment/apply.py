"""Apply a plan to a target: whatever is ready deploys at once, up to a limit; a failure stops its dependents only."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from flyte_nb.deployment.plan import Action
from flyte_nb.deployment.status import Deployment, EnvironmentStatus, State
from flyte_nb.graph import Schedule, reversed_edges
from flyte_nb.listeners import Listeners
from flyte_nb.masking import error_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.deployment.plan import Plan
    from flyte_nb.targets.protocol import Target

    Listener = Callable[[EnvironmentStatus], None]

__all__ = ["Policy", "apply_plan"]


@dataclass(frozen=True, slots=True)
class Policy:
    """How a plan is applied."""

    max_concurrency: int = 8
    timeout: float | None = None
    retries: int = 0


async def apply_plan(
    plan: Plan,
    bundles: Mapping[str, Bundle],
    target: Target,
    max_concurrency: int,
    listener: Listener,
    said: Callable[[str, str], None] = lambda name, line: None,
) -> Deployment:
    """Deploy what `plan` says, and return what became of it.

    Each change of an environment's status goes to `listener`. If the caller is cancelled, what is being deployed is
    cancelled, what has not started never does, and the cancellation goes on after the last status was sent.
    """
    return await _Application(plan, bundles, target, listener, said).run(max_concurrency)


class _Application:
    """One run of a plan: owns the statuses of its environments."""

    def __init__(
        self,
        plan: Plan,
        bundles: Mapping[str, Bundle],
        target: Target,
        listener: Listener,
        said: Callable[[str, str], None],
    ) -> None:
        self._said = said
        dependencies = {step.name: step.depends_on for step in plan.steps}
        order = list(dependencies)
        self._bundles, self._target, self._listeners = bundles, target, Listeners(listener)
        self._unchanged = {step.name for step in plan.steps if step.action is Action.UNCHANGED}
        self._dependents = reversed_edges(order, dependencies)
        self._schedule = Schedule(order, dependencies)
        self._statuses = {name: EnvironmentStatus(name, State.PENDING) for name in order}
        self._order: list[str] = []
        self._running: dict[str, asyncio.Task[None]] = {}
        self._ended: asyncio.Queue[str] = asyncio.Queue()

    async def run(self, max_concurrency: int) -> Deployment:
        started = _now()
        try:
            self._start_ready(max_concurrency)
            while self._running:
                self._finish(await self._ended.get())
                self._start_ready(max_concurrency)
        finally:
            await self._cancel_rest()
        return Deployment(self._target.name, tuple(self._statuses.values()), self._order, started, _now())

    def _start_ready(self, max_concurrency: int) -> None:
        while len(self._running) < max_concurrency and (name := self._schedule.next()) is not None:
            if name in self._unchanged:
                self._set(name, State.UNCHANGED, started=None, ended=_now())
                self._complete(name)
            else:
                self._set(name, State.RUNNING, started=_now())
                work = asyncio.ensure_future(self._deploy(name))
                self._running[name] = work
                work.add_done_callback(lambda _, name=name: self._ended.put_nowait(name))  # type: ignore[misc]

    async def _deploy(self, name: str) -> None:
        await self._target.deploy_environment(self._bundles[name], lambda line: self._said(name, line))

    def _finish(self, name: str) -> None:
        work = self._running.pop(name)
        error = asyncio.CancelledError("cancelled by the target") if work.cancelled() else work.exception()
        if error is None:
            self._set(name, State.SUCCEEDED, ended=_now())
            self._complete(name)
            return
        self._set(name, State.FAILED, ended=_now(), error=error_text(error))
        self._skip_dependents(name)

    def _skip_dependents(self, name: str) -> None:
        stopped = [name]
        while stopped:
            for follower in self._dependents[stopped.pop()]:
                if self._statuses[follower].state is State.PENDING:
                    self._set(follower, State.SKIPPED, error=f"{name!r} failed")
                    stopped.append(follower)

    def _complete(self, name: str) -> None:
        self._order.append(name)
        self._schedule.done(name)

    async def _cancel_rest(self) -> None:
        """Stop what runs and tell what became of it; nothing is left to do unless the deployment was cancelled."""
        for work in self._running.values():
            work.cancel()
        try:
            if self._running:
                await asyncio.wait(self._running.values())
        finally:  # also when cancelled once more, because something would not stop
            for name, work in list(self._running.items()):
                if not work.done() or work.cancelled():
                    self._set(name, State.CANCELLED, ended=_now(), error="cancelled")
                else:
                    self._finish(name)
            for name, status in self._statuses.items():
                if status.state is State.PENDING:
                    self._set(name, State.CANCELLED, error="cancelled before it started")

    def _set(self, name: str, state: State, **changes: object) -> None:
        self._statuses[name] = replace(self._statuses[name], state=state, **changes)  # type: ignore[arg-type]
        self._listeners.tell(self._statuses[name])


def _now() -> datetime:
    return datetime.now(timezone.utc)
