"""`flyte.map`, and `flyte.map.aio`: what they give is asked for as in the SDK, and as in flyte_nb."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from flyte_nb import functions
from flyte_nb.errors import NotATaskError
from flyte_nb.execution.inputs import check_arguments, check_inputs
from flyte_nb.model.stand_ins import as_task
from flyte_nb.session import DEFAULT_CONCURRENCY, session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterable, Iterator

    from flyte_nb.execution.mapping import Mapped
    from flyte_nb.model.task import Task

__all__ = ["map"]

_END: Any = object()


class _Results:
    """The results of a task over inputs. Iterate, which blocks; `await` and `async for` are as `flyte_nb.map` has them.

    As in the SDK, who iterates gets errors in the place of results, and as many calls at once as there are, unless he
    says otherwise. Where a loop runs in this thread, which then stands still, there is one call after the other.
    """

    def __init__(
        self, task: Any, inputs: tuple[Iterable[Any], ...], concurrency: int | None, errors: bool | None, on: str | None
    ) -> None:
        self._task, self._inputs = _whole(task, inputs)
        self._concurrency, self._errors, self._on = concurrency, errors, on
        self._results: Iterator[Any] | None = None
        self._mapped(errors=False)  # says at once what is wrong

    def __await__(self) -> Generator[Any, None, list[Any]]:
        return self._mapped(errors=False).__await__()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._mapped(errors=False).__aiter__()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        __tracebackhide__ = True
        if self._results is None:
            self._results = self._one_by_one() if _loop_runs_here() else self._in_a_loop()
        return next(self._results)

    def _mapped(self, *, errors: bool, at_once: int = DEFAULT_CONCURRENCY) -> Mapped[Any]:
        at_once = at_once if self._concurrency is None else self._concurrency or sys.maxsize
        errors = errors if self._errors is None else self._errors
        return functions.map(self._task, *self._inputs, concurrency=at_once, return_exceptions=errors, on=self._on)

    async def in_order(self) -> AsyncIterator[Any]:
        """Yield results as `flyte.map.aio` does."""
        async for result in self._mapped(errors=True, at_once=sys.maxsize):
            yield result

    def _in_a_loop(self) -> Iterator[Any]:
        __tracebackhide__ = True
        loop, results = asyncio.new_event_loop(), self.in_order()

        async def step() -> Any:
            __tracebackhide__ = True
            return await anext(results, _END)

        try:
            while (result := loop.run_until_complete(step())) is not _END:
                yield result
        finally:
            # Of a step that was interrupted, which still holds the generator.
            left = [task for task in asyncio.all_tasks(loop) if task.cancel()]
            if left:
                loop.run_until_complete(asyncio.wait(left))
            loop.run_until_complete(results.aclose())  # type: ignore[attr-defined]  # it is a generator
            loop.close()

    def _one_by_one(self) -> Iterator[Any]:
        __tracebackhide__ = True
        for arguments in zip(*self._inputs, strict=False):
            try:
                result = _called(self._task, arguments)
            except Exception as error:  # whatever the task raises
                if self._errors is False:
                    raise
                result = error
            yield result


class _Map:
    def __call__(
        self,
        task: Any,
        *inputs: Iterable[Any],
        group_name: str | None = None,
        concurrency: int | None = None,
        return_exceptions: bool | None = None,
        on: str | None = None,
    ) -> _Results:
        """Call `task` for each of `inputs`; see `flyte_nb.map`.

        Args:
            task: A task, or a functools.partial of one.
            inputs: Values of its parameters.
            group_name: What the calls are called on a cluster.
            concurrency: How many calls may run at once; 0 means all.
            return_exceptions: Whether errors take the place of results.
            on: Where: "inline" or "local".
        """
        return _Results(task, inputs, concurrency, return_exceptions, on)

    def aio(self, task: Any, *inputs: Iterable[Any], **options: Any) -> AsyncIterator[Any]:
        """Return an asynchronous generator of the results, with errors in their place unless said otherwise."""
        return self(task, *inputs, **options).in_order()


map = _Map()  # noqa: A001 - the name Flyte gives it


def _whole(task: Any, inputs: tuple[Iterable[Any], ...]) -> tuple[Any, tuple[Iterable[Any], ...]]:
    """Return a task with all it is called with, where only a part of that is mapped over."""
    if not isinstance(task, partial):
        return as_task(task) or task, inputs
    known = as_task(task.func)
    if known is None:
        raise NotATaskError(task.func)
    signature = known.signature
    bound = [signature.bind(*task.args, *one, **task.keywords).args for one in zip(*inputs, strict=False)]
    return known, tuple(zip(*bound, strict=True)) or ((),)


def _called(task: Task[..., Any], arguments: tuple[Any, ...]) -> Any:
    __tracebackhide__ = True
    check_arguments(task, arguments, {})
    check_inputs(task, arguments, {})
    return session().call_and_wait(task, arguments, {}) if task.is_async else task(*arguments)


def _loop_runs_here() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
