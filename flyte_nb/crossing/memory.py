"""Shared memory without a name: what holds it are open files and mappings only, so nothing can be left behind."""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Memory"]

# The lines of a processor's cache, and the widest vectors.
_ALIGNMENT = 64
# Until Python 3.13 every mapping keeps a file open, of which a process may have some hundreds only.
_MOST_MAPPINGS = sys.maxsize if sys.version_info >= (3, 13) else 128

_mapped: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


class Memory:
    """Memory that another process can be given, by its file descriptor.

    Attributes:
        fd: The file descriptor, which this object owns; -1 once it is closed.
        size: In bytes.
    """

    def __init__(self, fd: int, size: int) -> None:
        self.fd, self.size = fd, size

    @classmethod
    def holding(cls, buffers: Sequence[memoryview]) -> tuple[Memory, list[tuple[int, int]]]:
        """Return new memory with a copy of `buffers`, and the offset and size in bytes of each.

        Raises:
            OSError: There is not enough memory.
        """
        places = []
        end = 0
        for buffer in buffers:
            start = -(-end // _ALIGNMENT) * _ALIGNMENT
            places.append((start, buffer.nbytes))
            end = start + buffer.nbytes
        memory = cls(_nameless_file(), end)
        os.ftruncate(memory.fd, end)
        for buffer, (offset, _) in zip(buffers, places, strict=True):
            _write(memory.fd, buffer.cast("B"), offset)
        return memory, places

    @classmethod
    def received(cls, fd: int) -> Memory:
        """Return the memory behind a file descriptor that came from another process, and own that from now on."""
        return cls(fd, os.fstat(fd).st_size)

    def mapped(self) -> memoryview:
        """Return the content, to be read and written without being copied.

        What is written is seen by nobody else. It stays after `close`, for as long as something refers to it.
        """
        if not self.size:
            return memoryview(bytearray())
        if len(_mapped) >= _MOST_MAPPINGS:
            return _copied(self.fd, self.size)
        options = {"trackfd": False} if sys.version_info >= (3, 13) else {}
        mapping = mmap.mmap(self.fd, self.size, access=mmap.ACCESS_COPY, **options)
        _mapped.add(mapping)
        return memoryview(mapping)

    def close(self) -> None:
        """Give the file descriptor back."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        self.close()


def _nameless_file() -> int:
    if sys.platform == "linux":
        return os.memfd_create("flyte_nb")
    fd, path = tempfile.mkstemp(prefix="flyte_nb-")
    os.unlink(path)
    return fd


def _write(fd: int, buffer: memoryview, offset: int) -> None:
    # Faster than writing to a mapping, which has each page cleared first; and other threads go on.
    written = 0
    while written < len(buffer):
        written += os.pwrite(fd, buffer[written:], offset + written)


def _copied(fd: int, size: int) -> memoryview:
    copy = memoryview(bytearray(size))
    read = 0
    while read < size:
        read += os.preadv(fd, [copy[read:]], read)
    return copy
