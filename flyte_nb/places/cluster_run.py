"""One run on a Flyte cluster: it is begun from what is deployed there, and followed until it has ended."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from flyte_nb.errors import ClusterError, NotDeployedError, UnknownRunError, UnknownTaskError
from flyte_nb.execution.capture import pass_on
from flyte_nb.execution.inputs import check_inputs
from flyte_nb.execution.preview import inputs_preview, result_preview
from flyte_nb.execution.runner import current_caller
from flyte_nb.model.policies import RetryStrategy, Timeout
from flyte_nb.places.background import background_loop
from flyte_nb.places.following import Following
from flyte_nb.sdk.cluster import using
from flyte_nb.sdk.failures import patiently, what_it_says
from flyte_nb.sdk.running import Begin, abort_run, actions_of, begin_run, run_url
from flyte_nb.workers.bridging import wait_elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from flyte_nb.execution.call import Call
    from flyte_nb.execution.runner import Runner
    from flyte_nb.model.task import Task
    from flyte_nb.places.versions import DeployedVersion, Versions
    from flyte_nb.sdk.cluster import Cluster

    Begun = Callable[[Call, Callable[[str], None]], Coroutine[Any, Any, str]]

__all__ = ["ClusterRun"]

_ABORT_SECONDS = 10.0
# How long after an interrupt it may take until it is known that the process is to end.
_LEAVING_SECONDS = 1.0


class ClusterRun:
    """One run: every environment stays the version that it was when the run began.

    Attributes:
        target: The name of the target of which this is a place.

    Args:
        runner: Notes every call.
        versions: What is deployed, and was.
        cluster: Where it runs.
        target: As above.
        is_leaving: Says whether this process is about to end; None if that is not known ahead.
    """

    def __init__(
        self,
        runner: Runner,
        versions: Versions,
        cluster: Cluster,
        target: str,
        is_leaving: Callable[[], bool] | None = None,
    ) -> None:
        self.target, self._is_leaving = target, is_leaving
        self._runner, self._versions, self._cluster = runner, versions, cluster
        self._current = versions.current(target)
        self._watcher: Callable[[Mapping[str, str]], None] | None = None
        self._announced: set[str] = set()

    def watch(self, watcher: Callable[[Mapping[str, str]], None]) -> None:
        """Tell `watcher` which version a call from outside runs: its fingerprint by environment, each once."""
        self._watcher = watcher

    async def call(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a task, sync or async, on the cluster; arguments are known to fit it."""
        __tracebackhide__ = True
        check_inputs(task, args, kwargs)
        version = self._version(task)
        overridden = _overridden(task, version)
        given = task.signature.bind(*args, **kwargs).arguments
        preview = inputs_preview(task, args, kwargs) if args or kwargs else ""
        types = task.function if task.version is None else None

        async def begun(call: Call, say: Callable[[str], None]) -> str:
            begin = Begin(self._name(call), task.name, version.fingerprint, given, types, overridden)
            try:
                url = await patiently(lambda: begin_run(begin, self._cluster), say)
            except asyncio.CancelledError:
                await self._abort(begin.name)  # it may have begun there
                raise
            pass_on(call, "stdout", f"{begin.name} on the cluster: {url}\n")
            return begin.name

        return await self._followed(task.name, preview, types, begun)

    def call_and_wait(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a task, and wait for it in this thread."""
        __tracebackhide__ = True
        return wait_elsewhere(background_loop(), lambda: self.call(task, args, kwargs))

    async def attach(self, run: str, function: Callable[[str], Callable[..., Any] | None]) -> Any:
        """Follow a run that has begun already, as if it were begun now.

        Args:
            run: What the cluster calls it.
            function: Gives the function of a task by its full name, if it is defined here.

        Raises:
            UnknownRunError: The cluster has no such run.
            ClusterError: The cluster does not say.
        """
        __tracebackhide__ = True
        with using(self._cluster):
            try:
                actions = await patiently(lambda: actions_of(run), lambda line: None)
            except Exception as error:
                raise ClusterError(run, what_it_says(error)) from error
        if not actions:
            raise UnknownRunError(run, (), f"on {self._cluster}")
        task = actions[0].task

        async def begun(call: Call, say: Callable[[str], None]) -> str:
            url = await patiently(lambda: run_url(run), say)
            pass_on(call, "stdout", f"{run} on the cluster: {url}\n")
            return run

        return await self._followed(task, None, function(task), begun)

    def _version(self, task: Task[..., Any]) -> DeployedVersion:
        """Return the version of the environment of `task` in this run.

        Raises:
            NotDeployedError: It is not deployed.
            UnknownTaskError: It has no such task.
        """
        fingerprint = self._current.get(task.environment)
        version = self._versions.version(self.target, task.environment, fingerprint) if fingerprint else None
        if version is None:
            raise NotDeployedError(task.environment, self.target, self._current)
        if task.name not in version.tasks:
            raise UnknownTaskError(task.name, tuple(version.tasks))
        if self._watcher and task.environment not in self._announced:
            self._announced.add(task.environment)
            self._watcher({task.environment: version.fingerprint})
        return version

    def _name(self, call: Call) -> str:
        """Return what the cluster calls the run of `call`: no other call of any session has that name."""
        return f"nb-{self._runner.run_name(call.id)}"

    async def _followed(self, task: str, preview: str | None, types: Callable[..., Any] | None, begun: Begun) -> Any:
        """Return what a run gives that `begun` begins, and note it as a call; without a preview, the cluster knows."""
        __tracebackhide__ = True

        async def once(call: Call, limit: float | None) -> Any:
            __tracebackhide__ = True

            def say(line: str) -> None:
                call.write("stderr", f"{line}\n")

            call.queue("the cluster")
            self._runner.tell(call)
            with using(self._cluster):
                try:
                    run = await begun(call, say)
                except Exception as error:
                    raise ClusterError(task, what_it_says(error)) from error
                try:
                    known = preview is not None
                    return await Following(self._runner, run, call, types, say, is_known=known).result()
                except asyncio.CancelledError:
                    await self._abort(run)
                    raise

        facts, said = _ClusterTask(task), partial(result_preview, task)
        return await self._runner.call_elsewhere(facts, self.target, preview or "", current_caller(), once, said)

    async def _abort(self, run: str) -> None:
        """Ask the cluster to abort a run; where that cannot be asked for, the interrupt goes on without."""
        if await self._leaves():
            return
        with suppress(Exception):
            await asyncio.wait_for(asyncio.shield(abort_run(run)), _ABORT_SECONDS)

    async def _leaves(self) -> bool:
        """Say whether this process ends: Jupyter interrupts a kernel before it restarts it, and the run goes on."""
        end = monotonic() + _LEAVING_SECONDS
        while self._is_leaving is not None and monotonic() < end:
            if self._is_leaving():
                return True
            await asyncio.sleep(_LEAVING_SECONDS / 20)
        return False


def _overridden(task: Task[..., Any], version: DeployedVersion) -> Mapping[str, Any]:
    """Return what is said otherwise of `task`; a cache of None is that of its environment."""
    said = {**task.cluster_policies, **task.overridden}
    return {**said, "cache": version.cache} if "cache" in said and said["cache"] is None else said


@dataclass(frozen=True, slots=True)
class _ClusterTask:
    """A task whose policies the cluster keeps."""

    name: str

    @property
    def has_policies(self) -> bool:
        return False

    @property
    def retries(self) -> RetryStrategy:
        return RetryStrategy(0)

    @property
    def timeout(self) -> Timeout:
        return Timeout()
