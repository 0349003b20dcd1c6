"""A worker's end of the connection to the kernel."""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

from flyte_nb.execution.stopping import StoppedInThread
from flyte_nb.workers.messages import Inbox, frame, send_some

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable
    from concurrent.futures import Future

    from flyte_nb.crossing.memory import Memory
    from flyte_nb.worker.strikes import Strikes

    Handle = Callable[[tuple[Any, ...], Memory | None], None]

__all__ = ["Connection"]

# What a socket to which something can be written takes at once, whatever the system.
_SMALL = 4096


class Connection:
    """Sends from whatever thread. Reads where the loop runs, or else in a thread; when the kernel is gone, so is this.

    Messages are read on the loop, which is quicker, until a task needs the main thread for itself.

    Args:
        descriptor: That of the socket.
        strikes: Are held off while a message is sent or read.
    """

    def __init__(self, descriptor: int, strikes: Strikes) -> None:
        self._end = socket.socket(fileno=descriptor)
        self._strikes = strikes
        self._room = select.poll()
        self._room.register(self._end, select.POLLOUT)
        self._inbox = Inbox(self._end)
        self._sending = threading.Lock()
        self._handle: Handle = lambda message, memory: None
        self._has_thread = False

    def send(self, message: tuple[Any, ...], memory: Memory | None = None) -> None:
        """Send `message`, whole, and the descriptor of `memory` with it."""
        data = memoryview(frame(message, memory))
        if self._end.fileno() < 0:
            raise RuntimeError("a process that a task has forked cannot call tasks: call them in the task")
        try:
            with self._strikes, self._sending:
                data = data[send_some(self._end, data, memory) :]
                while data:
                    data = data[self._end.send(data) :]
        except OSError:
            _end_with_all()  # the kernel is gone

    def takes(self, message: bytes) -> bool:
        """Say whether a message of about this size can be sent without waiting. For the main thread."""
        return len(message) <= _SMALL and bool(self._room.poll(0))

    def forget(self) -> None:
        """Let go of it, in a process that was forked: it is not this one's."""
        self._end.close()

    def first(self) -> tuple[Any, ...]:
        """Return the first message; the kernel sends no other before it has an answer."""
        while True:
            for message, _ in self._received():
                return message

    def read_on(self, loop: AbstractEventLoop, handle: Handle) -> None:
        """Have every message that comes handled on `loop`, in order."""
        self._handle = handle
        # Without waiting: a signal may come between what woke the loop and this, whose handler reads it all.
        loop.add_reader(self._end, lambda: self._read(wait=False))

    def read_in_thread(self, loop: AbstractEventLoop) -> None:
        """Have every message that comes handled in a thread from now on, and no more on `loop`."""
        if not self._has_thread:
            self._has_thread = True
            loop.remove_reader(self._end)
            threading.Thread(target=self._read_on, name="flyte_nb-kernel", daemon=True).start()

    @property
    def has_thread(self) -> bool:
        """Whether messages are read in a thread."""
        return self._has_thread

    def wait_for(self, answer: Future[Any], stops: Callable[[], bool]) -> None:
        """Wait for `answer`, in whatever thread; in the main one, messages are read meanwhile, if nobody else does.

        Raises:
            StoppedInThread: `stops` has said so.
        """
        if self._has_thread or threading.current_thread() is not threading.main_thread():
            answer.result()
        while not answer.done():
            self._read()
            if stops():
                raise StoppedInThread

    def look(self) -> None:
        """Read what has come, in the handler of a signal: the code that was interrupted may not let the loop do it."""
        if self._has_thread:
            return
        arrived = select.poll()
        arrived.register(self._end, select.POLLIN)
        while arrived.poll(0):
            self._read(wait=False)

    def _read_on(self) -> None:
        while True:
            self._read()

    def _read(self, *, wait: bool = True) -> None:
        with self._strikes:
            for message, memory in self._received(wait=wait):
                self._handle(message, memory)

    def _received(self, *, wait: bool = True) -> list[tuple[tuple[Any, ...], Memory | None]]:
        try:
            return list(self._inbox.receive(wait=wait))
        except BlockingIOError:
            return []
        except (EOFError, OSError):
            _end_with_all()
            raise


def _end_with_all() -> None:
    """End this process at once, with all that it has started."""
    os.killpg(0, signal.SIGKILL)
