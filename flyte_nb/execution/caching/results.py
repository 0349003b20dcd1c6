"""Calls of tasks whose results are kept: an earlier result if there is one, and otherwise the call, then kept."""

from __future__ import annotations

import asyncio
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from flyte_nb.execution.attempts import attempt, attempt_async
from flyte_nb.execution.caching.encoding import type_name
from flyte_nb.execution.caching.key import call_key
from flyte_nb.execution.caching.store import Kept, ResultStore
from flyte_nb.masking import error_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from flyte_nb.execution.call import Call
    from flyte_nb.model.policies import Cache
    from flyte_nb.model.task import Task
    from flyte_nb.settings import Settings

__all__ = ["CachedResults"]

_T = TypeVar("_T")
_BYTES_PER_GIB = 2**30
_LARGEST_GIB = 2**30  # as good as infinite
_THREADS = 4

# The keys of the calls around this one: a call that waited for one of them would wait for itself.
_around: ContextVar[frozenset[str]] = ContextVar("flyte_nb_cached_calls_around", default=frozenset())


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where the result of one call is kept, or will be."""

    store: ResultStore
    key: str
    policy: Cache
    limit: int
    task: str
    place: tuple[str, int]  # of its code: file and line

    def get(self) -> Kept | None:
        return self.store.get(self.key, self.policy.max_age)

    def put(self, value: Any) -> str:
        """Keep a result; return why that cannot be, or nothing."""
        if not self.limit:  # the user wants no more to be kept
            return ""
        try:
            self.store.put(self.key, value, self.limit)
        except Exception as error:  # noqa: BLE001 - pickling runs code of others; the task has succeeded all the same
            return " ".join(error_text(error).split())
        return ""

    def warn(self, value: Any, problem: str) -> None:
        if problem:
            told = f"{self.task}: its result ({type_name(type(value))}) is not cached: {problem}"
            with suppress(Exception):  # as warnings that the user turned into errors are: the task has succeeded
                warnings.warn_explicit(told, UserWarning, *self.place)  # it is about the task, wherever it was called


class CachedResults:
    """The cache of a session; it lies, and is as large, as the settings say at each use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stores: dict[Path, ResultStore] = {}
        # Of its own: those of the loop may all be busy with sync tasks. By process, because a fork has no threads.
        self._threads: tuple[int, ThreadPoolExecutor] | None = None
        # The calls that are being made, by process, loop and key: those of another process do not end in this one.
        self._making: dict[tuple[int, int, str], asyncio.Future[None]] = {}

    def close(self) -> None:
        """Let go of the threads, once they have done what they were given; those of a later call are new."""
        threads, self._threads = self._threads, None
        if threads and threads[0] == os.getpid():
            threads[1].shutdown(wait=False)

    async def _in_thread(self, work: Callable[..., _T], *args: Any) -> _T:
        threads = self._threads
        if threads is None or threads[0] != os.getpid():
            threads = self._threads = os.getpid(), ThreadPoolExecutor(_THREADS, "flyte_nb-cache")
        return await asyncio.get_running_loop().run_in_executor(threads[1], work, *args)

    def _slot(self, policy: Cache, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Slot:
        code = task.function.__code__
        key = call_key(task, policy, args, kwargs)
        return self._slot_of(key, policy, task.name, (code.co_filename, code.co_firstlineno))

    def _slot_of(self, key: str, policy: Cache, task: str, place: tuple[str, int]) -> _Slot:
        folder = self._settings.home_path / "cache"
        store = self._stores.setdefault(folder, ResultStore(folder))
        limit = int(min(self._settings.cache_size, _LARGEST_GIB) * _BYTES_PER_GIB)
        return _Slot(store, key, policy, limit, task, place)

    def call(
        self,
        policy: Cache,
        task: Task[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        call: Call,
        tell: Callable[[Call], None],
    ) -> Any:
        """Return an earlier result of a sync task, having ended `call`; or call it, and keep what it returns.

        Raises:
            UncacheableInputError: An input cannot be hashed; nothing was run.
            UncacheableGlobalError: Something that the task uses cannot be hashed; nothing was run.
        """
        __tracebackhide__ = True
        slot = self._slot(policy, task, args, kwargs)
        kept = slot.get()
        if kept:
            call.end_cached()
            return kept.value
        value = attempt(task, args, kwargs, call, tell)
        slot.warn(value, slot.put(value))
        return value

    async def call_async(
        self,
        policy: Cache,
        task: Task[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        call: Call,
        tell: Callable[[Call], None],
    ) -> Any:
        """Do as `call`, for an async task; files are read and written in threads.

        A call that is the same as one that is being made on this loop waits for that and takes its result, unless
        there is none in the end.
        """
        __tracebackhide__ = True
        slot = self._slot(policy, task, args, kwargs)
        return await self._once_at_a_time(slot, lambda: attempt_async(task, args, kwargs, call, tell), call)

    async def call_elsewhere(
        self, policy: Cache, key: str, task: str, make: Callable[[], Awaitable[_T]], call: Call
    ) -> _T:
        """Return what was kept under `key` of a task that runs elsewhere, or await `make`, and keep what it gives."""
        __tracebackhide__ = True
        result: _T = await self._once_at_a_time(self._slot_of(key, policy, task, (task, 1)), make, call)
        return result

    async def _once_at_a_time(self, slot: _Slot, make: Callable[[], Awaitable[Any]], call: Call) -> Any:
        __tracebackhide__ = True
        if slot.key in _around.get():
            return await self._get_or_make(slot, make, call)
        place = (os.getpid(), id(asyncio.get_running_loop()), slot.key)
        making = self._making.get(place)
        if making:
            await asyncio.wait({making})
            return await self._get_or_make(slot, make, call)
        with self._making_it(place):
            return await self._get_or_make(slot, make, call)

    @contextmanager
    def _making_it(self, place: tuple[int, int, str]) -> Iterator[None]:
        """Let calls that are the same wait for this one."""
        made = self._making[place] = asyncio.get_running_loop().create_future()
        token = _around.set(_around.get() | {place[2]})
        try:
            yield
        finally:
            del self._making[place]
            # A coroutine that is closed instead of finished may be in another context, and its loop may be gone.
            with suppress(ValueError):
                _around.reset(token)
            with suppress(RuntimeError):
                made.set_result(None)

    async def _get_or_make(self, slot: _Slot, make: Callable[[], Awaitable[Any]], call: Call) -> Any:
        __tracebackhide__ = True
        kept = await self._in_thread(slot.get)
        if kept:
            call.end_cached()
            return kept.value
        value = await make()
        slot.warn(value, await self._in_thread(slot.put, value))
        return value
