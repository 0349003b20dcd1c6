"""Deploys, one deployment to a target at a time, and keeps every deployment."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from flyte_nb.deployment.applying.apply import apply_plan
from flyte_nb.deployment.applying.status import State
from flyte_nb.deployment.keeping.locking import TargetLock
from flyte_nb.deployment.keeping.losses import resolved
from flyte_nb.deployment.keeping.recorder import Recorder, name_of
from flyte_nb.deployment.keeping.rows import (
    insert_deployment,
    insert_environments,
    read_environments,
    write_end,
    write_loss,
    write_never_begun,
)
from flyte_nb.deployment.keeping.state import add_versions
from flyte_nb.deployment.telling import Telling
from flyte_nb.deployment.watching import Nobody
from flyte_nb.targets.observing import observed
from flyte_nb.targets.writing import written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.database import Connection
    from flyte_nb.deployment.applying.apply import Policy
    from flyte_nb.deployment.applying.status import Deployment
    from flyte_nb.deployment.keeping.recorded import RecordedEnvironment
    from flyte_nb.deployment.keeping.state import DeploymentState
    from flyte_nb.deployment.planning.plan import Plan
    from flyte_nb.deployment.watching import Watcher
    from flyte_nb.targets.protocol import Target

    Make = Callable[[], tuple[Plan, Mapping[str, Bundle]]]

__all__ = ["Deployments"]


class Deployments:
    """The deployments of one session.

    Args:
        state: The database that keeps them.
        origin: The notebook or script that deploys.
    """

    def __init__(self, state: DeploymentState, origin: str) -> None:
        self._state, self._origin = state, origin

    async def deploy(
        self,
        target: Target,
        make: Make,
        policy: Policy,
        watcher: Watcher | None = None,
        *,
        kind: str = "deploy",
        wait: bool = True,
    ) -> Deployment:
        """Apply the plan that `make` gives, and return what became of it; whatever happens is kept.

        Args:
            target: Where to.
            make: Gives the plan, and what it would deploy; it is called while nobody else deploys to `target`.
            policy: How to.
            watcher: Is told of it all, when it is durable.
            kind: What the history calls it: "deploy" or "rollback".
            wait: Whether to wait while somebody else deploys to `target`.

        Raises:
            DeploymentBlockedError: The plan has steps that cannot be taken; nothing is kept.
            DeploymentLockedError: Somebody else deploys to `target`, and `wait` is not wanted; or took this one for
                dead while the machine slept, and it was stopped.
            DeploymentOvertakenError: Somebody else did so, and has ended.
            StateError: What happens cannot be kept; the deployment was stopped.
        """
        telling = Telling(watcher or Nobody())
        async with TargetLock(self._state, target.name, self._origin) as lock:
            await lock.acquire(telling, wait=wait)
            await self._close_lost(target)
            plan, bundles = make()
            plan.raise_if_blocked()
            number = await self._begin(lock, plan, bundles, policy, kind)
            telling.begun(plan, name_of(number))
            return await self._apply(lock, number, plan, bundles, target, policy, telling)

    async def _begin(
        self, lock: TargetLock, plan: Plan, bundles: Mapping[str, Bundle], policy: Policy, kind: str
    ) -> int:
        """Keep the plan and the versions it would deploy, and return the number of the deployment."""
        texts = {"plan": plan.to_json(), "policy": json.dumps(policy.to_json())}
        versions = self._state.unknown_versions(plan.target, bundles.values())

        def write(connection: Connection) -> int:
            add_versions(connection, versions)
            number = insert_deployment(
                connection, target=plan.target, kind=kind, origin=self._origin, holder=lock.name, **texts
            )
            insert_environments(connection, number, plan, bundles)
            return number

        beginning = self._state.writes.submit(write)
        try:
            return await written(beginning)
        except asyncio.CancelledError:
            number = beginning.result()
            await written(self._state.writes.submit(lambda connection: write_never_begun(connection, number)))
            raise

    async def _apply(
        self,
        lock: TargetLock,
        number: int,
        plan: Plan,
        bundles: Mapping[str, Bundle],
        target: Target,
        policy: Policy,
        telling: Telling,
    ) -> Deployment:
        # In this very task: what wants the process to end may leave only the one that waits for it.
        task = asyncio.current_task()
        recorder = Recorder(number, self._state.writes, telling, lambda: task and task.cancel())
        try:
            with lock.signing(recorder.fail):
                deployment = await apply_plan(plan, bundles, target, policy, recorder)
                await recorder.settle()
        except GeneratorExit:
            raise  # the loop was closed over it: the history will say lost, and look at the target
        except BaseException as error:
            if recorder.failure:
                # Some of what happened is not kept: the history will say lost, and look at the target.
                getattr(task, "uncancel", int)()  # from Python 3.11 on tasks count how often they were cancelled
                raise recorder.failure from None
            await self._end(number, State.CANCELLED if isinstance(error, asyncio.CancelledError) else State.FAILED)
            raise
        await self._end(number, State.SUCCEEDED if deployment.succeeded else State.FAILED)
        return replace(deployment, name=recorder.name)

    async def _end(self, number: int, state: State) -> None:
        await written(self._state.writes.submit(lambda connection: write_end(connection, number, state)))

    async def _close_lost(self, target: Target) -> None:
        """Write what became of deployments to `target` that go on by the record: nobody but us deploys there now."""
        lost = self._lost(target.name)
        if not lost:
            return
        deployed = observed(target)
        ends = {number: resolved(environments, deployed) for number, environments in lost.items()}

        def write(connection: Connection) -> None:
            for number, environments in ends.items():
                write_loss(connection, number, environments)

        await written(self._state.writes.submit(write))

    def _lost(self, target: str) -> dict[int, tuple[RecordedEnvironment, ...]]:
        query = "SELECT id FROM deployment WHERE target = ? AND state = ?"
        with self._state.reading() as connection:
            if connection is None:
                return {}
            numbers = [number for (number,) in connection.execute(query, (target, State.RUNNING.value)).fetchall()]
            return {number: read_environments(connection, number) for number in numbers}
