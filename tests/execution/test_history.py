"""The history holds every run as it was, and gives those that are asked for."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import threading
import time
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flyte_nb as flyte
from flyte_nb import TaskEnvironment
from flyte_nb.errors import InvalidTypeError, InvalidValueError, UnknownRunError
from flyte_nb.execution.history import recorder
from flyte_nb.execution.history.records import lines_of
from flyte_nb.execution.node import RunState
from flyte_nb.execution.output import MOST_LINES
from flyte_nb.execution.runner import current_call
from flyte_nb.session import session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from flyte_nb.execution.journal import Journal

TREES = st.recursive(
    st.tuples(st.sampled_from(["ends", "fails", "prints"]), st.just(())),
    lambda below: st.tuples(
        st.sampled_from(["awaits", "gathers", "threads", "fails", "leaves"]), st.lists(below, max_size=4).map(tuple)
    ),
    max_leaves=12,
)
TEXTS = ["plain\n", "no end", "50 %\r100 %\n", "é\ud800\0\x1b[31m<b>\n", "\n\n", "sk-123456abcdef\n"]

env: TaskEnvironment


@pytest.fixture(autouse=True)
def _env() -> None:
    global env
    env = TaskEnvironment("env")


@pytest.fixture
def _recording() -> Iterator[None]:
    session().history.start()
    yield
    session().history.stop()


def write(text: str, stream: str = "stdout") -> None:
    call = current_call()
    assert call is not None
    call.write(stream, text)


def count(table: str) -> int:
    path = session().settings.home_path / "runs.sqlite3"
    connection = sqlite3.connect(path)
    (found,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    connection.close()
    return int(found)


def names() -> list[str]:
    return [run.name for run in flyte.runs()]


def tasks_of_trees() -> Any:
    @env.task
    def in_thread(tree: Any) -> None:
        write(f"thread {tree!r}\n", "stderr")

    @env.task
    async def grow(tree: Any) -> None:
        kind, below = tree
        for text in TEXTS if kind == "prints" else ():
            write(text)
        if kind == "gathers":
            await asyncio.gather(*map(grow, below), return_exceptions=True)
        left = [asyncio.ensure_future(grow(one)) for one in below if kind == "leaves"]
        for one in below if kind in ("awaits", "fails") else ():
            with suppress(ValueError):
                await grow(one)
        await asyncio.gather(*(in_thread.aio(one) for one in below if kind == "threads"))
        if kind == "fails":
            raise ValueError(f"failed with {len(below)}")
        for one in left:
            one.cancel()

    return grow


@given(TREES)
@settings(max_examples=60)
def test_what_is_written_is_what_was_run(tree: Any) -> None:
    """After a flush the history holds the calls and lines of the run's journal, for any tree of calls."""
    env = TaskEnvironment("env")  # noqa: F841 - a new environment, whose tasks are of this example alone
    grow = tasks_of_trees()
    journals = []
    end = session().runner.watch(journals.append)
    asyncio.run(_settled(grow, tree))
    end()
    (run,) = flyte.runs(limit=1)
    calls = journals[0].calls()
    root = calls[0].node()
    assert run.name == session().runner.run_name(root.id)
    assert (run.task, run.state, run.started, run.ended) == (root.task, root.state, root.started, root.ended)
    assert (run.error, run.calls, run.duration) == (root.error, len(calls), root.duration)
    assert run.tree == tuple(call.node() for call in sorted(calls, key=lambda call: call.id))
    lines = [line for call in sorted(calls, key=lambda call: call.id) for line in call.logs()]
    told = [(line.node, line.task, line.time, line.stream, line.text) for line in run.logs]
    storable = [(line.node, line.task, line.time, line.stream, _storable(line.text)) for line in lines]
    assert told == sorted(storable, key=lambda line: line[2])


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


async def _settled(grow: Any, tree: Any) -> None:
    with suppress(ValueError):
        await flyte.run(grow, tree)
    await asyncio.sleep(0)


def test_a_finished_run_and_its_record_agree() -> None:
    """The run that `flyte.run` returns is found by its name, with the same tree and logs."""

    @env.task
    async def leaf(number: int) -> None:
        write(f"leaf {number}\n")

    @env.task
    async def root() -> None:
        await asyncio.gather(*(leaf(number) for number in range(20)))

    run = asyncio.run(flyte.run(root))
    record = session().history.run(run.name)
    assert (record.tree, record.logs, record.duration) == (run.tree, run.logs, run.duration)
    assert record.session == session().runner.name


def test_a_script_records_what_it_runs_and_a_notebook_every_call() -> None:
    """Bare calls are recorded from `start` to `stop` only, and a run once."""

    @env.task
    async def t() -> None: ...

    async def both() -> list[str]:
        await t()
        return [(await flyte.run(t)).name]

    expected = asyncio.run(both())
    assert names() == expected
    session().history.start()
    try:
        expected = asyncio.run(both()) + expected
    finally:
        session().history.stop()
    asyncio.run(t())  # type: ignore[arg-type]
    lone = f"{session().runner.name}-{int(expected[0].rpartition('-')[2]) - 1}"
    assert names() == [expected[0], lone, expected[1]]


def test_both_kinds_of_run_are_asked_alike() -> None:
    """A finished run and its record have a status, and it is text."""

    @env.task
    async def t() -> None: ...

    run = asyncio.run(flyte.run(t))
    assert (type(flyte.runs()[0].status), flyte.runs()[0].status) == (str, run.status)


def test_what_has_ended_is_read_once() -> None:
    """The tree and the lines of a run that has ended stay with it, of the last that were read."""

    @env.task
    async def t() -> None:
        write("x\n")

    for _ in range(20):
        asyncio.run(flyte.run(t))
    runs = flyte.runs()
    read = [(run.tree, run.logs) for run in runs]
    assert runs[-1].tree is read[-1][0]
    assert runs[-1].logs is read[-1][1]
    assert runs[0].tree is not read[0][0]
    assert runs[0].tree == read[0][0]


def test_a_run_that_goes_on_is_there_as_far_as_it_is() -> None:
    """While a run goes on the history shows what there is so far, and how a line that is still open stands."""
    seen = []

    @env.task
    async def root() -> None:
        write("first\n10 %")
        seen.append(flyte.runs()[0])
        seen.append(seen[0].logs)
        write("\r20 %", "stdout")
        write("other\n", "stderr")
        seen.append(seen[0].logs)
        seen.append(flyte.runs()[0].logs)
        write("\rdone\nend\n")

    run = asyncio.run(flyte.run(root))
    assert (seen[0].state, seen[0].ended, seen[0].duration) == (RunState.RUNNING, None, None)
    texts = [[line.text for line in lines] for lines in seen[1:]]
    assert texts == [["first", "10 %"], ["first", "10 %"], ["first", "20 %", "other"]]
    assert [line.text for line in flyte.runs()[0].logs] == ["first", "done", "other", "end"]
    assert flyte.runs()[0].logs == run.logs


def collect_garbage() -> None:
    """Leave nothing that nobody has: calls and their journal have each other."""
    gc.collect()


def wait_for(table: str, rows: int) -> None:
    """Wait until there are so many rows, without asking the history for anything."""
    give_up = time.monotonic() + 60
    while count(table) < rows:
        assert time.monotonic() < give_up
        time.sleep(0.01)


async def run_and_leave(later: Callable[[], Awaitable[None]], between: Callable[[], Awaitable[None]]) -> None:
    """Run a task that leaves `later` behind; what is between happens after the run was written, and before that."""
    ended, left = asyncio.Event(), []

    async def leave() -> None:
        await ended.wait()
        await later()

    @env.task
    async def root() -> None:
        left.append(asyncio.ensure_future(leave()))

    await flyte.run(root)
    for _ in range(2):  # the second finds the thread at rest
        assert [node.task for node in flyte.runs()[0].tree] == ["env.root"]
    await between()
    ended.set()
    await left.pop()


async def nothing() -> None: ...


def test_what_begins_after_the_run_is_a_part_of_it() -> None:
    """A call that the root leaves behind is recorded, though the root was written, and nobody has the call any more."""

    @env.task
    async def late() -> None:
        write("late\n")

    asyncio.run(run_and_leave(late, nothing))  # type: ignore[arg-type]
    collect_garbage()
    (run,) = flyte.runs()
    assert [(node.task, node.state) for node in run.tree] == [
        ("env.root", RunState.SUCCEEDED),
        ("env.late", RunState.SUCCEEDED),
    ]
    assert (run.calls, [line.text for line in run.logs]) == (2, ["late"])


def test_what_is_printed_after_the_run_is_a_part_of_it() -> None:
    """Lines of a call that had ended and was written are recorded, and what is added to a line that was."""

    async def late() -> None:
        write("late")
        assert [line.text for line in flyte.runs()[0].logs] == ["late"]
        write("r\rend")

    asyncio.run(run_and_leave(late, nothing))
    collect_garbage()
    (run,) = flyte.runs()
    assert [line.text for line in run.logs] == ["end"]


def test_what_a_part_prints_after_its_end() -> None:
    """Lines of a call that had ended are recorded while the run goes on, and those before its end."""

    async def late(printed: asyncio.Event) -> None:
        await printed.wait()
        write("late\n")

    @env.task
    async def part(printed: asyncio.Event) -> Any:
        return [asyncio.ensure_future(late(printed))]

    @env.task
    async def root() -> None:
        events = asyncio.Event(), asyncio.Event()
        left = [(await part(event)).pop() for event in events]
        assert flyte.runs()[0].calls == 3
        events[0].set()
        await left[0]
        seen.append([line.text for line in flyte.runs()[0].logs])
        events[1].set()
        await left[1]

    seen: list[list[str]] = []
    asyncio.run(flyte.run(root))
    collect_garbage()
    assert [*seen, [line.text for line in flyte.runs()[0].logs]] == [["late"], ["late", "late"]]


@pytest.mark.parametrize("kept", [0, 100_000])
def test_what_goes_on_after_the_run_is_written_unasked(monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    """The history sees by itself, while it sleeps, that something begins or prints below what had ended."""
    monkeypatch.setattr(recorder, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(recorder, "_KEPT", kept)

    @env.task
    async def late() -> None:
        write("late\n")
        wait_for("node", 2)
        wait_for("line", 2)

    async def print_and_begin() -> None:
        write("root\n")
        wait_for("line", 1)
        await late()  # type: ignore[misc]

    asyncio.run(run_and_leave(print_and_begin, nothing))
    assert [line.text for line in flyte.runs()[0].logs] == ["root", "late"]


def test_what_ended_in_another_folder_is_whole_where_it_goes_on(tmp_path: Path) -> None:
    """When another folder is chosen after the run, and something begins below it, the whole run is there."""

    @env.task
    async def late() -> None: ...

    @env.task
    async def other() -> None: ...

    async def move() -> None:
        session().settings.home = str(tmp_path / "other")
        await flyte.run(other)
        assert [run.task for run in flyte.runs()] == ["env.other"]

    try:
        asyncio.run(run_and_leave(late, move))  # type: ignore[arg-type]
        assert [[node.task for node in run.tree] for run in flyte.runs()] == [["env.other"], ["env.root", "env.late"]]
    finally:
        session().settings.home = ""
    assert [run.calls for run in flyte.runs()] == [1]


@pytest.mark.usefixtures("_recording")
def test_what_nobody_has_any_more_is_recorded() -> None:
    """Calls by themselves that are garbage before they are written are there."""

    @env.task
    async def t(n: int) -> None:
        write(f"{n}\n")

    async def main() -> None:
        for number in range(10):
            await t(number)
            collect_garbage()

    asyncio.run(main())
    collect_garbage()
    assert [run.logs[0].text for run in flyte.runs()] == [str(number) for number in range(10)][::-1]


@pytest.mark.usefixtures("_recording")
def test_a_call_that_is_seen_before_it_begins() -> None:
    """The history may look at the journal of a call as soon as it is told of it."""

    @env.task
    async def t() -> None: ...

    def look(_: object) -> None:
        session().history.flush()
        session().history.flush()

    end = session().runner.watch(look)
    asyncio.run(t())  # type: ignore[arg-type]
    end()
    collect_garbage()
    assert [run.state for run in flyte.runs()] == [RunState.SUCCEEDED]


class SlowError(Exception):
    """Is looked at by the history while its words are asked for: the call has neither ended nor not."""

    def __str__(self) -> str:
        for _ in range(2):
            session().history.flush()
        return "slow words"


@pytest.mark.usefixtures("_recording")
def test_a_call_that_is_seen_while_it_ends() -> None:
    """What is recorded of a call is how it ended, and not what was half noted."""

    @env.task
    async def t() -> None:
        raise SlowError

    with suppress(SlowError):
        asyncio.run(t())  # type: ignore[arg-type]
    collect_garbage()
    (run,) = flyte.runs()
    assert (run.state, run.error) == (RunState.FAILED, "SlowError: slow words")
    assert (run.ended, run.error) == (run.tree[0].ended, run.tree[0].error)


def test_runs_can_be_asked_for_by_their_task() -> None:
    """The task itself will do, as it does for `flyte_nb.run`."""

    @env.task
    async def t() -> None: ...

    @env.task
    async def other() -> None: ...

    for task in (t, other):
        asyncio.run(flyte.run(task))
    assert [run.task for run in flyte.runs(t)] == ["env.t"]


@pytest.mark.parametrize(
    ("expected", "told"), [(True, (RunState.SUCCEEDED, "")), (False, (RunState.FAILED, "ValueError: two"))]
)
def test_what_is_collected_together_is_one_run(expected: bool, told: tuple[RunState, str]) -> None:
    """All roots of one collection are one run, with all their lines; it has failed if that is what it came to."""

    @env.task
    async def t(n: int) -> None:
        write(f"{n}\n")
        if n == 2:
            raise ValueError("two")

    async def main() -> None:
        with session().runner.collecting():
            results = await asyncio.gather(t(1), t(2), return_exceptions=True)
            assert [run.state for run in flyte.runs()] == [RunState.RUNNING]
            if not expected:
                raise results[1]  # type: ignore[misc]

    with suppress(ValueError):
        asyncio.run(main())
    (run,) = flyte.runs()
    assert (run.task, run.calls, run.state, run.error) == ("env.t", 2, *told)
    assert [node.inputs for node in run.tree] == ["n=1", "n=2"]
    assert [line.text for line in run.logs] == ["1", "2"]


def test_a_map_is_one_run() -> None:
    """However many calls it makes, it takes the place of one run, and what runs beside it is no part of it."""
    session().history.start()

    @env.task
    async def t(n: int) -> int:
        return n

    async def main() -> None:
        async for n in flyte.map(t, range(3)):
            if n == 1:
                await t(10)
        await flyte.map(t, range(1_500))

    asyncio.run(main())
    session().history.stop()
    assert sorted((run.calls, run.state.value) for run in flyte.runs()) == [
        (1, "succeeded"),
        (3, "succeeded"),
        (1_500, "succeeded"),
    ]


def test_nothing_that_ran_is_nothing_recorded() -> None:
    """A collection without calls leaves no run, and the history rests."""
    with session().runner.collecting():
        pass
    assert flyte.runs() == []


def test_runs_of_several_threads() -> None:
    """Runs that begin in many threads at once are all there."""

    @env.task
    async def t() -> None:
        write("x\n")

    threads = [threading.Thread(target=lambda: [asyncio.run(flyte.run(t)) for _ in range(25)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    runs = flyte.runs(limit=1_000)
    assert len(runs) == 200
    assert all(len(run.tree) == len(run.logs) == 1 for run in runs)


@pytest.fixture
def mixed() -> list[str]:
    """Five runs, the oldest first."""
    other = TaskEnvironment("other")

    @env.task
    async def good() -> None: ...

    @env.task
    async def bad() -> None:
        raise ValueError("boom, with sk-123456abcdef")

    async def better() -> None: ...

    better.__name__ = "good"
    better = other.task(better)

    async def main() -> list[str]:
        for task in (good, bad, better, good, bad):
            with suppress(ValueError):
                await flyte.run(task)
        return names()

    return asyncio.run(main())[::-1]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [4, 3, 2, 1, 0]),
        ({"limit": 2}, [4, 3]),
        ({"limit": 10**20}, [4, 3, 2, 1, 0]),
        ({"task": "env.good"}, [3, 0]),
        ({"task": "good"}, [3, 2, 0]),
        ({"task": "env"}, [4, 3, 1, 0]),
        ({"task": "nothing"}, []),
        ({"task": "goo%"}, []),
        ({"state": "failed"}, [4, 1]),
        ({"state": RunState.SUCCEEDED}, [3, 2, 0]),
        ({"state": ["failed", "succeeded"], "limit": 3}, [4, 3, 2]),
        ({"state": {"running", "lost", "timed out"}}, []),
        ({"since": "1h"}, [4, 3, 2, 1, 0]),
        ({"since": "0.5 d"}, [4, 3, 2, 1, 0]),
        ({"since": "99999999999w"}, [4, 3, 2, 1, 0]),
        ({"since": timedelta(minutes=1)}, [4, 3, 2, 1, 0]),
        ({"since": datetime.now(timezone.utc) + timedelta(days=1)}, []),
        ({"since": datetime.max}, []),
        ({"since": datetime.min}, [4, 3, 2, 1, 0]),
        ({"since": datetime(2024, 1, 1)}, [4, 3, 2, 1, 0]),
        ({"task": "env", "state": "failed", "since": "2m", "limit": 1}, [4]),
    ],
)
def test_filters(mixed: list[str], asked: dict[str, Any], expected: list[int]) -> None:
    """Runs are given the newest first, by the name of task, function or environment, by state, and by time."""
    assert [mixed.index(run.name) for run in flyte.runs(**asked)] == expected


def test_since_is_a_moment(mixed: list[str]) -> None:
    """A run that began at the very moment is among them, and those before it are not."""
    third = session().history.run(mixed[2])
    assert [mixed.index(run.name) for run in flyte.runs(since=third.started)] == [4, 3, 2]


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"state": "faild"}, InvalidValueError, "Did you mean 'failed'?"),
        ({"state": "x"}, InvalidValueError, "timed out"),
        ({"state": ["failed", "suceeded"]}, InvalidValueError, "Did you mean 'succeeded'?"),
        ({"state": 1}, InvalidTypeError, "a state or several"),
        ({"state": [1]}, InvalidTypeError, "a state or several"),
        ({"since": "yesterday"}, InvalidValueError, "30m"),
        ({"since": "-2h"}, InvalidValueError, "30m"),
        ({"since": timedelta(hours=-2)}, InvalidValueError, "future"),
        ({"since": 5}, InvalidTypeError, "a timedelta"),
        ({"limit": 0}, InvalidValueError, "never show anything"),
        ({"limit": "10"}, InvalidTypeError, "a whole number"),
        ({"limit": True}, InvalidTypeError, "a whole number"),
        ({"task": 5}, InvalidTypeError, "a name"),
    ],
)
def test_what_means_nothing_is_refused(asked: dict[str, Any], error: type[Exception], said: str) -> None:
    """One line that says what was wrong and shows how it is done."""
    with pytest.raises(error, match="For example: runs") as caught:
        flyte.runs(**asked)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_history_says_so(tmp_path: Path) -> None:
    """Without runs the list is empty, nothing is created, and asking for one says what to do."""
    assert flyte.runs() == []
    for name in (None, "abc-1"):
        with pytest.raises(UnknownRunError, match="Run a task"):
            session().history.run(name)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_no_run_has(mixed: list[str]) -> None:
    """The closest name is offered."""
    with pytest.raises(UnknownRunError, match=f"Did you mean '{mixed[0]}'"):
        session().history.run(f"x{mixed[0]}")


def test_the_latest_run_is_one_of_this_session(mixed: list[str]) -> None:
    """Without a name the latest run of the session is meant, though another session has a later one."""
    assert session().history.run(None).name == mixed[-1]
    with sqlite3.connect(session().settings.home_path / "runs.sqlite3") as connection:
        connection.execute("UPDATE run SET session = 'another' WHERE name = ?", (mixed[-1],))
    connection.close()
    assert session().history.run(None).name == mixed[-2]


def test_lines_of_a_task_and_a_stream() -> None:
    """Lines can be asked for by task and stream; a task that the run does not have is refused with the closest."""

    @env.task
    async def leaf() -> None:
        write("out\n")
        write("err\n", "stderr")

    @env.task
    async def root() -> None:
        write("root\n")
        await leaf()

    asyncio.run(flyte.run(root))
    (run,) = flyte.runs()

    def texts(*asked: str | None) -> list[str]:
        return [line.text for line in lines_of(run, *asked)]  # type: ignore[arg-type]

    assert texts(None, None) == texts("env", None) == ["root", "out", "err"]
    assert texts("leaf", None) == ["out", "err"]
    assert texts("env.leaf", "stderr") == ["err"]
    assert texts(None, "display") == texts("root", "stderr") == []
    with pytest.raises(InvalidValueError, match="Did you mean 'leaf'"):
        texts("laef", None)


def test_of_endless_output_the_end_is_kept() -> None:
    """Of a call that prints more than 10,000 lines the history keeps the last, as the run itself does."""

    @env.task
    async def chatty() -> None:
        for part in range(4):
            write("".join(f"{number}\n" for number in range(part * 5_000, part * 5_000 + 5_000)))
            session().history.flush()

    run = asyncio.run(flyte.run(chatty))
    (record,) = flyte.runs()
    assert len(record.logs) == MOST_LINES
    assert record.logs == run.logs
    assert record.tree[0].lines == 20_000


def test_old_runs_are_pruned_with_all_that_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of runs that have ended so many are kept, the last, and nothing of the others."""
    monkeypatch.setattr(session().settings, "keep_runs", 3)

    @env.task
    async def t() -> None:
        write("line\n")

    for expected in (1, 2, 3, 3, 3):
        run = asyncio.run(flyte.run(t))
        runs = flyte.runs()
        assert len(runs) == expected == count("run") == count("node") == count("line")
        assert runs[0].name == run.name
    old = runs[-1]
    asyncio.run(flyte.run(t))
    assert old.name not in names()
    assert (old.tree, old.logs) == ((), ())


@pytest.mark.usefixtures("_recording")
def test_a_run_that_goes_on_is_not_pruned(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many runs end meanwhile, one that goes on keeps its place."""
    monkeypatch.setattr(session().settings, "keep_runs", 2)

    @env.task
    async def short() -> None: ...

    @env.task
    async def long() -> None:
        session().history.flush()
        await going.wait()

    async def main() -> None:
        task = asyncio.ensure_future(long())  # type: ignore[var-annotated, arg-type]
        await asyncio.sleep(0)
        for _ in range(10):
            await asyncio.create_task(short())  # type: ignore[arg-type]
            session().history.flush()
        assert [run.task for run in flyte.runs()] == ["env.short", "env.short", "env.long"]
        going.set()
        await task

    going = asyncio.Event()
    asyncio.run(main())
    assert len(flyte.runs()) == 2


def test_keeping_none_records_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 0 nothing is recorded, and what was recorded goes."""

    @env.task
    async def t() -> None: ...

    asyncio.run(flyte.run(t))
    assert len(flyte.runs()) == 1
    monkeypatch.setattr(session().settings, "keep_runs", 0)
    asyncio.run(flyte.run(t))
    assert flyte.runs() == []
    assert count("node") == 0
    monkeypatch.setattr(session().settings, "keep_runs", 5)
    asyncio.run(flyte.run(t))
    assert len(flyte.runs()) == 1


@pytest.mark.usefixtures("_recording")
def test_of_very_many_short_runs_the_last_are_there() -> None:
    """20,000 calls in a loop leave the last 1,000, in order and whole."""

    @env.task
    async def t(n: int) -> None: ...

    async def main() -> None:
        for number in range(20_000):
            await t(number)

    asyncio.run(main())
    runs = flyte.runs(limit=20_000)
    assert len(runs) == 1_000
    assert [run.tree[0].inputs for run in runs[:3]] == ["n=19999", "n=19998", "n=19997"]
    numbers = [int(run.name.rpartition("-")[2]) for run in runs]
    assert numbers == list(range(numbers[0], numbers[0] - 1_000, -1))


def test_as_many_as_there_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number of runs to keep that no database can count to keeps all."""
    monkeypatch.setattr(session().settings, "keep_runs", 10**20)

    @env.task
    async def t() -> None: ...

    for _ in range(3):
        asyncio.run(flyte.run(t))
    assert len(flyte.runs()) == 3


def test_a_burst_is_kept_as_far_as_wished(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many are kept of more than 10,000 runs that end in one moment, too."""
    monkeypatch.setattr(session().settings, "keep_runs", 15_000)

    @env.task
    async def t() -> None: ...

    async def main() -> None:
        for _ in range(20_000):
            await t()  # type: ignore[misc]

    journals: list[Journal] = []
    end = session().runner.watch(journals.append)
    asyncio.run(main())
    end()
    one = recorder.Recorder(session().runner, session().settings)
    one.take(journals, all_of_it=False)
    one.write()
    assert len(flyte.runs(limit=20_000)) == 15_000


def test_ten_thousand_calls() -> None:
    """A run of 10,000 calls is recorded whole."""

    @env.task
    async def leaf(n: int) -> int:
        return n

    @env.task
    async def root() -> None:
        await asyncio.gather(*(leaf(number) for number in range(10_000)))

    run = asyncio.run(flyte.run(root))
    (record,) = flyte.runs()
    assert record.calls == 10_001
    assert record.tree == run.tree


def test_another_home_has_the_whole_run(tmp_path: Path) -> None:
    """When another folder is chosen during a run, the run is there from its beginning."""

    @env.task
    async def leaf() -> None:
        write("leaf\n")

    @env.task
    async def root() -> None:
        await leaf()
        session().history.flush()
        session().settings.home = str(tmp_path / "other")
        session().history.flush()
        await leaf()

    try:
        run = asyncio.run(flyte.run(root))
        (record,) = flyte.runs()
        assert (record.tree, record.logs) == (run.tree, run.logs)
    finally:
        session().settings.home = ""
    assert [one.calls for one in flyte.runs()] == [2]


def test_no_secret_is_stored() -> None:
    """What looks like a secret is in no byte of the files: not as input, error, line, or name."""

    @env.task
    async def telling(url: str, password: str) -> None:
        write(f"connecting to {url}\n")
        write("Authorization: Bearer hunter2\n", "WARNING")
        raise ValueError(f"cannot reach {url}")

    with suppress(ValueError):
        asyncio.run(flyte.run(telling, "https://me:hunter2@host/x", password="hunter2"))  # noqa: S106
    (run,) = flyte.runs()
    assert "***" in run.error
    home = session().settings.home_path
    content = b"".join(path.read_bytes() for path in home.iterdir())
    assert b"cannot reach https://***@host/x" in content
    assert b"hunter2" not in content


def test_it_rests_when_nothing_goes_on() -> None:
    """When everything has ended and is written, the thread waits until it is woken."""

    @env.task
    async def t() -> None: ...

    asyncio.run(flyte.run(t))
    writer = session().history._writer
    for _ in range(1_000):
        if not writer._awake:
            break
        time.sleep(0.01)
    assert not writer._awake
