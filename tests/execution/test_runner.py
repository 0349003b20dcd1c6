"""Running tasks inline: who called whom, what became of it, and that concurrent runs stay apart."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
import warnings
from typing import TYPE_CHECKING, Any

import pytest

import flyte_nb
from flyte_nb.errors import InvalidArgumentsError, NotATaskError
from flyte_nb.execution.node import RunState
from flyte_nb.session import session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flyte_nb.execution.node import Node, Run
    from flyte_nb.model.task import Task


@pytest.fixture
def env() -> flyte_nb.TaskEnvironment:
    """An environment for tasks."""
    return flyte_nb.TaskEnvironment("base")


@pytest.fixture
def events() -> Iterator[list[Node]]:
    """Every call that is reported during the test."""
    seen: list[Node] = []
    end = session().runner.subscribe(seen.append)
    yield seen
    end()


def outline(run: Run) -> list[tuple[str, str | None]]:
    """Return (function, function of the caller) for each call of a run."""
    functions = {node.id: node.task.partition(".")[2] for node in run.tree}
    return [(functions[node.id], functions.get(node.parent or 0)) for node in run.tree]


def by_task(events: list[Node]) -> dict[str, Node]:
    """Return the last event of each task."""
    return {node.task.partition(".")[2]: node for node in events}


@pytest.fixture
def leaf(env: flyte_nb.TaskEnvironment) -> Task[[int], Any]:
    """An async task that gives others a turn."""

    @env.task
    async def leaf(number: int) -> int:
        await asyncio.sleep(0)
        return number

    return leaf


def test_a_call_is_an_awaitable_of_the_value(leaf: Task[[int], Any]) -> None:
    """`await task()` gives what the function returns."""
    assert asyncio.run(leaf(3)) == 3


def test_a_sync_task_gives_its_value(env: flyte_nb.TaskEnvironment, events: list[Node]) -> None:
    """Calling a sync task needs no loop, and the call is reported."""

    @env.task
    def double(number: int) -> int:
        return 2 * number

    assert double(4) == 8
    assert [(node.task, node.state) for node in events] == [
        ("base.double", RunState.RUNNING),
        ("base.double", RunState.SUCCEEDED),
    ]


def test_nested_calls_are_a_tree(env: flyte_nb.TaskEnvironment, leaf: Task[[int], Any]) -> None:
    """Each call stands under the one that made it, across async and sync tasks, in the order of their beginning."""

    @env.task
    def sync_inner() -> str:
        return "inner"

    @env.task
    def sync_outer() -> str:
        return sync_inner()

    @env.task
    async def middle() -> int:
        sync_outer()
        return int(await leaf(1))

    @env.task
    async def root() -> int:
        return int(await middle()) + int(await leaf(2))

    run = asyncio.run(flyte_nb.run(root))
    assert (run.result, run.status, run.task) == (3, "succeeded", "base.root")
    assert outline(run) == [
        ("root", None),
        ("middle", "root"),
        ("sync_outer", "middle"),
        ("sync_inner", "sync_outer"),
        ("leaf", "middle"),
        ("leaf", "root"),
    ]
    assert {node.root for node in run.tree} == {run.tree[0].id}
    assert run.duration == run.tree[0].duration
    for node in run.tree:
        assert node.ended is not None
        assert node.started <= node.ended


def test_gathered_calls_stand_under_their_caller(env: flyte_nb.TaskEnvironment, leaf: Task[[int], Any]) -> None:
    """Calls made with gather or as child tasks are children of the call that made them, not of each other."""

    @env.task
    async def fan_out() -> list[int]:
        children = [asyncio.create_task(leaf(number)) for number in range(3)]  # type: ignore[var-annotated]
        return [*await asyncio.gather(*(leaf(number) for number in range(3, 6))), *await asyncio.gather(*children)]

    @env.task
    async def root() -> list[int]:
        first, second = await asyncio.gather(fan_out(), fan_out())
        return [*first, *second]

    run = asyncio.run(flyte_nb.run(root))
    assert run.result == [3, 4, 5, 0, 1, 2] * 2
    fans = [node.id for node in run.tree if node.task == "base.fan_out"]
    parents = [node.parent for node in run.tree if node.task == "base.leaf"]
    assert sorted(parents) == sorted(fans * 6)  # type: ignore[type-var]


def test_sync_tasks_in_threads_stand_under_their_caller(env: flyte_nb.TaskEnvironment) -> None:
    """`.aio()` runs a sync task in another thread, at once with others, and the tree knows who called."""
    meeting = threading.Barrier(3, timeout=10)
    threads: set[int] = set()

    @env.task
    def inner() -> None:
        threads.add(threading.get_ident())

    @env.task
    def blocking() -> None:
        meeting.wait()
        inner()

    @env.task
    async def root() -> None:
        await asyncio.gather(*(blocking.aio() for _ in range(3)))

    run = asyncio.run(flyte_nb.run(root))
    assert len(threads) == 3
    assert threading.get_ident() not in threads
    assert sorted(outline(run), key=str) == sorted(
        [("root", None), *[("blocking", "root")] * 3, *[("inner", "blocking")] * 3], key=str
    )


def test_aio_of_an_async_task_is_the_call(leaf: Task[[int], Any]) -> None:
    """An async task may be called either way."""
    assert asyncio.run(leaf.aio(5)) == 5


def test_run_of_a_sync_task_stays_in_its_thread(env: flyte_nb.TaskEnvironment) -> None:
    """flyte.run of a sync task runs where a kernel interrupt reaches it."""

    @env.task
    def where() -> int:
        return threading.get_ident()

    run = asyncio.run(flyte_nb.run(where))
    assert (run.result, outline(run)) == (threading.get_ident(), [("where", None)])


def test_a_failing_call_is_reported_and_raised(
    env: flyte_nb.TaskEnvironment, leaf: Task[[int], Any], events: list[Node]
) -> None:
    """The caller gets the very error, each call it went through has failed, and its siblings are as they were."""
    boom = ValueError("no such file")

    @env.task
    async def failing() -> None:
        raise boom

    @env.task
    async def root() -> None:
        await leaf(1)
        await failing()

    with pytest.raises(ValueError, match="no such file") as caught:
        asyncio.run(flyte_nb.run(root))
    assert caught.value is boom
    last = by_task(events)
    assert {task: node.state.value for task, node in last.items()} == {
        "root": "failed",
        "leaf": "succeeded",
        "failing": "failed",
    }
    assert last["root"].error == "ValueError: no such file"


def test_an_error_that_is_handled_fails_one_call_only(env: flyte_nb.TaskEnvironment) -> None:
    """A caller that deals with the failure succeeds, and its tree still shows it."""

    @env.task
    def failing() -> None:
        raise ValueError

    @env.task
    async def root() -> str:
        try:
            failing()
        except ValueError:
            return "handled"
        return "not raised"

    run = asyncio.run(flyte_nb.run(root))
    assert (run.result, run.status) == ("handled", "succeeded")
    assert [(node.state.value, node.error) for node in run.tree] == [("succeeded", ""), ("failed", "ValueError")]


def test_a_cancelled_call_is_cancelled_not_failed(env: flyte_nb.TaskEnvironment, events: list[Node]) -> None:
    """A time-out cancels what runs; the one who set it goes on."""

    @env.task
    async def endless() -> None:
        await asyncio.Event().wait()

    @env.task
    async def root() -> str:
        waiting = asyncio.ensure_future(endless())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        return "went on"

    assert asyncio.run(flyte_nb.run(root)).result == "went on"
    assert by_task(events)["endless"].state is RunState.CANCELLED
    assert by_task(events)["root"].state is RunState.SUCCEEDED


def test_cancelling_a_run_ends_every_call(env: flyte_nb.TaskEnvironment, events: list[Node]) -> None:
    """An interrupt of a run reaches all the tasks it waits for, and the run raises CancelledError."""
    all_begun = asyncio.Event()

    @env.task
    async def endless() -> None:
        if len(events) == 3:
            all_begun.set()
        await asyncio.Event().wait()

    @env.task
    async def root() -> None:
        await asyncio.gather(endless(), endless())

    async def interrupted() -> None:
        running = asyncio.ensure_future(flyte_nb.run(root))
        await all_begun.wait()
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()

    asyncio.run(interrupted())
    ended = [node for node in events if node.ended]
    assert [node.state for node in ended] == [RunState.CANCELLED] * 3


def test_a_call_cancelled_before_it_begins_is_no_call(leaf: Task[[int], Any], events: list[Node]) -> None:
    """A child task that never gets its first turn leaves no event and no warning."""

    async def scenario() -> None:
        child = asyncio.ensure_future(leaf(1))
        child.cancel()
        await asyncio.wait([child])

    asyncio.run(scenario())
    gc.collect()
    assert events == []


def test_a_forgotten_await_names_the_task(leaf: Task[[int], Any]) -> None:
    """Python's warning about a coroutine that was never awaited says which task it was, once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        leaf(1)
        gc.collect()
    assert [str(warning.message) for warning in caught] == ["coroutine 'base.leaf' was never awaited"]


def test_a_call_closed_elsewhere_is_cancelled_quietly(leaf: Task[[int], Any], events: list[Node]) -> None:
    """A coroutine that a closing loop throws away in another context is cancelled, without another error."""
    work = leaf(1)
    contextvars.copy_context().run(work.send, None)
    work.close()
    assert [node.state for node in events] == [RunState.RUNNING, RunState.CANCELLED]


def test_a_keyboard_interrupt_cancels(env: flyte_nb.TaskEnvironment, events: list[Node]) -> None:
    """A kernel interrupt in a sync task is no failure of the task."""

    @env.task
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert events[-1].state is RunState.CANCELLED


def test_concurrent_runs_of_one_task_do_not_mix(env: flyte_nb.TaskEnvironment, leaf: Task[[int], Any]) -> None:
    """Two runs at once have their own trees, with their own ids."""

    @env.task
    async def root(count: int) -> int:
        await asyncio.gather(*(leaf(number) for number in range(count)))
        return count

    async def both() -> list[Run]:
        return list(await asyncio.gather(flyte_nb.run(root, 2), flyte_nb.run(root, count=5)))

    first, second = asyncio.run(both())
    assert (first.result, second.result) == (2, 5)
    assert (len(first.tree), len(second.tree)) == (3, 6)
    assert not {node.id for node in first.tree} & {node.id for node in second.tree}
    for run in (first, second):
        assert {node.root for node in run.tree} == {run.tree[0].id}


def test_a_run_inside_a_task_is_part_of_both(env: flyte_nb.TaskEnvironment, leaf: Task[[int], Any]) -> None:
    """The inner run has its own tree, and the outer one shows the call under its true caller."""
    inner_runs: list[Run] = []

    @env.task
    async def root() -> int:
        inner_runs.append(await flyte_nb.run(leaf, 7))
        return int(inner_runs[0].result)

    outer = asyncio.run(flyte_nb.run(root))
    assert outer.result == 7
    assert outline(inner_runs[0]) == [("leaf", None)]
    assert outline(outer) == [("root", None), ("leaf", "root")]
    assert inner_runs[0].tree[0] == outer.tree[1]


def test_a_call_after_a_run_is_its_own_root(leaf: Task[[int], Any], events: list[Node]) -> None:
    """Nothing of a finished run clings to what is called next."""

    async def scenario() -> None:
        await flyte_nb.run(leaf, 1)
        await leaf(2)

    asyncio.run(scenario())
    assert [node.parent for node in events] == [None] * 4
    assert len({node.root for node in events}) == 2


@pytest.mark.parametrize("arguments", [{}, {"number": 1, "other": 2}, {"nunber": 1}])
@pytest.mark.parametrize("use", ["call", "run", "aio"])
def test_arguments_are_checked_before_anything_runs(
    leaf: Task[[int], Any], events: list[Node], arguments: dict[str, int], use: str
) -> None:
    """Arguments that do not fit are refused at the call, with the signature, and no call is reported."""
    uses: dict[str, Any] = {
        "call": leaf,
        "aio": leaf.aio,
        "run": lambda **given: asyncio.run(flyte_nb.run(leaf, **given)),
    }
    with pytest.raises(InvalidArgumentsError, match=r"base\.leaf: .*It is called as leaf\(number: ") as caught:
        uses[use](**arguments)
    assert isinstance(caught.value, TypeError)
    assert caught.value.task == "base.leaf"
    assert events == []


def test_arguments_of_sync_tasks_are_checked_too(env: flyte_nb.TaskEnvironment, events: list[Node]) -> None:
    """A TypeError of the body is the task's own failure; one of the call is refused before."""

    @env.task
    def concatenate(text: str) -> str:
        return text + 1  # type: ignore[operator]

    with pytest.raises(InvalidArgumentsError):
        concatenate()  # type: ignore[call-arg]
    assert events == []
    with pytest.raises(TypeError, match="concatenate str") as caught:
        concatenate("a")
    assert not isinstance(caught.value, InvalidArgumentsError)
    assert events[-1].state is RunState.FAILED


@pytest.mark.parametrize("value", [lambda: 1, "base.leaf", None])
def test_what_is_not_a_task_is_not_run(value: object) -> None:
    """flyte.run takes tasks, and says so."""
    with pytest.raises(NotATaskError, match=r"is not a task\. Decorate its function"):
        asyncio.run(flyte_nb.run(value))


def test_a_called_task_is_not_run(leaf: Task[[int], Any]) -> None:
    """`run(task())` instead of `run(task)` is refused with the way it is meant."""
    work = leaf(1)
    with pytest.raises(NotATaskError, match="give it uncalled"):
        asyncio.run(flyte_nb.run(work))
    work.close()


def test_a_listener_that_ended_hears_nothing(leaf: Task[[int], Any]) -> None:
    """Unsubscribing ends events for one listener and keeps the others."""
    first: list[Node] = []
    second: list[Node] = []
    end_first = session().runner.subscribe(first.append)
    end_second = session().runner.subscribe(second.append)
    end_first()
    asyncio.run(leaf(1))
    end_second()
    asyncio.run(leaf(1))
    assert (len(first), len(second)) == (0, 2)


def test_deep_and_wide_runs(env: flyte_nb.TaskEnvironment, leaf: Task[[int], Any]) -> None:
    """Ten thousand calls of one run are ordinary."""

    @env.task
    async def root() -> int:
        return sum(await asyncio.gather(*(leaf(1) for _ in range(10_000))))

    run = asyncio.run(flyte_nb.run(root))
    assert (run.result, len(run.tree)) == (10_000, 10_001)


def test_running_needs_no_deployment(env: flyte_nb.TaskEnvironment, leaf: Task[[int], Any]) -> None:
    """`depends_on` orders deployment and nothing else: a task runs though what its environment needs is undefined."""
    env.add_dependency("never-defined")
    assert asyncio.run(leaf(1)) == 1
