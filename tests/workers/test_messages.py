"""Messages arrive whole and in order, with their memory, however the socket cuts them; nothing stays open."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.crossing.memory import Memory
from flyte_nb.workers.messages import Inbox, frame, send_some

Message = tuple[str, bytes]


@given(st.lists(st.tuples(st.binary(max_size=100), st.booleans()), max_size=8), st.lists(st.integers(1, 50)))
def test_messages_arrive_as_they_were_sent(sent: list[tuple[bytes, bool]], cuts: list[int]) -> None:
    """Whole, in order, and each with what its own memory holds."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        inbox = Inbox(theirs)
        arrived: list[tuple[bytes, bytes | None]] = []
        pieces = iter([*cuts, *[1_000] * 100])
        for content, has_memory in sent:
            memory = Memory.holding([memoryview(content + b"!")])[0] if has_memory else None
            data = memoryview(frame(("x", content), memory))
            while data:
                data = data[send_some(ours, data[: next(pieces)], memory) :]
                memory = None
                with suppress(BlockingIOError):
                    arrived += [(body[1], _held(given)) for body, given in inbox.receive()]
    assert arrived == [(content, content + b"!" if has_memory else None) for content, has_memory in sent]


def _held(memory: Memory | None) -> bytes | None:
    return None if memory is None else bytes(memory.mapped())


def test_memory_of_a_message_that_never_becomes_whole_is_closed() -> None:
    """Who sent it has died in the middle of it."""
    ours, theirs = socket.socketpair()
    with theirs:
        inbox = Inbox(theirs)
        before = len(os.listdir("/proc/self/fd"))
        memory, _ = Memory.holding([memoryview(b"x")])
        send_some(ours, memoryview(frame(("x",), memory))[:3], memory)
        memory.close()
        assert list(inbox.receive()) == []
        ours.close()
        with pytest.raises(EOFError):
            inbox.receive()
        inbox.close()
        assert len(os.listdir("/proc/self/fd")) == before - 1  # that of `ours`


def test_memory_that_arrives_when_many_files_are_open_is_kept_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """And can be sent on."""
    monkeypatch.setattr(Memory, "is_scarce", staticmethod(lambda: True))
    content = os.urandom(1_000)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        memory: Any = Memory.holding([memoryview(content)])[0]
        for _ in range(3):
            send_some(ours, memoryview(frame(("x",), memory)), memory)
            ((_, memory),) = Inbox(theirs).receive()
            assert memory.fd == -1
            assert bytes(memory.mapped()) == content
