"""Records a deployment while it goes on: the engine tells it without waiting, and who watches hears what is durable."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from contextlib import suppress
from datetime import datetime, timezone
from itertools import count
from typing import TYPE_CHECKING

from flyte_nb.deployment.applying.status import EnvironmentStatus
from flyte_nb.deployment.keeping.rows import LogRow, write_lines, write_statuses
from flyte_nb.masking import beginning_without_credentials
from flyte_nb.targets.writing import written

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from flyte_nb.database import Connection
    from flyte_nb.deployment.keeping.group_commit import GroupCommit
    from flyte_nb.deployment.watching import Watcher

__all__ = ["Recorder", "name_of"]

# Of each environment so many lines are kept, of each line so many characters.
_MOST_LINES, _LONGEST_LINE = 10_000, 10_000


def name_of(deployment: int) -> str:
    """Return what the history calls a deployment: "d12"."""
    return f"d{deployment}"


class Recorder:
    """One deployment as it is recorded; implements `Record`.

    Attributes:
        name: What the history calls it.
        failure: Why it can no longer be recorded, or None. Then nothing more is told, for nothing more is durable.

    Args:
        deployment: Its number.
        writes: Through which it is written.
        watcher: Is told, in the loop that runs now, in the order in which it happened.
        failed: Is called once, in that loop, when there is a failure.
    """

    def __init__(
        self, deployment: int, writes: GroupCommit, watcher: Watcher, failed: Callable[[], object] = lambda: None
    ) -> None:
        self.name, self.failure = name_of(deployment), None
        self._deployment, self._writes, self._watcher, self._failed = deployment, writes, watcher, failed
        self._loop = asyncio.get_running_loop()
        self._numbers, self._lines = count(), Counter[str]()
        # What targets say comes from any thread; where no thread can be begun, the writer works in that very one.
        self._lock = threading.RLock()
        self._waiting: deque[EnvironmentStatus | LogRow] = deque()
        self._is_asked = False

    failure: BaseException | None

    def note(self, status: EnvironmentStatus) -> None:
        """Take a change of an environment's status."""
        with self._lock:
            self._take(status)

    def log(self, name: str, line: str) -> None:
        """Take a line that the deployment of an environment has to say, from any thread."""
        text = beginning_without_credentials(line, _LONGEST_LINE)
        with self._lock:
            self._lines[name] += 1
            if self._lines[name] == _MOST_LINES:
                text = "further lines are not kept"
            if self._lines[name] <= _MOST_LINES:
                self._take(LogRow(next(self._numbers), name, datetime.now(timezone.utc), text))

    async def settle(self) -> None:
        """Return when everything that was taken is durable and was told.

        Raises:
            StateError: It cannot be written.
        """
        with self._lock:
            writing = self._ask()
        await written(writing)
        if self.failure:
            raise self.failure

    def fail(self, error: BaseException) -> None:
        """Record nothing more, for that reason."""
        if self.failure is None:
            self.failure = error
            self._failed()

    def _take(self, event: EnvironmentStatus | LogRow) -> None:
        self._waiting.append(event)
        if not self._is_asked:
            self._ask()

    def _ask(self) -> Future[list[EnvironmentStatus | LogRow]]:
        """Have everything written that waits when the writer comes to it."""
        self._is_asked = True
        writing = self._writes.submit(self._write)
        # While the lock is held the writer waits, so that what was written first is told first.
        writing.add_done_callback(self._written)
        return writing

    # In the thread of the writer

    def _write(self, connection: Connection) -> list[EnvironmentStatus | LogRow]:
        with self._lock:
            self._is_asked = False
            events = list(self._waiting)
            self._waiting.clear()
        # Of several statuses of one environment only the last stays.
        statuses = {event.name: event for event in events if isinstance(event, EnvironmentStatus)}
        write_statuses(connection, self._deployment, statuses.values())
        write_lines(connection, self._deployment, [event for event in events if isinstance(event, LogRow)])
        return events

    def _written(self, writing: Future[list[EnvironmentStatus | LogRow]]) -> None:
        error = writing.exception()
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            if error:
                self._loop.call_soon_threadsafe(self.fail, error)
            else:
                self._loop.call_soon_threadsafe(self._tell, writing.result())

    # In the loop

    def _tell(self, events: list[EnvironmentStatus | LogRow]) -> None:
        if self.failure:
            return
        for event in events:
            if isinstance(event, LogRow):
                self._watcher.said(event.environment, event.text)
            else:
                self._watcher.changed(event)
