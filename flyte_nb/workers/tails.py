"""What a worker writes below Python: libraries in C, processes it starts, and its last words when it crashes."""

from __future__ import annotations

import asyncio
import codecs
import os
import select
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Tails"]

_READ_BYTES = 1 << 16


class Tails:
    """Reads pipes on the loop of the pool.

    Attributes:
        last: The last line that was written.

    Args:
        pipes: Each with the name of what it is.
        write: Is told the name and what was written.
    """

    def __init__(self, pipes: Iterable[tuple[str, IO[bytes]]], write: Callable[[str, str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._write = write
        self._open: dict[int, str] = {}
        self._decoders: dict[int, codecs.IncrementalDecoder] = {}
        self._arrived, self._is_telling = select.poll(), False
        self.last = ""
        for name, pipe in pipes:
            os.set_blocking(pipe.fileno(), False)
            self._open[pipe.fileno()] = name
            self._decoders[pipe.fileno()] = codecs.getincrementaldecoder("utf-8")("backslashreplace")
            self._arrived.register(pipe.fileno(), select.POLLIN)
            self._loop.add_reader(pipe.fileno(), self._read, pipe.fileno())

    def has_more(self) -> bool:
        """Say whether something is there that was not told yet. In one other thread at a time."""
        return bool(self._arrived.poll(0)) or self._is_telling  # in this order: what is not there any more may be told

    def read(self) -> None:
        """Read what is there."""
        for descriptor in list(self._open):
            self._read(descriptor)

    def _read(self, descriptor: int) -> None:
        self._is_telling = True
        try:
            self._tell(descriptor)
        finally:
            self._is_telling = False

    def _tell(self, descriptor: int) -> None:
        try:
            data = os.read(descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._close(descriptor)
            return
        text = self._decoders[descriptor].decode(data)
        self.last = (text.rstrip().rpartition("\n")[2] or self.last)[-300:]
        self._write(self._open[descriptor], text)

    def _close(self, descriptor: int) -> None:
        self._loop.remove_reader(descriptor)
        self._open.pop(descriptor, None)

    def close(self) -> None:
        """Read what is there, and then no more."""
        self.read()
        for descriptor in list(self._open):
            self._close(descriptor)
