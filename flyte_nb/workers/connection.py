"""The kernel's end of the connection to a worker: it never blocks, and a loop reads it."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from flyte_nb.workers.messages import Inbox, frame, send_some

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from flyte_nb.crossing.memory import Memory

    Handle = Callable[[tuple[Any, ...], Memory | None], None]

__all__ = ["Connection"]


class Connection:
    """Sends and receives messages.

    Args:
        end: The socket, which does not block.
        handle: Is given each message, with its shared memory.
        ended: Is called, once, when the other end is gone.
    """

    def __init__(self, end: socket.socket, handle: Handle, ended: Callable[[], None]) -> None:
        self._end, self._handle, self._ended = end, handle, ended
        self._inbox = Inbox(end)
        self._unsent: deque[tuple[memoryview, Memory | None]] = deque()
        self._lock = threading.Lock()
        self.attend()

    @property
    def is_attended(self) -> bool:
        """Whether the loop that reads it still can."""
        return not self._loop.is_closed()

    @property
    def is_attended_here(self) -> bool:
        """Whether the loop that runs here reads it."""
        return self._loop is asyncio.get_running_loop()

    def attend(self) -> None:
        """Have it read by the loop that runs here, instead of one that was closed."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._end, self._receive)
        self._loop.call_soon(self._send_later)

    def send(self, message: tuple[Any, ...], memory: Memory | None = None) -> None:
        """Send `message`, or as much as the other end takes now, and the rest when it takes more. From any thread."""
        data = memoryview(frame(message, memory))
        with self._lock:
            if self._end.fileno() < 0:
                return  # it is gone, and who waits for an answer is told so
            self._unsent.append((data, memory))
            if len(self._unsent) > 1 or self._send():
                return
        with suppress(RuntimeError):  # that loop is closed; another may attend to it
            self._loop.call_soon_threadsafe(self._send_later)

    def _send(self) -> bool:
        """Send what is to be sent, and say whether that was all."""
        try:
            while self._unsent:
                data, memory = self._unsent[0]
                sent = send_some(self._end, data, memory)
                if sent < len(data):
                    self._unsent[0] = data[sent:], None
                else:
                    self._unsent.popleft()
        except BlockingIOError:
            return False
        except OSError:
            self._unsent.clear()  # what arrives, or does not, tells that it is gone
        return True

    def _send_later(self) -> None:
        with self._lock:
            if self._unsent and self._end.fileno() >= 0:
                self._loop.add_writer(self._end, self._send_on)

    def _send_on(self) -> None:
        with self._lock:
            if self._send():
                self._loop.remove_writer(self._end)

    def _receive(self) -> None:
        try:
            messages = self._inbox.receive()
        except BlockingIOError:
            return
        except (EOFError, OSError):
            self.close()
            self._ended()
            return
        for message, memory in messages:
            try:
                self._handle(message, memory)
            except Exception as error:  # noqa: BLE001 - one message must not be the end of those that follow
                told = {"message": "flyte_nb: a message of a worker was not understood", "exception": error}
                self._loop.call_exception_handler(told)

    def close_soon(self) -> None:
        """Close it on the loop that reads it, which would otherwise take another socket for it. From any thread."""
        try:
            self._loop.call_soon_threadsafe(self.close)
        except RuntimeError:  # that loop is closed
            self.close()

    def close(self) -> None:
        """Send and receive no more."""
        with self._lock:
            if self._end.fileno() >= 0:
                self._loop.remove_reader(self._end)
                self._loop.remove_writer(self._end)
                self._end.close()
            self._unsent.clear()
            self._inbox.close()
