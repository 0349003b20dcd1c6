"""Runs tasks inline: in this process, on the loop or thread of the caller, noting who called whom.

The caller of a task is found through a context variable, so calls made with `gather`, in child tasks or in threads
that carry the context land under their true parent.
"""

from __future__ import annotations

import inspect
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from itertools import count
from typing import TYPE_CHECKING, Any

from flyte_nb.errors import InvalidArgumentsError, NotATaskError
from flyte_nb.execution.node import Node, Run, RunState
from flyte_nb.listeners import Listeners
from flyte_nb.masking import error_text
from flyte_nb.model.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextvars import Token

__all__ = ["Runner"]


@dataclass(slots=True)
class _Call:
    """A call and the calls it made; without a node it only collects the call that `Runner.run` makes."""

    node: Node | None
    parent: Node | None
    calls: list[_Call] = field(default_factory=list)

    @property
    def known(self) -> Node | None:
        """The nearest call that has a node: what is called next has it for a parent."""
        return self.node or self.parent

    def nodes(self) -> Iterator[Node]:
        pending = [self]
        while pending:
            call = pending.pop()
            if call.node:
                yield call.node
            pending.extend(call.calls)


_caller: ContextVar[_Call | None] = ContextVar("flyte_nb_caller", default=None)


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
        call = self._begin(task)
        token = _caller.set(call)
        try:
            result = task.function(*args, **kwargs)
        except BaseException as error:
            self._end(call, error)
            raise
        finally:
            _caller.reset(token)
        self._end(call)
        return result

    async def _awaiting(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        __tracebackhide__ = True
        call = self._begin(task)
        token = _caller.set(call)
        try:
            result = await task.function(*args, **kwargs)
        except BaseException as error:
            self._end(call, error)
            raise
        finally:
            _restore(token)
        self._end(call)
        return result

    async def run(self, task: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Run[Any]:
        """Run `task` inline and return the finished run; what the task raises is raised.

        A sync task runs in the calling thread, where a kernel interrupt reaches it.

        Raises:
            NotATaskError: `task` is something else; nothing was run.
            InvalidArgumentsError: The arguments do not fit the task; nothing was run.
        """
        __tracebackhide__ = True
        if not isinstance(task, Task):
            raise NotATaskError(task)
        caller = _caller.get()
        collector = _Call(None, parent=caller.known if caller else None)
        if caller:
            caller.calls.append(collector)
        token = _caller.set(collector)
        try:
            result = task(*args, **kwargs)
            if inspect.isawaitable(result):  # a sync task may wrap an async function
                result = await result
        finally:
            _restore(token)
        return Run(task.name, result, tuple(sorted(collector.nodes(), key=lambda node: node.id)))

    def _begin(self, task: Task[..., Any]) -> _Call:
        caller, number = _caller.get(), next(self._ids)
        parent = caller.known if caller else None
        above, root = (parent.id, parent.root) if parent else (None, number)
        node = Node(number, above, root, task.name, RunState.RUNNING, _now())
        call = _Call(node, parent)
        if caller:
            caller.calls.append(call)
        self._listeners.tell(node)
        return call

    def _end(self, call: _Call, error: BaseException | None = None) -> None:
        node, message = call.node, "" if error is None else error_text(error)
        assert node is not None  # noqa: S101 - only a collector has none, and it never begins or ends
        # Cancellation and kernel interrupts end a call from outside; neither is an Exception.
        state = RunState.FAILED if isinstance(error, Exception) else RunState.CANCELLED
        call.node = replace(node, state=state if error else RunState.SUCCEEDED, ended=_now(), error=message)
        self._listeners.tell(call.node)


def _check_arguments(task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    signature = inspect.signature(task.function)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        raise InvalidArgumentsError(task.name, str(error), str(signature)) from None


def _restore(token: Token[_Call | None]) -> None:
    # A coroutine that is closed instead of finished may be in another context, which has nothing to restore.
    with suppress(ValueError):
        _caller.reset(token)


def _now() -> datetime:
    return datetime.now(timezone.utc)
