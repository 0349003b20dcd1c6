"""The record of one call: queued, begun, tried again and queued in between, and ended."""

from __future__ import annotations

import pytest

from flyte_nb.execution.call import Call
from flyte_nb.execution.journal import Journal
from flyte_nb.execution.node import RunState

QUEUED, RUNNING = RunState.QUEUED, RunState.RUNNING


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, as calls see it."""
    now = [100.0]
    monkeypatch.setattr("flyte_nb.execution.call.time", lambda: now[0])
    return now


@pytest.fixture
def call(clock: list[float]) -> Call:
    """A call that was made at 100."""
    return Call(1, "ml.train", "", None, Journal())


def stands(call: Call) -> tuple[RunState, int, str, float]:
    node = call.node()
    return node.state, node.attempts, node.waiting, node.started.timestamp()


def test_a_call_that_waits_begins_when_its_turn_comes(call: Call, clock: list[float]) -> None:
    """While it waits it tells for what, as that changes; its time begins when it begins."""
    call.queue("its turn: 1 is ahead")
    assert stands(call) == (QUEUED, 0, "its turn: 1 is ahead", 100.0)
    call.queue("1 GPU, which ml.eval has")
    assert stands(call) == (QUEUED, 0, "1 GPU, which ml.eval has", 100.0)
    clock[0] = 107.0
    call.begin()
    assert stands(call) == (RUNNING, 1, "", 107.0)


def test_a_call_that_waits_between_attempts_has_begun_before(call: Call, clock: list[float]) -> None:
    """The attempt that waits does not count yet, and the call began with its first."""
    call.queue()
    call.begin()
    call.retry(RuntimeError("no"))
    call.resume()
    clock[0] = 120.0
    call.queue("2 cores: 1 is free")
    assert stands(call) == (QUEUED, 1, "2 cores: 1 is free", 100.0)
    call.begin()
    assert stands(call) == (RUNNING, 2, "", 100.0)


def test_a_call_that_ends_while_it_waits_waits_for_nothing(call: Call) -> None:
    """Whoever is cancelled in the queue has never begun."""
    call.queue("1 GPU, which ml.eval has")
    call.end(KeyboardInterrupt())
    assert stands(call)[:3] == (RunState.CANCELLED, 0, "")
