"""One task over many inputs: so many at once, results in the order of the inputs."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from itertools import islice
from operator import length_hint
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from flyte_nb.execution.inputs import check_arguments, check_inputs
from flyte_nb.execution.runner import called_from

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Sequence

    from flyte_nb.execution.call import Collector
    from flyte_nb.execution.runner import Runner
    from flyte_nb.model.task import Task

__all__ = ["Mapped"]

T = TypeVar("T")


class Mapped(Generic[T]):
    """A task over inputs: `await` it for the list of results, or iterate with `async for` as they come.

    Calls begin when they are asked for, no more than `concurrency` at once, and inputs are taken from their iterable
    no earlier; they are checked as those of a run are. When a call fails, those that run are cancelled, no other
    begins, and its error is raised; with `return_exceptions`, errors take the place of results instead.
    """

    def __init__(
        self,
        runner: Runner,
        task: Task[..., Any],
        inputs: Sequence[Iterable[Any]],
        concurrency: int,
        on: str | None = None,
        *,
        return_exceptions: bool,
    ) -> None:
        self._runner, self._on = runner, runner.checked_place(on)
        iterators = [iter(values) for values in inputs]
        self._task, self._inputs = task, zip(*iterators, strict=False)
        known = [size for size in map(_size, inputs, iterators) if size >= 0]
        self._most = min(known, default=None)
        self._concurrency, self._return_exceptions = concurrency, return_exceptions
        self._begun = False

    def __await__(self) -> Generator[Any, None, list[T]]:
        return self._all().__await__()

    async def _all(self) -> list[T]:
        return [result async for result in self]

    async def __aiter__(self) -> AsyncIterator[T]:
        __tracebackhide__ = True
        if self._begun:
            raise RuntimeError("this map was used before, and its inputs with it: call flyte_nb.map again")
        self._begun = True
        collector = self._runner.collector(self._on)  # all of it is one run
        expected = _Expected(self._runner.expecting(collector, self._task.name), self._most)
        calls = _Calls(self._task, self._inputs, self._concurrency, collector, expected)
        try:
            while (call := await calls.next_in_order(fail=not self._return_exceptions)) is not None:
                yield _outcome(call)
        finally:
            expected.none()
            await calls.cancel()
            collector.journal.closed = True


def _outcome(call: asyncio.Future[Any]) -> Any:
    error = call.exception()
    return call.result() if error is None else error


def _size(values: Any, iterator: Iterator[Any]) -> int:
    """Return how many `values` there are, or -1 if they cannot tell at once."""
    try:
        return len(values) if _is_series(values) else length_hint(iterator, -1)
    except Exception:  # noqa: BLE001 - whatever an iterator of somebody's does
        return -1


def _is_series(values: Any) -> bool:
    """Say whether `values` are a series of pandas or polars, which knows what its iterator does not."""
    libraries = filter(None, map(sys.modules.get, ("pandas", "polars")))
    return any(isinstance(values, getattr(library, "Series", ())) for library in libraries)


async def _checked(task: Task[..., Any], arguments: tuple[Any, ...]) -> Any:
    __tracebackhide__ = True
    check_arguments(task, arguments, {})
    check_inputs(task, arguments, {})
    return await task.aio(*arguments)


class _Expected:
    """Tells how many calls a map will still begin, if its inputs know how many they are: views show that."""

    def __init__(self, tell: Callable[[int | None], None], most: int | None) -> None:
        self._tell, self._left = tell, most

    def fewer(self, begun: int, *, is_last: bool) -> None:
        """Note that so many have begun, and whether there is no input left."""
        if self._left is None:
            return
        before, self._left = self._left, 0 if is_last else max(0, self._left - begun)
        if self._left != before:
            self._tell(self._left)

    def none(self) -> None:
        """Note that no other will, however the map has ended."""
        if self._left is not None:
            self._tell(None)


class _Calls:
    """The calls that have begun and whose results have not been handed on."""

    def __init__(
        self,
        task: Task[..., Any],
        inputs: Iterator[tuple[Any, ...]],
        concurrency: int,
        collector: Collector,
        expected: _Expected,
    ) -> None:
        self._task, self._inputs, self._concurrency = task, inputs, concurrency
        self._collector, self._expected = collector, expected
        self._in_order: deque[asyncio.Future[Any]] = deque()
        self._running: set[asyncio.Future[Any]] = set()

    async def next_in_order(self, *, fail: bool) -> asyncio.Future[Any] | None:
        """Return the next call in the order of the inputs when it has ended, or None after the last.

        With `fail`, raise the error of any call as soon as it is known.
        """
        __tracebackhide__ = True
        while True:
            self._begin_more()
            if not self._in_order:
                return None
            if self._in_order[0].done() and not (fail and self._in_order[0].exception()):
                return self._in_order.popleft()
            ended, self._running = await asyncio.wait(
                self._running or {self._in_order[0]}, return_when=asyncio.FIRST_COMPLETED
            )
            for call in ended:
                if fail:
                    call.result()

    def _begin_more(self) -> None:
        self._running = {call for call in self._running if not call.done()}
        begun, room = 0, min(self._concurrency, sys.maxsize) - len(self._running)
        for arguments in islice(self._inputs, room):
            # In a context of its own: what the user does between two results is no part of this.
            call = called_from(self._collector).run(asyncio.ensure_future, _checked(self._task, arguments))
            self._in_order.append(call)
            self._running.add(call)
            begun += 1
        self._expected.fewer(begun, is_last=begun < room)

    async def cancel(self) -> None:
        """Cancel what runs and wait until it has ended; what it raises is of no more interest."""
        for call in self._in_order:
            call.cancel()
        await asyncio.gather(*self._in_order, return_exceptions=True)
