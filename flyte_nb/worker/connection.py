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

    Handle = Callable[[tuple[Any, ...], Memory | None], None]

__all__ = ["Connection"]


class Connection:
    """Sends from whatever thread. Reads where the loop runs, or else in a thread; when the kernel is gone, so is this.

    Messages are read on the loop, which is quicker, until a task needs the main thread for itself.

    Args:
        descriptor: That of the socket.
    """

    def __init__(self, descriptor: int) -> None:
        self._end = socket.socket(fileno=descriptor)
        self._inbox = Inbox(self._end)
        self._sending = threading.Lock()
        self._handle: Handle = lambda message, memory: None
        self._has_thread = self._is_reading = False

    def send(self, message: tuple[Any, ...], memory: Memory | None = None) -> None:
        """Send `message`, whole, and the descriptor of `memory` with it."""
        data = memoryview(frame(message, memory))
        try:
            with self._sending:
                data = data[send_some(self._end, data, memory) :]
                while data:
                    data = data[self._end.send(data) :]
        except OSError:
            _end_with_all()  # the kernel is gone

    def first(self) -> tuple[Any, ...]:
        """Return the first message; the kernel sends no other before it has an answer."""
        while True:
            for message, _ in self._received():
                return message

    def read_on(self, loop: AbstractEventLoop, handle: Handle) -> None:
        """Have every message that comes handled on `loop`, in order."""
        self._handle = handle
        loop.add_reader(self._end, self._read)

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
        if self._has_thread or self._is_reading:
            return
        self._is_reading = True
        try:
            while select.select([self._end], [], [], 0)[0]:
                self._take()
        finally:
            self._is_reading = False

    def _read_on(self) -> None:
        while True:
            self._read()

    def _read(self) -> None:
        self._is_reading = True
        try:
            self._take()
        finally:
            self._is_reading = False

    def _take(self) -> None:
        for message, memory in self._received():
            self._handle(message, memory)

    @property
    def is_reading(self) -> bool:
        """Whether a message is being read or handled, which must not be interrupted."""
        return self._is_reading and not self._has_thread

    def _received(self) -> list[tuple[tuple[Any, ...], Memory | None]]:
        try:
            return list(self._inbox.receive())
        except (EOFError, OSError):
            _end_with_all()
            raise


def _end_with_all() -> None:
    """End this process at once, with all that it has started."""
    os.killpg(0, signal.SIGKILL)
