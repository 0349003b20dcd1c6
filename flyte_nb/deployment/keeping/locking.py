"""One deployment to a target at a time, in all kernels and scripts that share a home."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from flyte_nb.errors import DeploymentLockedError, DeploymentOvertakenError
from flyte_nb.execution.clock import utc
from flyte_nb.liveness import SIGN_SECONDS, SessionRecord
from flyte_nb.targets.writing import written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from datetime import datetime

    from flyte_nb.database import Connection
    from flyte_nb.deployment.keeping.state import DeploymentState
    from flyte_nb.deployment.watching import Watcher

__all__ = ["Holder", "TargetLock", "live_holders"]

_POLL_SECONDS = 0.2
_COLUMNS = "target, holder, machine, pid, began, sign, origin, since"

# The locks that this process holds: one that the database still has after a release that failed is not among them.
_held: set[str] = set()


@dataclass(frozen=True, slots=True)
class Holder:
    """Who deploys to a target.

    Attributes:
        target: The name of the target.
        session: Its process; the name is the lock's own.
        origin: Its notebook or script.
        since: When it took the lock, in UTC.
    """

    target: str
    session: SessionRecord
    origin: str
    since: datetime

    @property
    def is_gone(self) -> bool:
        """Whether it ended without giving the lock back."""
        here = SessionRecord.of_this_process(self.session.name)
        if (here.machine, here.pid, here.began) == (self.session.machine, self.session.pid, self.session.began):
            return self.session.name not in _held
        return self.session.is_gone

    @property
    def who(self) -> str:
        """The holder in words: "churn.ipynb (pid 4711)"."""
        here = SessionRecord.of_this_process("").machine.partition(" ")[0]
        machine = self.session.machine.partition(" ")[0]
        elsewhere = f" on {machine}" if machine != here else ""
        return f"{Path(self.origin).name or 'another session'} (pid {self.session.pid}{elsewhere})"

    def __str__(self) -> str:
        return f"{self.who} has been deploying to {self.target} since {self.since.astimezone():%H:%M:%S %Z}"


def live_holders(connection: Connection) -> set[str]:
    """Return the names of the locks that are held by somebody who lives."""
    holders = (_holder(*row) for row in connection.execute(f"SELECT {_COLUMNS} FROM lock"))  # noqa: S608
    return {holder.session.name for holder in holders if not holder.is_gone}


def _holder(
    target: str, name: str, machine: str, pid: int, began: str, sign: float, origin: str, since: float
) -> Holder:
    return Holder(target, SessionRecord(name, machine, pid, began, sign), origin, utc(since))


class TargetLock:
    """The right to deploy to one target; at the end of an `async with`, it is given back if it was taken.

    Attributes:
        name: What tells it from every other lock.
    """

    def __init__(self, state: DeploymentState, target: str, origin: str) -> None:
        self.name = uuid4().hex
        self._writes, self._target, self._origin = state.writes, target, origin

    async def __aenter__(self) -> TargetLock:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        giving_back = self._let_go()
        if kind is not GeneratorExit:  # then the loop was closed over it, and nothing can be waited for
            await written(giving_back)

    async def acquire(self, watcher: Watcher, *, wait: bool) -> None:
        """Take the lock, at once if its holder is gone; inside of an `async with`.

        Args:
            watcher: Is told who holds it.
            wait: Whether to wait for somebody who lives.

        Raises:
            DeploymentLockedError: Somebody else holds it, and `wait` is not wanted.
            StateError: The database cannot be used.
        """
        _held.add(self.name)
        told = ""
        while holder := await written(self._writes.submit(self._take)):
            if not wait:
                raise DeploymentLockedError(self._target, holder.who, holder.since)
            if told != str(holder):
                told = str(holder)
                watcher.waiting(told)
            await asyncio.sleep(_POLL_SECONDS)

    def _take(self, connection: Connection) -> Holder | None:
        """Take the lock, or return who has it."""
        row = connection.execute(f"SELECT {_COLUMNS} FROM lock WHERE target = ?", (self._target,)).fetchone()  # noqa: S608
        holder = _holder(*row) if row else None
        if holder and not holder.is_gone:
            return holder
        own = SessionRecord.of_this_process(self.name)
        session = own.name, own.machine, own.pid, own.began, own.sign
        connection.execute(
            "INSERT OR REPLACE INTO lock VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (self._target, *session, self._origin, time.time()),
        )
        return None

    @contextmanager
    def signing(self, lost: Callable[[Exception], None]) -> Iterator[None]:
        """Give signs of life in the body; `lost` is told if somebody has taken the lock for that of a dead."""

        async def repeat() -> None:
            refusal: Exception | None = None
            while not refusal:
                await asyncio.sleep(SIGN_SECONDS)
                try:
                    refusal = await written(self._writes.submit(self._sign))
                except Exception as error:  # noqa: BLE001 - whatever it is, the lock may no longer be ours
                    refusal = error
            lost(refusal)

        loop = asyncio.get_running_loop()
        signing = loop.create_task(repeat())
        try:
            yield
        finally:
            if not loop.is_closed():
                signing.cancel()

    def _sign(self, connection: Connection) -> Exception | None:
        """Write that the holder lives, or return why it no longer holds the lock."""
        row = connection.execute(f"SELECT {_COLUMNS} FROM lock WHERE target = ?", (self._target,)).fetchone()  # noqa: S608
        if not row:
            return DeploymentOvertakenError(self._target)  # by somebody who has ended meanwhile
        holder = _holder(*row)
        if holder.session.name != self.name:
            return DeploymentLockedError(self._target, holder.who, holder.since)
        connection.execute("UPDATE lock SET sign = ? WHERE holder = ?", (time.time(), self.name))
        return None

    def _let_go(self) -> Future[None]:
        """Give the lock back, if it was taken. If that cannot be written, it counts as that of a dead."""
        giving_back = self._writes.submit(self._give_back)
        _held.discard(self.name)
        return giving_back

    def _give_back(self, connection: Connection) -> None:
        connection.execute("DELETE FROM lock WHERE holder = ?", (self.name,))
