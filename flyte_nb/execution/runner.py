"""Runs tasks inline: in this process, on the loop or thread of the caller, noting who called whom.

The caller of a task is found through a context variable, so calls made with `gather`, in child tasks or in threads
that carry the context land under their true parent.
"""

from __future__ import annotations

import inspect
import os
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from flyte_nb.errors import InvalidValueError, NotATaskError, UnknownEnvironmentError, UnknownPlaceError
from flyte_nb.execution.call import Call, Collector, PlacedCall
from flyte_nb.execution.inputs import check_arguments, check_inputs
from flyte_nb.execution.journal import Journal, LoneJournal
from flyte_nb.execution.node import LogLine, Node, Run, RunState
from flyte_nb.execution.preview import inputs_preview, result_preview
from flyte_nb.listeners import Listeners
from flyte_nb.model.stand_ins import as_task

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from contextvars import Context, Token

    from flyte_nb.execution.caching.results import CachedResults
    from flyte_nb.execution.expected import Expect
    from flyte_nb.execution.gate import Gate
    from flyte_nb.execution.placing import PlacedRun, PlacedTask
    from flyte_nb.model.policies import Cache
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.model.task import Task

__all__ = [
    "DEPLOYED",
    "INLINE",
    "ON_CLUSTER",
    "Runner",
    "called_from",
    "current_call",
    "current_caller",
    "gate_before_calls",
]


INLINE = "inline"
"""The place that is this process."""
DEPLOYED = "local"
"""The place where tasks of deployed versions run."""
ON_CLUSTER = "flyte"
"""The place that is a Flyte cluster."""

T = TypeVar("T")

_caller: ContextVar[Call | Collector | None] = ContextVar("flyte_nb_caller", default=None)

gate_before_calls: ContextVar[Gate | None] = ContextVar("flyte_nb_gate_before_calls", default=None)
"""What each call that begins here passes first; None where nobody can ask to stop."""


def called_from(collector: Collector) -> Context:
    """Return a copy of this context in which what is called is called from `collector`."""
    context = copy_context()
    context.run(_caller.set, collector)
    return context


def current_call() -> Call | None:
    """Return the call whose code runs here, or None outside of any."""
    caller = _caller.get()
    return caller if isinstance(caller, Call) else None


def current_caller() -> Call | Collector | None:
    """Return who calls what is called here, or None for somebody who is no part of any run."""
    return _caller.get()


class Runner:
    """Calls tasks, and notes in a journal for each run when every call begins and ends.

    Attributes:
        name: The beginning of the names of this session's runs; no other session has it.
        places: What begins a run in a place other than this process, by the name of the place; of a version of an
            environment that was deployed there, or else of what is deployed there now.
        environments_cache: Whether any environment may say that results are reused; calls need not ask otherwise.

    Args:
        spec: Gives the definition that an environment has now.
        results: Gives the cache of results, once one is needed.
        run_on: Gives the name of the place where runs begin, unless they say otherwise.
    """

    def __init__(
        self,
        spec: Callable[[str], EnvironmentSpec | None],
        results: Callable[[], CachedResults],
        run_on: Callable[[], str] = lambda: INLINE,
    ) -> None:
        self._spec, self._results, self._run_on = spec, results, run_on
        self.environments_cache = False
        self.places: dict[str, Callable[[Any], PlacedRun]] = {}
        self.name = os.urandom(4).hex()
        self._ids = count(1)
        self._listeners: Listeners[Node] = Listeners()
        self._watchers: Listeners[Journal] = Listeners()
        self._lone_watchers: Listeners[Journal] = Listeners()

    def subscribe(self, listener: Callable[[Node], None]) -> Callable[[], None]:
        """Report every change of every call to `listener`, from whatever thread; return what ends that.

        This costs a frozen node for each change. Who does not need every single one reads journals: see `watch`.
        """
        return self._listeners.add(listener)

    def watch(self, watcher: Callable[[Journal], None], *, lone: bool = True) -> Callable[[], None]:
        """Tell `watcher` of the journal of each run that begins, from whatever thread; return what ends that.

        Args:
            watcher: Is told on the path of the call.
            lone: Tell it also of calls that nobody runs or collects: `await task()`.
        """
        ends = [self._watchers.add(watcher), *([self._lone_watchers.add(watcher)] if lone else [])]

        def end() -> None:
            for end in ends:
                end()

        return end

    def run_name(self, root: int) -> str:
        """Return what the run whose root has that id is called."""
        return f"{self.name}-{root}"

    def call(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call `task`: the value of a sync one, a coroutine of an async one.

        Raises:
            InvalidArgumentsError: The arguments do not fit the task; nothing was run.
        """
        __tracebackhide__ = True
        check_arguments(task, args, kwargs)
        caller = _caller.get()
        if task.version is not None or (caller is not None and caller.place is not None):
            return self._call_elsewhere(caller, task, args, kwargs)
        if task.is_async:
            work = self._awaiting(task, args, kwargs)
            # Python's warning about a call that is never awaited shows it; mypy knows coroutines as a protocol only.
            work.__qualname__ = task.name  # type: ignore[attr-defined]
            return work
        if gate := gate_before_calls.get():
            gate.refuse()
        call = self._new_call(task, args, kwargs)
        return self._call_here(call, task, args, kwargs)

    async def call_in_thread(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a sync `task` in a thread, when there is one; cancelling stops it between two steps of Python."""
        __tracebackhide__ = True
        from flyte_nb.execution.attempts import begun_in_time
        from flyte_nb.execution.stopping import run_in_thread

        check_arguments(task, args, kwargs)
        caller = _caller.get()
        if task.version is not None or (caller is not None and caller.place is not None):
            return await self._elsewhere(caller, task).call(task, args, kwargs)
        if (gate := gate_before_calls.get()) and gate.holds_up:
            await gate.wait()
        call = self._new_call(task, args, kwargs, queued=True)
        try:
            work = run_in_thread(self._begin_here, call, task, args, kwargs)
            return await begun_in_time(task, work, call)
        except BaseException as error:
            if call.state is RunState.QUEUED:  # it never began
                call.end(error)
                self.tell(call)
            raise

    def _call_elsewhere(
        self, caller: Call | Collector | None, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        __tracebackhide__ = True
        run = self._elsewhere(caller, task)
        return run.call(task, args, kwargs) if task.is_async else run.call_and_wait(task, args, kwargs)

    def _elsewhere(self, caller: Call | Collector | None, task: Task[..., Any]) -> PlacedRun:
        """Return the run, elsewhere, of which a call of `task` is a part: a deployed version has one of its own."""
        if task.version is not None:
            return self.places[DEPLOYED](task.version)
        assert caller is not None and caller.place is not None  # noqa: S101, PT018 - or it would run here
        return caller.place

    async def call_elsewhere(
        self,
        task: PlacedTask,
        target: str,
        inputs: str,
        caller: Call | Collector | None,
        once: Callable[[Call, float | None], Coroutine[Any, Any, T]],
        preview: Callable[[T], str],
        kept: tuple[Cache, str] | None = None,
    ) -> T:
        """Await a call of a task that runs elsewhere, noted as any other, under the policies of the task.

        Args:
            task: What is known of the task.
            target: The name of the target to which is deployed what runs.
            inputs: Its arguments in a few words.
            caller: Who calls it.
            once: Makes one attempt of the call, which may run so many seconds.
            preview: Says in a few words what the task has returned, of what `once` has.
            kept: How its result is reused, and the key under which it is kept; None if it is not.
        """
        __tracebackhide__ = True
        call: Call = PlacedCall(target, next(self._ids), task.name, inputs, caller, _journal_of(caller))
        self._noted(call, caller)
        try:
            if kept:
                make = partial(self._attempts_elsewhere, task, call, once)
                result = await self._results().call_elsewhere(*kept, task.name, make, call)
            elif task.has_policies:
                result = await self._attempts_elsewhere(task, call, once)
            else:
                result = await once(call, None)
            call.returned = preview(result)
        except BaseException as error:
            call.end(error)
            raise
        else:
            if call.ended is None:  # a kept result has ended it
                call.end()
            return result
        finally:
            self.tell(call)

    def noted_elsewhere(self, task: str, caller: Call) -> Call:
        """Note a call that `caller`, which runs elsewhere, has made there; who notes it says what becomes of it.

        Args:
            task: The full name of the task that is called.
            caller: Who calls it.
        """
        call = PlacedCall(caller.target, next(self._ids), task, "", caller, caller.journal)
        call.queue()
        return self._noted(call, caller)

    async def _attempts_elsewhere(
        self, task: PlacedTask, call: Call, once: Callable[[Call, float | None], Coroutine[Any, Any, T]]
    ) -> T:
        __tracebackhide__ = True
        from flyte_nb.execution.attempts import attempts_elsewhere

        result: T = await attempts_elsewhere(task, lambda limit: once(call, limit), call, self.tell)
        return result

    def _begin_here(self, call: Call, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        __tracebackhide__ = True
        from flyte_nb.execution.capture import whole_lines

        call.begin()
        self.tell(call)
        with whole_lines():
            return self._call_here(call, task, args, kwargs)

    def _call_here(self, call: Call, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        __tracebackhide__ = True
        token = _caller.set(call)
        try:
            if (task.cache or self.environments_cache) and (policy := self._cache_policy(task)):
                result = self._results().call(policy, task, args, kwargs, call, self.tell)
            elif task.has_policies:
                from flyte_nb.execution.attempts import attempt

                result = attempt(task, args, kwargs, call, self.tell)
            else:
                result = task.function(*args, **kwargs)
            call.returned = result_preview(task.name, result)
        except BaseException as error:
            call.end(error)
            raise
        else:
            if call.ended is None:  # a kept result has ended it
                call.end()
            return result
        finally:
            _caller.reset(token)
            self.tell(call)

    async def _awaiting(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        __tracebackhide__ = True
        if (gate := gate_before_calls.get()) and gate.holds_up:
            await gate.wait()
        call = self._new_call(task, args, kwargs)
        token = _caller.set(call)
        try:
            if (task.cache or self.environments_cache) and (policy := self._cache_policy(task)):
                result = await self._results().call_async(policy, task, args, kwargs, call, self.tell)
            elif task.has_policies:
                from flyte_nb.execution.attempts import attempt_async

                result = await attempt_async(task, args, kwargs, call, self.tell)
            else:
                result = await task.function(*args, **kwargs)
            call.returned = result_preview(task.name, result)
        except BaseException as error:
            call.end(error)
            raise
        else:
            if call.ended is None:  # a kept result has ended it
                call.end()
            return result
        finally:
            _restore(token)
            self.tell(call)

    def _cache_policy(self, task: Task[..., Any]) -> Cache | None:
        """Return how results of `task` are reused, or None if they are not: as it says, or else its environment now."""
        policy = task.cache
        if policy is None:
            spec = self._spec(task.environment)
            if spec is None:
                return None
            policy = spec.cache
        return None if policy.behavior == "disable" else policy

    def _new_call(
        self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], *, queued: bool = False
    ) -> Call:
        caller = _caller.get()
        inputs = inputs_preview(task, args, kwargs) if args or kwargs else ""
        call = Call(next(self._ids), task.name, inputs, caller, _journal_of(caller))
        if queued:
            call.queue()
        return self._noted(call, caller)

    def _noted(self, call: Call, caller: Call | Collector | None) -> Call:
        self.tell(call)
        if call.journal.has_maps:
            call.journal.begin(call)
        if caller is None and self._lone_watchers.present:
            self._lone_watchers.tell(call.journal)
        return call

    def tell(self, call: Call) -> None:
        """Note that `call` has begun or changed its state."""
        call.journal.append(call)
        if self._listeners.present:
            self._listeners.tell(call.node())

    def expecting(self, collector: Collector, task: str) -> Expect:
        """Return what notes how many calls of `task` a map is asked for.

        Args:
            collector: From which they are called.
            task: The full name of the task.
        """
        return partial(collector.journal.expect, collector.parent, task)

    def collector(self, on: str | None = None) -> Collector:
        """Return what stands for a caller that is no task: see `Collector`. Its journal is to be closed.

        Args:
            on: Where what is called from there runs; by default as around it, or else where the settings say.

        Raises:
            UnknownPlaceError: There is no such place.
        """
        caller = _caller.get()
        if self.checked_place(on) is None and caller is not None:
            place = caller.place
        else:
            place = self._begun(on or self._run_on())
        collector = Collector(caller, place)
        if caller is None and self._watchers.present:
            self._watchers.tell(collector.journal)
        return collector

    @contextmanager
    def collecting(self, on: str | None = None) -> Iterator[Journal]:
        """Give a journal of all that the body calls, which is a part of the run around it, if there is one.

        Args:
            on: The name of the place where what is called runs; by default as around it, or else where the settings
                say.

        Raises:
            UnknownPlaceError: There is no such place.
        """
        collector = self.collector(on)
        token = _caller.set(collector)
        ended_by: BaseException | None = None
        try:
            yield collector.journal
        except BaseException as error:
            ended_by = error
            raise
        finally:
            _restore(token)
            collector.journal.close(ended_by)

    @property
    def known_places(self) -> tuple[str, ...]:
        """The names of the places where tasks can run."""
        return INLINE, *self.places

    def checked_place(self, on: object) -> str | None:
        """Return `on` if it is the name of a place, or None.

        Raises:
            UnknownPlaceError: There is no such place.
        """
        if on is None or (isinstance(on, str) and on in self.known_places):
            return on
        raise UnknownPlaceError(on, self.known_places)

    def _begun(self, on: str) -> PlacedRun | None:
        """Return a new run in the place `on`, or None if that is this process."""
        return None if on == INLINE else self.places[on](None)

    async def run(self, task: object, args: tuple[Any, ...], kwargs: dict[str, Any], on: str | None = None) -> Run[Any]:
        """Run `task` and return the finished run; what the task raises is raised.

        A sync task that runs inline runs in the calling thread, where a kernel interrupt reaches it.

        Args:
            task: The task.
            args: Its arguments.
            kwargs: Its arguments by name.
            on: The name of the place where it runs; by default as around it, or else where the settings say.

        Raises:
            NotATaskError: `task` is something else; nothing was run.
            UnknownEnvironmentError: Its environment was removed; nothing was run.
            InvalidArgumentsError: The arguments do not fit the task; nothing was run.
            InvalidInputError: A value is not of the type that the task's annotation wants; nothing was run.
            UnknownPlaceError: There is no such place; nothing was run.
            InvalidValueError: A deployed task cannot run in this process; nothing was run.
        """
        __tracebackhide__ = True
        given, task = task, as_task(task)
        if task is None:
            raise NotATaskError(given)
        if task.version is None and self._spec(task.environment) is None:
            raise UnknownEnvironmentError(task.environment, (), task=task.name)
        if task.version is not None and on == INLINE:
            problem = f"is not where {task.name} runs, which is deployed: its code is not in this process"
            raise InvalidValueError("flyte.run", on, problem, f'on="{DEPLOYED}"')
        check_arguments(task, args, kwargs)
        check_inputs(task, args, kwargs)
        from flyte_nb.execution.capture import capturing

        with capturing(), self.collecting(on) as journal:
            caller = _caller.get()
            runs_here = task.version is None and (caller is None or caller.place is None)
            result = task(*args, **kwargs) if runs_here else task.aio(*args, **kwargs)
            if inspect.isawaitable(result):  # a sync task may wrap an async function
                result = await result
        return self.finished(journal, result)

    def finished(self, journal: Journal, result: T) -> Run[T]:
        """Return the run, which has given `result`, whose calls are in `journal`."""
        calls = journal.calls()
        tree = tuple(call.node() for call in calls)
        return Run(self.run_name(tree[0].root), tree[0].task, result, tree, _in_order(calls))


def _journal_of(caller: Call | Collector | None) -> Journal:
    return LoneJournal() if caller is None else caller.journal


def _in_order(calls: list[Call]) -> tuple[LogLine, ...]:
    lines = [line for call in calls for line in call.logs()]
    return tuple(sorted(lines, key=lambda line: line.time))


def _restore(token: Token[Call | Collector | None]) -> None:
    # A coroutine that is closed instead of finished may be in another context, which has nothing to restore.
    try:  # noqa: SIM105 - at every call, and that takes as long as the preview of its result
        _caller.reset(token)
    except ValueError:
        pass
