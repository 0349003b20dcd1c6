"""Shared memory without a name: what holds it are open files and mappings only, so nothing can be left behind.

A process may have only so many open files: who holds many of these keeps what they hold as plain memory instead.
"""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
import weakref
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Memory"]

# The lines of a processor's cache, and the widest vectors.
_ALIGNMENT = 64
# At most, and at most this part of what the system allows.
_MOST_FILES, _PART_FOR_FILES = 256, 4
_MOST_MAPPINGS, _PART_FOR_MAPPINGS = 128, 8

_open: weakref.WeakSet[Memory] = weakref.WeakSet()
_mapped: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


class Memory:
    """Memory that another process can be given, by its file descriptor.

    Attributes:
        fd: The file descriptor, which this object owns; -1 if it has none, or none any more.
        size: In bytes.
    """

    def __init__(self, fd: int, size: int) -> None:
        self.fd, self.size = fd, size
        self._content: memoryview | None = None
        _open.add(self)

    @staticmethod
    def is_scarce() -> bool:
        """Say whether this process has so many that it should do without more."""
        return len(_open) >= _allowed(_MOST_FILES, _PART_FOR_FILES)

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
        memory = cls(fd, os.fstat(fd).st_size)
        if cls.is_scarce():
            memory._content = _copied(fd, memory.size)
            memory.close()
        return memory

    def descriptor(self) -> int:
        """Return a file descriptor for another process, which this object owns."""
        if self.fd < 0 and self._content is not None:
            self.fd = _nameless_file()
            _write(self.fd, self._content, 0)
            _open.add(self)
        return self.fd

    def mapped(self) -> memoryview:
        """Return the content, to be read and written without being copied.

        What is written is seen by nobody else. It stays after `close`, for as long as something refers to it.
        """
        if not self.size:
            return memoryview(bytearray())
        if self._content is not None:
            return memoryview(bytearray(self._content))
        if sys.version_info < (3, 13) and len(_mapped) >= _allowed(_MOST_MAPPINGS, _PART_FOR_MAPPINGS):
            return _copied(self.fd, self.size)
        options = {"trackfd": False} if sys.version_info >= (3, 13) else {}
        mapping = mmap.mmap(self.fd, self.size, access=mmap.ACCESS_COPY, **options)
        _mapped.add(mapping)
        return memoryview(mapping)

    def close(self) -> None:
        """Give the file descriptor back."""
        fd, self.fd = self.fd, -1
        _open.discard(self)
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        self.close()


@cache
def _allowed(most: int, part: int) -> int:
    if sys.platform == "win32":
        return most
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if limit == resource.RLIM_INFINITY else min(most, limit // part)


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
