"""Shared memory holds what it was given, and nothing of it is left behind."""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
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


def open_files() -> int:
    """Return how many there are, without connections: those of libraries come and go in threads of theirs."""
    gc.collect()
    return sum(not _target(file).startswith("socket:") for file in FILES.iterdir())


def _target(file: Path) -> str:
    try:
        return os.readlink(file)
    except FileNotFoundError:  # the one with which the folder is read
        return ""


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
    before = open_files()
    memory, _ = Memory.holding([memoryview(b"abc")])
    memory.close()
    memory.close()
    assert memory.fd == -1
    forgotten, _ = Memory.holding([memoryview(b"abc")])
    assert open_files() > before
    del forgotten
    assert open_files() == before


@needs_files
def test_many_mappings_leave_files_for_others() -> None:
    """However many arrays lie in shared memory, most of the files that a process may open are left."""
    before = open_files()
    contents = []
    for number in range(300):
        memory, _ = Memory.holding([memoryview(number.to_bytes(4, "big"))])
        contents.append(memory.mapped())
        memory.close()
    assert open_files() - before < 150
    assert [int.from_bytes(content, "big") for content in contents] == list(range(300))
    contents.clear()
    assert open_files() == before


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
