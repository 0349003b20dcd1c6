"""Many small writes, few transactions: what comes up while one transaction is written goes into the next."""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flyte_nb.database import Connection, Database

__all__ = ["GroupCommit"]

T = TypeVar("T")


class GroupCommit:
    """Writes in the order in which it is told, in a thread that lives only while there is something to write.

    Args:
        database: Where to.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._begin_anew()
        _all.add(self)

    def _begin_anew(self) -> None:
        self._waiting: deque[tuple[Callable[[Connection], Any], Future[Any]]] = deque()
        self._lock = threading.Lock()
        self._is_writing = False

    def end_in_child(self) -> None:
        """Leave what waits to the process that this one was forked from: here its thread does not exist."""
        self._begin_anew()

    def submit(self, write: Callable[[Connection], T]) -> Future[T]:
        """Have the thread call `write`; the future has what it gives, once that is durable. It cannot be cancelled.

        The future raises StateError if the database cannot be written. Then nothing was, also of what was to be
        written in the same transaction.
        """
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        with self._lock:
            self._waiting.append((write, future))
            was_writing, self._is_writing = self._is_writing, True
        if not was_writing:
            self._begin()
        return future

    def _begin(self) -> None:
        # No daemon: a process that ends waits for what it was told to write.
        thread = threading.Thread(target=self._work, name="flyte_nb deployments", daemon=False)
        try:
            thread.start()
        except RuntimeError:  # the process is about to end and begins no more threads
            self._work()

    def _work(self) -> None:
        waiting = self._next()
        while waiting:
            try:
                with self._database.connected() as connection:
                    while waiting:
                        self._commit(connection, waiting)
                        waiting = self._next()
            except BaseException as error:  # noqa: BLE001 - those who wait for the futures are told
                if not waiting:
                    return
                for _, future in waiting:
                    future.set_exception(error)
                waiting = self._next()

    def _next(self) -> Sequence[tuple[Callable[[Connection], Any], Future[Any]]]:
        with self._lock:
            waiting = list(self._waiting)
            self._waiting.clear()
            self._is_writing = bool(waiting)
        return waiting

    def _commit(
        self, connection: Connection, waiting: Sequence[tuple[Callable[[Connection], Any], Future[Any]]]
    ) -> None:
        connection.execute("BEGIN IMMEDIATE")
        results = [write(connection) for write, _ in waiting]
        connection.execute("COMMIT")
        for (_, future), result in zip(waiting, results, strict=True):
            future.set_result(result)


_all: weakref.WeakSet[GroupCommit] = weakref.WeakSet()


def _end_in_child() -> None:
    for writes in _all:
        writes.end_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_end_in_child)
