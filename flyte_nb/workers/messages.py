"""Messages between a kernel and its workers: over a stream socket, each with the descriptor of a shared memory, if any.

A frame is the length of its body, whether a descriptor comes with it, and the body: a tuple, pickled by protocol 5,
whose first entry says what it is. Both ends are processes of one user, one of which has started the other; the socket
is a pair that was inherited, to which nobody else can connect.
"""

from __future__ import annotations

import array
import errno
import os
import pickle
import socket
import struct
from collections import deque
from typing import TYPE_CHECKING, Any

from flyte_nb.crossing.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Inbox", "frame", "send_some"]

_HEAD = struct.Struct("<IB")
_READ_BYTES = 1 << 16
_MOST_DESCRIPTORS = 64
_DESCRIPTOR_BYTES = array.array("i").itemsize
# So that what the process starts by itself does not inherit what is received. As plain numbers, which are quicker.
_FLAGS = int(getattr(socket, "MSG_CMSG_CLOEXEC", 0))
_FLAGS_NOW = _FLAGS | int(socket.MSG_DONTWAIT)
_LOST = int(socket.MSG_CTRUNC)
_SPACE = socket.CMSG_SPACE(_MOST_DESCRIPTORS * _DESCRIPTOR_BYTES)


def frame(message: tuple[Any, ...], memory: Memory | None = None) -> bytes:
    """Return the frame of `message`, with which the descriptor of `memory` has to be sent."""
    body = pickle.dumps(message, 5)
    return _HEAD.pack(len(body), memory is not None) + body


def send_some(end: socket.socket, data: memoryview, memory: Memory | None) -> int:
    """Send the beginning of `data`, with the descriptor of `memory` if there is one, and return how much it was."""
    if memory is None:
        return end.send(data)
    descriptors = array.array("i", [memory.descriptor()])
    return end.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])


class Inbox:
    """Cuts what arrives on a socket into messages."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._bytes = bytearray()
        self._descriptors: deque[int] = deque()

    def receive(self, *, wait: bool = True) -> Iterator[tuple[tuple[Any, ...], Memory | None]]:
        """Read once, and yield the messages that are whole by now, each with its shared memory, if it has one.

        Args:
            wait: Whether to wait until something arrives, if the socket does.

        Raises:
            EOFError: The other end is gone.
            OSError: As the socket says; BlockingIOError if nothing has arrived.
        """
        flags = _FLAGS if wait else _FLAGS_NOW
        data, ancillary, told, _ = self._end.recvmsg(_READ_BYTES, _SPACE, flags)
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                whole = len(content) - len(content) % _DESCRIPTOR_BYTES
                self._descriptors.extend(array.array("i", content[:whole]))
        if told & _LOST:
            raise OSError(errno.EMFILE, "a descriptor was lost: this process has too many open files")
        if not data:
            raise EOFError
        self._bytes += data
        return self._cut()

    def close(self) -> None:
        """Let go of descriptors whose messages will never be whole."""
        while self._descriptors:
            os.close(self._descriptors.popleft())

    def _cut(self) -> Iterator[tuple[tuple[Any, ...], Memory | None]]:
        at, end = 0, len(self._bytes)
        messages = []
        while end - at >= _HEAD.size:
            length, has_memory = _HEAD.unpack_from(self._bytes, at)
            begin = at + _HEAD.size
            if end - begin < length:
                break
            at = begin + length
            memory = Memory.received(self._descriptors.popleft()) if has_memory else None
            messages.append((pickle.loads(memoryview(self._bytes)[begin:at]), memory))  # noqa: S301 - see above
        del self._bytes[:at]
        return iter(messages)
