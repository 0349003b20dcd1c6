"""Shared memory holds what it was given, and nothing of it is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.crossing.memory import Memory

HOLDING = """
import time
from flyte_nb.crossing.memory import Memory
memory, _ = Memory.holding([memoryview(bytes(2**20))])
view = memory.mapped()
print("there", flush=True)
time.sleep(600)
"""

FILES = Path("/proc/self/fd")
needs_files = pytest.mark.skipif(not FILES.exists(), reason="open files are counted in /proc")


def which(memory: Memory) -> tuple[int, int]:
    """Return what the system knows the memory's file by, however many descriptors it has."""
    status = os.fstat(memory.fd)
    return status.st_dev, status.st_ino


def open_files(known: set[tuple[int, int]]) -> int:
    """Return how many of this process are those; what other tests and threads of libraries open comes and goes."""
    found = 0
    for file in FILES.iterdir():
        with suppress(FileNotFoundError):  # closed since the folder was read
            status = file.stat()
            found += (status.st_dev, status.st_ino) in known
    return found


@given(st.lists(st.binary(max_size=300)))
def test_buffers_lie_where_it_says(buffers: list[bytes]) -> None:
    """Each buffer is found by its offset and size, and its offset suits any vector of a processor."""
    memory, places = Memory.holding([memoryview(buffer) for buffer in buffers])
    content = memory.mapped()
    memory.close()
    assert [bytes(content[offset : offset + size]) for offset, size in places] == buffers
    assert all(offset % 64 == 0 for offset, _ in places)


def test_what_a_reader_writes_is_its_own() -> None:
    """Two readers of the same memory can write to it, and neither sees what the other wrote."""
    memory, _ = Memory.holding([memoryview(b"abc")])
    first, second = memory.mapped(), memory.mapped()
    first[0:1] = b"x"
    assert (bytes(first), bytes(second), bytes(memory.mapped())) == (b"xbc", b"abc", b"abc")


def test_memory_can_be_given_to_others() -> None:
    """What received its file descriptor has the same content and knows its size."""
    memory, _ = Memory.holding([memoryview(b"abc" * 1000)])
    ours, theirs = socket.socketpair()
    with ours, theirs:
        socket.send_fds(ours, [b"x"], [memory.fd])
        memory.close()
        received = Memory.received(socket.recv_fds(theirs, 1, 1)[1][0])
    assert received.size == 3000
    assert bytes(received.mapped()) == b"abc" * 1000
    received.close()


@needs_files
def test_files_are_closed() -> None:
    """After closing, or when nothing refers to memory any longer, no file is open; closing again does nothing."""
    memory, _ = Memory.holding([memoryview(b"abc")])
    forgotten, _ = Memory.holding([memoryview(b"abc")])
    known = {which(memory), which(forgotten)}
    assert open_files(known) == 2
    memory.close()
    memory.close()
    assert memory.fd == -1
    assert open_files(known) == 1
    del forgotten
    assert open_files(known) == 0


@needs_files
def test_many_mappings_leave_files_for_others() -> None:
    """However many arrays lie in shared memory, most of the files that a process may open are left."""
    contents = []
    known = set()
    for number in range(300):
        memory, _ = Memory.holding([memoryview(number.to_bytes(4, "big"))])
        contents.append(memory.mapped())
        known.add(which(memory))
        memory.close()
    assert len(known) == 300
    assert open_files(known) < 150
    assert [int.from_bytes(content, "big") for content in contents] == list(range(300))
    contents.clear()
    assert open_files(known) == 0


def test_a_process_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    """Memory of a process that was killed has no file that could stay."""
    shared = Path("/dev/shm")  # noqa: S108 - looked at only
    before = set(os.listdir(shared)) if shared.exists() else set()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING], stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path)}
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"there\n"
        os.kill(process.pid, signal.SIGKILL)
    assert not list(tmp_path.iterdir())
    after = set(os.listdir(shared)) if shared.exists() else set()
    assert not [name for name in after - before if "flyte_nb" in name]
