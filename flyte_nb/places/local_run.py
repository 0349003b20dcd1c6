"""One run of what is deployed on this machine: who calls gives and gets values, and what is in between are parcels."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from flyte_nb.crossing.packing import pack_arguments, unpack
from flyte_nb.errors import NotDeployedError, UnknownTaskError
from flyte_nb.execution.caching.key import deployed_key, inputs_digest
from flyte_nb.execution.capture import pass_on
from flyte_nb.execution.preview import inputs_preview
from flyte_nb.execution.runner import current_caller
from flyte_nb.places.local_call import LocalCall
from flyte_nb.places.task_facts import with_policies
from flyte_nb.workers.bridging import run_elsewhere, wait_elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from flyte_nb.execution.call import Call
    from flyte_nb.model.policies import Cache
    from flyte_nb.model.task import Task
    from flyte_nb.places.local import LocalPlace
    from flyte_nb.places.preparing import Ready, SessionSecrets
    from flyte_nb.places.task_facts import DeployedTaskFacts
    from flyte_nb.places.versions import DeployedVersion
    from flyte_nb.workers.worker import Worker

__all__ = ["LocalRun"]


class LocalRun:
    """One run: every environment stays the version that it was when the run began.

    Attributes:
        place: Where it runs.
        number: No other run of this session has it.

    Args:
        place: As above.
        number: As above.
        current: The fingerprint of what is deployed of each environment.
        pinned: Versions that are to run instead of what is deployed, by environment.
        secrets: What the session knows of secrets.
    """

    def __init__(
        self,
        place: LocalPlace,
        number: int,
        current: Mapping[str, str],
        pinned: dict[str, DeployedVersion],
        secrets: SessionSecrets,
    ) -> None:
        self.place, self.number = place, number
        self._current, self._versions, self._secrets = current, pinned, secrets
        self._ready: dict[str, Ready] = {}
        self._preparing: dict[str, _Preparation] = {}
        self._context = copy_context()
        self._announced: dict[str, str] = {}
        self._watcher: Callable[[Mapping[str, str]], None] | None = None

    @property
    def target(self) -> str:
        """The name of the target to which is deployed what runs."""
        return self.place.target

    def watch(self, watcher: Callable[[Mapping[str, str]], None]) -> None:
        """Tell `watcher` which versions a call from outside may need: fingerprints by environment, each once.

        It is told before the call begins, where it is made. What is not deployed is left out.
        """
        self._watcher = watcher

    # In the thread of whoever calls

    async def call(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a task, sync or async; arguments are known to fit it."""
        __tracebackhide__ = True
        self._announce(task.environment)
        call = self._packed(task, args, kwargs)
        worker = self._warm_worker(call.facts)
        if worker:  # the way over the loop of the pool takes as long as all the rest
            parcel = await call.run(worker)
        else:
            parcel = await run_elsewhere(self.place.pool.loop, call.run)
        return unpack(parcel, f"the result of {task.name}", self.place.names)

    def call_and_wait(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a task and wait for it in this thread."""
        __tracebackhide__ = True
        self._announce(task.environment)
        parcel = wait_elsewhere(self.place.pool.loop, self._packed(task, args, kwargs).run)
        return unpack(parcel, f"the result of {task.name}", self.place.names)

    def _packed(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> LocalCall:
        facts = with_policies(self.facts(task.name), task.overridden)
        inputs = inputs_preview(task, args, kwargs) if args or kwargs else ""
        policy, digest = self.cache_policy(facts), ""
        if policy:
            digest = inputs_digest(task.name, facts.signature, policy.ignored_inputs, args, kwargs)
        parcel = pack_arguments(task.name, tuple(task.signature.parameters), args, kwargs, self.place.names)
        return LocalCall(self, facts, inputs, digest, parcel, current_caller())

    def _warm_worker(self, facts: DeployedTaskFacts) -> Worker | None:
        """Return the worker that a call can have at once, if it waits for nothing and nothing is to be prepared."""
        ready = self._known(facts.environment)
        if ready is None or ready.is_alone or ready.claims or not facts.is_async:
            return None
        return self.place.pool.take_warm(ready.worker(()))

    def _known(self, environment: str) -> Ready | None:
        """Return what was prepared of an environment, in this run or before it, or None."""
        ready = self._ready.get(environment)
        if ready is None:
            ready = self.place.preparing.made(self.version(environment), self._secrets)
            if ready:
                self._ready[environment] = ready
        return ready

    def _announce(self, environment: str) -> None:
        if self._watcher is None or environment in self._announced:
            return
        new, pending = dict[str, str](), [environment]
        while pending:
            name = pending.pop()
            if name in self._current and name not in self._announced:
                version = self.version(name)
                new[name] = self._announced[name] = version.fingerprint
                pending += version.modules.values()
        self._watcher(new)

    # What is deployed

    def version(self, environment: str, called_by: str = "") -> DeployedVersion:
        """Return the version that an environment has in this run.

        Raises:
            NotDeployedError: It is not deployed.
        """
        version = self._versions.get(environment)
        if version is None:
            fingerprint = self._current.get(environment)
            found = self.place.version(environment, fingerprint) if fingerprint else None
            if found is None:
                raise NotDeployedError(environment, self.place.target, self._current, called_by)
            version = self._versions[environment] = found
        return version

    def facts(self, task: str, called_by: str = "") -> DeployedTaskFacts:
        """Return what is known of a task by its full name.

        Raises:
            NotDeployedError: Its environment is not deployed.
            UnknownTaskError: Its environment has no such task.
        """
        tasks = self.version(task.partition(".")[0], called_by).tasks
        if task not in tasks:
            raise UnknownTaskError(task, tuple(tasks))
        return tasks[task]

    def cache_policy(self, facts: DeployedTaskFacts) -> Cache | None:
        """Return how results of a task are reused, or None if they are not."""
        policy = facts.cache or self.version(facts.environment).cache
        return None if policy.behavior == "disable" else policy

    def kept(self, facts: DeployedTaskFacts, digest: str) -> tuple[Cache, str] | None:
        """Return how the result of a call is reused, and the key under which it is kept."""
        policy = self.cache_policy(facts)
        return (policy, deployed_key(facts.name, self._all_of(facts.environment), policy, digest)) if policy else None

    def _all_of(self, environment: str) -> str:
        """Return the versions of an environment and of all whose tasks its own may call, directly or not."""
        found, pending = dict[str, str](), [environment]
        while pending:
            name = pending.pop()
            if name not in found and (name in self._versions or name in self._current):
                version = self.version(name)
                found[name] = version.fingerprint
                pending += version.modules.values()
        return ",".join(f"{name}={fingerprint}" for name, fingerprint in sorted(found.items()))

    # On the loop of the pool

    async def ready(self, environment: str, call: Call) -> Ready:
        """Prepare an environment, for the first call that needs it, while others wait; for nobody, it ends."""
        ready = self._known(environment)
        if ready is None:
            preparation = self._preparing.get(environment)
            if preparation is None or preparation.is_over:  # what has failed is tried again
                version = self.version(environment)
                work = self.place.preparing.ready(version, self._secrets, lambda line: self.say(call, line))
                preparation = self._preparing[environment] = _Preparation(work)
            ready = self._ready[environment] = await preparation.wait()
        return ready

    def forget(self, environment: str) -> None:
        """Prepare an environment again when it is needed next."""
        self._ready.pop(environment, None)
        self.place.preparing.forget(self.version(environment))

    def say(self, call: Call, line: str) -> None:
        """Note for people what is done for a call."""
        self.write(call, "stderr", f"{line}\n")

    def write(self, call: Call, stream: str, text: str) -> None:
        """Note what a call has written, and show it where the run was begun."""
        # In a copy: what is written arrives in more than one thread, and a context is entered by one at a time.
        self._context.copy().run(pass_on, call, stream, text)


class _Preparation:
    """An environment that is being prepared, as long as somebody waits for it."""

    def __init__(self, work: Coroutine[Any, Any, Ready]) -> None:
        self._work = asyncio.ensure_future(work)
        self._work.add_done_callback(_heard)
        self._waiting, self._is_given_up = 0, False

    @property
    def is_over(self) -> bool:
        return self._is_given_up or self._work.done()

    async def wait(self) -> Ready:
        self._waiting += 1
        try:
            return await asyncio.shield(self._work)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._is_given_up = True
                self._work.cancel()


def _heard(prepared: asyncio.Future[Ready]) -> None:
    if not prepared.cancelled():
        prepared.exception()  # or asyncio says that nobody asked for it, when who did was cancelled
