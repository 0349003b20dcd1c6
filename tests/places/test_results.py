"""What a task gives comes back from its worker: values, errors, and what it has written."""

from __future__ import annotations

import asyncio
import os
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from flyte_nb.crossing.memory import Memory
from flyte_nb.crossing.parcel import Parcel
from flyte_nb.errors import CannotCrossError, InvalidValueError, RemoteError
from flyte_nb.execution.node import RunState
from flyte_nb.places.kept_parcels import ReturnedParcel, kept_parcel, opened
from flyte_nb.session import session

if TYPE_CHECKING:
    from collections.abc import Callable

    from flyte_nb.execution.call import Call

    Run = Callable[..., Any]


@pytest.mark.parametrize("task", ["a.echo", "a.echo_sync"])
def test_a_value_goes_there_and_back(run: Run, task: str) -> None:
    """Whatever plain data a task is given comes back as it was, in another process."""
    value = {"one": [1, 2.5, None, b"\0", "ä"], "nested": ({1, 2}, frozenset({3}), range(3))}
    assert run(task, value).result == value
    assert run("a.who_sync").result != os.getpid() != run("a.who").result[0]


def test_what_each_call_returned_is_told(run: Run) -> None:
    """In a few words that its worker knows, of calls that another worker made, too; a class comes with its name."""
    done = run("a.ping", 2)
    assert [node.returned for node in done.tree] == ["2", "1", "0"]
    assert run("a.point", 1).tree[0].returned == "<Point>"
    assert run("a.echo", None).tree[0].returned == ""


def test_what_was_kept_before_is_opened() -> None:
    """Then nobody knew what it was in a few words; what is kept now says so."""
    parcel = Parcel(b"payload", Memory.holding([memoryview(b"content")])[0])
    kept = kept_parcel(ReturnedParcel(parcel, "[1]"))
    assert kept == (b"payload", b"content", "[1]")
    again, preview = opened(kept)
    assert (again.payload, bytes(again.memory.mapped()) if again.memory else b"", preview) == kept
    assert opened((b"payload", b"")) == ReturnedParcel(Parcel(b"payload", None), "")


def test_errors_come_with_the_frames_where_they_arose(run: Run) -> None:
    """The type's name, its message, and the lines of code in the worker are all told; so is which call failed."""
    with pytest.raises(RemoteError, match=r"OwnError: \(7, 'on purpose'\)") as caught:
        run("b.fails_below", 7)
    shown = "".join(traceback.format_exception(caught.value))
    assert "in _deeper" in shown
    assert 'raise OwnError(number, "on purpose")' in shown
    assert caught.value._flyte_nb_arose  # type: ignore[attr-defined]


def test_a_run_within_a_task_is_refused_in_one_line(run: Run) -> None:
    """There is one run: tasks are called."""
    with pytest.raises(InvalidValueError, match=r"flyte\.run: .* was called inside of a task"):
        run("a.runs_in_a_task")


def test_what_cannot_cross_is_an_error_that_names_it(run: Run) -> None:
    """A lock is no value; the worker goes on."""
    process = run("a.who").result
    with pytest.raises(CannotCrossError, match=r"the result of a.cannot_cross \(_thread.lock\) cannot cross"):
        run("a.cannot_cross")
    assert run("a.who").result == process


@pytest.mark.parametrize(("task", "kind"), [("a.exits", "SystemExit"), ("a.exits_in_a_child", "SystemExit")])
def test_sys_exit_fails_the_task_and_not_the_worker(run: Run, task: str, kind: str) -> None:
    """A task may think that it is a script: also in a task of asyncio's, which lets SystemExit out of the loop."""
    process = run("a.who").result
    with pytest.raises(RemoteError, match=f"{kind}: 3"):
        run(task, *([3] if task == "a.exits" else []))
    assert run("a.who").result == process


def test_an_interrupt_that_a_task_raises_fails_it(run: Run) -> None:
    """Nobody has interrupted the kernel."""
    with pytest.raises(RemoteError, match="KeyboardInterrupt"):
        run("a.interrupts")


@pytest.mark.slow
def test_a_result_of_hundreds_of_megabytes_comes_back(run: Run) -> None:
    """And so do many big ones at once."""
    assert len(run("a.big", 300_000_000).result) == 300_000_000


def test_many_big_results_at_once(start: Run) -> None:
    """However many come at the same time."""

    async def many() -> list[int]:
        return [len(run.result) for run in await asyncio.gather(*(start("a.big", 1_000_000) for _ in range(200)))]

    assert asyncio.run(many()) == [1_000_000] * 200


def lines(run: Any, stream: str) -> str:
    return "".join(f"{line.text}\n" for line in run.logs if line.stream == stream)


def test_what_a_task_writes_is_noted_by_stream_and_level(run: Run) -> None:
    """Lines without an end, what is flushed, logging by its levels, and warnings of Python."""
    done = run("a.speaks")
    assert lines(done, "stdout") == "no end of line\nthe last without its end\n"
    assert "to stderr\n" in lines(done, "stderr")
    assert "UserWarning: a warning of Python" in lines(done, "stderr")
    assert lines(done, "WARNING") == "a warning of logging\n"
    assert lines(done, "ERROR") == "an error of logging\n"


def test_what_is_written_below_python_is_noted(run: Run) -> None:
    """By descriptors, by processes that the task starts, and by C code."""
    done = run("a.speaks_below")
    assert sorted(lines(done, "stdout").splitlines()) == ["by a process", "by os.write", "by the buffer"]
    assert lines(done, "stderr") == "by C\n"


def test_what_is_written_below_python_at_the_very_end_is_noted(tasks: Any) -> None:
    """It goes another way than the result, which must not be faster."""

    async def many() -> list[Call]:
        with session().runner.collecting("local") as journal:
            for number in range(50):
                await tasks.speaks_at_last(f"ä{number}\n" * 5_000)
        return journal.calls()

    for number, call in enumerate(asyncio.run(many())):
        assert "".join(f"{line.text}\n" for line in call.logs()) == f"ä{number}\n" * 5_000


def test_what_threads_of_a_task_write_is_noted(run: Run) -> None:
    """Whether they carry its context or not."""
    done = run("a.speaks_in_threads")
    assert lines(done, "stdout") == "in a thread\n" * 4 + "in a thread with context\n"


def test_a_hundred_thousand_lines(run: Run) -> None:
    """None is lost on the way, though only so many are kept."""
    done = run("a.counts", 100_000)
    assert done.logs[-1].text == "99999"
    assert done.tree[0].state is RunState.SUCCEEDED


def test_tasks_of_one_run_that_write_at_the_same_time(tasks: Any) -> None:
    """Each line is noted with the call that wrote it, whichever way its end goes."""

    async def many() -> list[Call]:
        with session().runner.collecting("local") as journal:
            await asyncio.gather(tasks.speaks_a_lot(0), tasks.speaks_with_others(0))
            await asyncio.gather(*(tasks.speaks_a_lot(300) for _ in range(3)), tasks.speaks_with_others(300))
        return [call for call in journal.calls() if call.inputs.endswith("300")]

    texts = sorted([line.text for line in call.logs()] for call in asyncio.run(many()))
    assert texts == [*[[f"a {n}" for n in range(300)]] * 6, [f"b {n}" for n in range(300)]]
