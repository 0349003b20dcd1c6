"""One task over many inputs: so many at once, results in the order of the inputs."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from contextlib import suppress
from itertools import islice
from operator import length_hint
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from flyte_nb.errors import InvalidInputError
from flyte_nb.execution.inputs import check_arguments, check_inputs
from flyte_nb.execution.preview import inputs_preview
from flyte_nb.execution.runner import called_from

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterable, Iterator, Sequence

    from flyte_nb.execution.call import Collector
    from flyte_nb.execution.expected import Expect
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
        ended_by: BaseException | None = None
        try:
            while (call := await calls.next_in_order(fail=not self._return_exceptions)) is not None:
                yield _outcome(call)
        except BaseException as error:
            ended_by = error
            raise
        finally:
            expected.none()
            try:
                await calls.cancel()
            finally:
                collector.journal.close(ended_by)


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


def _say_which(error: Exception, index: int, task: Task[..., Any], arguments: tuple[Any, ...]) -> None:
    """Add to `error` which call of the map it is of: among a thousand, nobody could tell."""
    with suppress(Exception):  # an exception of others may refuse anything
        said = f"In flyte_nb.map, at index {index}: {task.name}({inputs_preview(task, arguments, {})})"
        error.__notes__ = [*getattr(error, "__notes__", ()), said]  # type: ignore[attr-defined,unused-ignore]  # before Python 3.11


class _Expected:
    """Tells how many calls a map is asked for, if its inputs know how many they are: views show that."""

    def __init__(self, tell: Expect, most: int | None) -> None:
        self._tell, self._most = tell, most
        if most is not None:
            tell(most, 1)

    def no_more_than(self, calls: int) -> None:
        """Note that the inputs have ended after so many."""
        if self._most is not None and self._most != calls:
            self._tell(calls - self._most)
            self._most = calls

    def refuse(self) -> None:
        """Note that one of the inputs is such that its call never begins."""
        if self._most is not None:
            self._tell(-1)

    def none(self) -> None:
        """Note that no other will begin, however the map has ended."""
        if self._most is not None:
            self._tell(0, -1)


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
        self._running: dict[asyncio.Future[Any], None] = {}  # in order, too
        self._taken = 0
        self._told: dict[int, Exception] = {}

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
            ended, _ = await asyncio.wait(
                self._running.keys() or {self._in_order[0]}, return_when=asyncio.FIRST_COMPLETED
            )
            if fail:
                for call in [call for call in self._running if call in ended] or ended:  # that which began first
                    call.result()

    def _begin_more(self) -> None:
        self._running = {call: None for call in self._running if not call.done()}
        before, room = self._taken, min(self._concurrency, sys.maxsize) - len(self._running)
        for arguments in islice(self._inputs, room):
            # In a context of its own: what the user does between two results is no part of this.
            call = called_from(self._collector).run(asyncio.ensure_future, self._call(self._taken, arguments))
            self._in_order.append(call)
            self._running[call] = None
            self._taken += 1
        if self._taken - before < room:
            self._expected.no_more_than(self._taken)

    async def _call(self, index: int, arguments: tuple[Any, ...]) -> Any:
        __tracebackhide__ = True
        try:
            self._check(index, arguments)
            return await self._task.aio(*arguments)
        except Exception as error:
            if id(error) not in self._told:  # several calls may wait for one thing, and fail with one error
                self._told[id(error)] = error
                _say_which(error, index, self._task, arguments)
            raise

    def _check(self, index: int, arguments: tuple[Any, ...]) -> None:
        __tracebackhide__ = True
        try:
            check_arguments(self._task, arguments, {})
            check_inputs(self._task, arguments, {})
        except Exception as error:
            self._expected.refuse()
            if isinstance(error, InvalidInputError):
                raise error.at(index) from None
            raise

    async def cancel(self) -> None:
        """Cancel what runs and wait until it has ended; what it raises is of no more interest."""
        for call in self._in_order:
            call.cancel()
        await asyncio.gather(*self._in_order, return_exceptions=True)
