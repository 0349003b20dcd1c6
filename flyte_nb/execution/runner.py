"""Runs tasks inline: in this process, on the loop or thread of the caller, noting who called whom.

The caller of a task is found through a context variable, so calls made with `gather`, in child tasks or in threads
that carry the context land under their true parent.
"""

from __future__ import annotations

import inspect
from contextlib import suppress
from contextvars import ContextVar
from itertools import count
from typing import TYPE_CHECKING, Any

from flyte_nb.errors import InvalidArgumentsError, NotATaskError
from flyte_nb.execution.call import Call, Collector
from flyte_nb.execution.inputs import check_inputs
from flyte_nb.execution.node import Node, Run
from flyte_nb.listeners import Listeners
from flyte_nb.model.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token

__all__ = ["Runner"]


_caller: ContextVar[Collector | None] = ContextVar("flyte_nb_caller", default=None)


class Runner:
    """Calls tasks and reports each call, when it begins and when it ends, to its listeners."""

    def __init__(self) -> None:
        self._ids = count(1)
        self._listeners: Listeners[Node] = Listeners()

    def subscribe(self, listener: Callable[[Node], None]) -> Callable[[], None]:
        """Report every call to `listener`, which may be called from any thread; return what ends that."""
        return self._listeners.add(listener)

    def call(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call `task`: the value of a sync one, a coroutine of an async one.

        Raises:
            InvalidArgumentsError: The arguments do not fit the task; nothing was run.
        """
        __tracebackhide__ = True
        _check_arguments(task, args, kwargs)
        if task.is_async:
            work = self._awaiting(task, args, kwargs)
            # Python's warning about a call that is never awaited shows it; mypy knows coroutines as a protocol only.
            work.__qualname__ = task.name  # type: ignore[attr-defined]
            return work
        call = Call(next(self._ids), task.name, _caller.get())
        self._tell(call)
        token = _caller.set(call)
        try:
            if task.has_policies:
                from flyte_nb.execution.attempts import attempt

                result = attempt(task, args, kwargs, call, self._tell)
            else:
                result = task.function(*args, **kwargs)
        except BaseException as error:
            call.end(error)
            raise
        else:
            call.end()
            return result
        finally:
            _caller.reset(token)
            self._tell(call)

    async def call_in_thread(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a sync `task` in a thread; cancelling the call stops the task between two steps of Python."""
        __tracebackhide__ = True
        from flyte_nb.execution.stopping import run_in_thread

        return await run_in_thread(self.call, task, args, kwargs)

    async def _awaiting(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        __tracebackhide__ = True
        call = Call(next(self._ids), task.name, _caller.get())
        self._tell(call)
        token = _caller.set(call)
        try:
            if task.has_policies:
                from flyte_nb.execution.attempts import attempt_async

                result = await attempt_async(task, args, kwargs, call, self._tell)
            else:
                result = await task.function(*args, **kwargs)
        except BaseException as error:
            call.end(error)
            raise
        else:
            call.end()
            return result
        finally:
            _restore(token)
            self._tell(call)

    def _tell(self, call: Call) -> None:
        if self._listeners:
            self._listeners.tell(call.node())

    async def run(self, task: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Run[Any]:
        """Run `task` inline and return the finished run; what the task raises is raised.

        A sync task runs in the calling thread, where a kernel interrupt reaches it.

        Raises:
            NotATaskError: `task` is something else; nothing was run.
            InvalidArgumentsError: The arguments do not fit the task; nothing was run.
            InvalidInputError: A value is not of the type that the task's annotation wants; nothing was run.
        """
        __tracebackhide__ = True
        if not isinstance(task, Task):
            raise NotATaskError(task)
        _check_arguments(task, args, kwargs)
        check_inputs(task, args, kwargs)
        collector = Collector(_caller.get())
        token = _caller.set(collector)
        try:
            result = task(*args, **kwargs)
            if inspect.isawaitable(result):  # a sync task may wrap an async function
                result = await result
        finally:
            _restore(token)
        return Run(task.name, result, tuple(sorted(collector.nodes(), key=lambda node: node.id)))


def _check_arguments(task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if not kwargs and task.least_positional <= len(args) <= task.most_positional:
        return  # binding costs more than all the rest of a call
    try:
        task.signature.bind(*args, **kwargs)
    except TypeError as error:
        raise InvalidArgumentsError(task.name, str(error), str(task.signature)) from None


def _restore(token: Token[Collector | None]) -> None:
    # A coroutine that is closed instead of finished may be in another context, which has nothing to restore.
    with suppress(ValueError):
        _caller.reset(token)
