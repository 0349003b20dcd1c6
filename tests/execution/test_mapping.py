"""flyte.map: one task over many inputs."""

from __future__ import annotations

import asyncio
import threading
import traceback
from contextlib import suppress
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import flyte_nb as flyte
from flyte_nb import InvalidTypeError, InvalidValueError, NotATaskError, Task, TaskEnvironment
from flyte_nb.session import session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from IPython.core.interactiveshell import InteractiveShell


@pytest.fixture
def square() -> Task[[int], Any]:
    env = TaskEnvironment("env")

    @env.task
    async def square(n: int) -> int:
        await asyncio.sleep(0.001 * (n % 3))
        return n * n

    return square


def test_await_gives_the_list_and_async_for_gives_one_by_one(square: Any) -> None:
    """Results come in the order of the inputs, whichever call ends first."""

    async def main() -> tuple[list[int], list[int]]:
        return await flyte.map(square, range(20)), [n async for n in flyte.map(square, range(20), concurrency=3)]

    assert asyncio.run(main()) == ([n * n for n in range(20)],) * 2


def test_several_inputs_are_zipped() -> None:
    """As with Python's map, the task gets one value of each."""
    env = TaskEnvironment("env")

    @env.task
    def add(a: int, b: int) -> int:
        return a + b

    async def main() -> list[int]:
        return await flyte.map(add, [1, 2, 3], [10, 20])

    assert asyncio.run(main()) == [11, 22]


def test_sync_tasks_run_in_threads() -> None:
    """The loop stays free while they work."""
    env = TaskEnvironment("env")

    @env.task
    def where(n: int) -> bool:
        return threading.current_thread() is threading.main_thread()

    async def main() -> list[bool]:
        return await flyte.map(where, range(3))

    assert asyncio.run(main()) == [False] * 3


def test_no_more_run_at_once_than_allowed_and_inputs_are_taken_late() -> None:
    """An endless input is no problem: nothing is taken before it can begin."""
    env = TaskEnvironment("env")
    running, most, taken = [0], [0], [0]

    @env.task
    async def work(n: int) -> int:
        running[0] += 1
        most[0] = max(most[0], running[0])
        await asyncio.sleep(0)
        running[0] -= 1
        return n

    def endless() -> Iterator[int]:
        while True:
            taken[0] += 1
            yield taken[0]

    async def main() -> None:
        async for n in flyte.map(work, endless(), concurrency=4):
            if n == 20:
                break

    asyncio.run(main())
    assert most[0] == 4
    assert taken[0] < 40


def test_a_slow_first_call_does_not_hold_up_the_others() -> None:
    """Places that become free are used although the first result is still to come."""
    env = TaskEnvironment("env")
    done: list[int] = []
    release = asyncio.Event

    async def main() -> list[int]:
        gate = release()

        @env.task
        async def work(n: int) -> int:
            if n == 0:
                await gate.wait()
            done.append(n)
            if n == 9:
                gate.set()
            return n

        return await flyte.map(work, range(10), concurrency=2)

    assert asyncio.run(main()) == list(range(10))
    assert done[-1] == 0


def test_a_failure_stops_what_runs_and_begins_nothing_more() -> None:
    """The error is raised at once, not when its turn comes, and the others are cancelled."""
    env = TaskEnvironment("env")
    begun: list[int] = []
    cancelled: list[int] = []

    @env.task
    async def work(n: int) -> int:
        begun.append(n)
        if n == 2:
            raise ValueError("two")
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.append(n)
            raise
        return n

    async def main() -> None:
        await flyte.map(work, range(100), concurrency=4)

    with pytest.raises(ValueError, match="two"):
        asyncio.run(main())
    assert sorted(cancelled) == [0, 1, 3]
    assert begun == [0, 1, 2, 3]


def test_errors_can_take_the_place_of_results() -> None:
    """Told so, a map goes on after failures."""
    env = TaskEnvironment("env")

    @env.task
    async def work(n: int) -> int:
        if n % 2:
            raise ValueError(n)
        return n

    async def main() -> list[Any]:
        return await flyte.map(work, range(4), return_exceptions=True)

    results = asyncio.run(main())
    assert [getattr(result, "args", result) for result in results] == [0, (1,), 2, (3,)]


def test_calls_land_under_the_task_that_maps(square: Any) -> None:
    """In the tree they are children of the caller."""
    env = TaskEnvironment("other")

    @env.task
    async def total() -> int:
        return sum(await flyte.map(square, range(3)))

    run = asyncio.run(flyte.run(total))
    assert [node.parent for node in run.tree] == [None, *[run.tree[0].id] * 3]


@pytest.mark.parametrize(
    ("arguments", "options", "error"),
    [
        ((abs, [1]), {}, NotATaskError),
        ((None, [1]), {}, NotATaskError),
        (("task",), {}, InvalidValueError),
        (("task", 3), {}, InvalidTypeError),
        (("task", [1]), {"concurrency": 0}, InvalidValueError),
        (("task", [1]), {"concurrency": 1.5}, InvalidTypeError),
    ],
)
def test_wrong_use_is_refused_at_once(
    square: Any, arguments: tuple[Any, ...], options: dict[str, Any], error: type[Exception]
) -> None:
    """Before anything is awaited, with one line."""
    with pytest.raises(error):
        flyte.map(*(square if argument == "task" else argument for argument in arguments), **options)


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(1, 8))
def test_whatever_the_delays_every_input_has_its_result(delays: list[int], concurrency: int) -> None:
    """Any mix of delays and any limit gives each result once and in order."""
    flyte.reset()
    env = TaskEnvironment("env")

    @env.task
    async def work(index: int, steps: int) -> int:
        for _ in range(steps):
            await asyncio.sleep(0)
        return index

    async def main() -> list[int]:
        return await flyte.map(work, range(len(delays)), delays, concurrency=concurrency)

    assert asyncio.run(main()) == list(range(len(delays)))


def test_inputs_are_checked_as_those_of_a_run() -> None:
    """A value of the wrong type fails before its call begins, and stops the others."""
    ran: list[int] = []

    @TaskEnvironment("env").task
    async def double(number: int) -> int:
        ran.append(number)
        return 2 * number

    async def main() -> None:
        with pytest.raises(flyte.InvalidInputError, match="number must be int, not str"):
            await flyte.map(double, [1, "2"], concurrency=1)
        with pytest.raises(flyte.InvalidArgumentsError):
            await flyte.map(double, [1], [2])

    asyncio.run(main())
    assert ran == [1]


def test_a_map_can_be_used_once() -> None:
    """Its inputs are used up, so a second time is an error and not an empty list."""

    @TaskEnvironment("env").task
    async def double(number: int) -> int:
        return 2 * number

    async def main() -> None:
        mapped = flyte.map(double, [1, 2])
        assert await mapped == [2, 4]
        with pytest.raises(RuntimeError, match=r"call flyte_nb\.map again"):
            await mapped

    asyncio.run(main())


def _expected_by(*inputs: Any, fail_at: int = -1, concurrency: int = 4, not_begun: int = 0) -> list[int]:
    """Return how many calls a map over `inputs` was known to begin yet, each time that one of its calls began."""
    known: list[int] = []

    @TaskEnvironment("env").task
    async def work(n: Any, _more: Any = None) -> None:
        known.extend(expected.left for expected in current.expectations().values())
        await asyncio.sleep(0)
        if n == fail_at:
            raise ValueError(n)

    with session().runner.collecting() as current:
        with suppress(ValueError):
            asyncio.run(_awaited(flyte.map(work, *inputs, concurrency=concurrency)))
        assert [(each.left, each.maps) for each in current.expectations().values()] == (
            [(not_begun, 0)] if not_begun else []
        )
    return known


async def _awaited(mapped: Any) -> Any:
    return await mapped


@pytest.mark.parametrize("more", [(), (repeat("x"),), (range(50),)])
@pytest.mark.parametrize(
    "numbers", [list(range(9)), range(9), np.arange(9), pd.Series(range(9)), dict.fromkeys(range(9))]
)
def test_a_map_tells_how_many_calls_are_to_come(numbers: Any, more: tuple[Any, ...]) -> None:
    """If one of its inputs knows how many there are, whatever that is; each call that begins leaves one fewer."""
    assert _expected_by(numbers, *more) == list(reversed(range(9)))


def test_an_input_that_cannot_tell_promises_nothing() -> None:
    """A generator may give any number."""
    assert _expected_by(n for n in range(9)) == []


def test_inputs_that_end_earlier_than_others_leave_nothing_to_come() -> None:
    """What cannot tell may be the shorter one, which shows when it ends."""
    assert _expected_by(range(1_000), (str(n) for n in range(6)), concurrency=4) == [999, 998, 997, 996, 1, 0]


class _Odd:
    """Iterates, and says nothing of how long."""

    def __init__(self) -> None:
        self.left = 3

    def __iter__(self) -> _Odd:
        return self

    def __next__(self) -> int:
        self.left -= 1
        if self.left < 0:
            raise StopIteration
        return self.left

    def __length_hint__(self) -> int:
        raise NotImplementedError("streaming")


def test_an_input_that_does_not_want_to_tell_is_mapped_over() -> None:
    """Nothing that only views would like to know keeps a map from running; nor does a number of calls beyond all."""
    assert _expected_by(_Odd(), concurrency=10**20) == []


def test_a_map_that_is_abandoned_is_forgotten_with_its_run() -> None:
    """Who leaves a loop over results leaves calls that never begin: how many is known, and the run has succeeded."""

    @TaskEnvironment("env").task
    async def work(n: int) -> int:
        return n

    async def first() -> int:
        async for n in flyte.map(work, range(1_000), concurrency=8):
            if n > 10:
                break
        return n

    with session().runner.collecting() as current:
        assert asyncio.run(first()) == 11
    (expected,) = current.expectations().values()
    assert (expected.maps, expected.left) == (0, 1_000 - len(current.calls()))


def test_a_map_that_fails_has_nothing_to_come() -> None:
    """What it had still to begin is begun by nobody, and that is known."""
    assert _expected_by(range(100), fail_at=3, not_begun=96) == [99, 98, 97, 96]


def _history(work: Any) -> list[tuple[str, str, int]]:
    """Await what `work` makes, and return state, error and size of the runs in the history."""
    with suppress(Exception, asyncio.CancelledError):
        asyncio.run(_awaited(work()))
    return [(run.state.value, run.error, run.calls) for run in flyte.runs()]


def _mapped_work() -> Any:
    @TaskEnvironment("env").task
    async def work(n: int) -> int:
        if n == 3:
            raise ValueError("three")
        return n

    return work


@pytest.mark.parametrize(
    ("inputs", "options", "expected"),
    [
        (range(9), {"return_exceptions": True}, ("succeeded", "", 9)),
        (range(9), {"concurrency": 1}, ("failed", "ValueError: three", 4)),
        ([0, 1, "x"], {"concurrency": 1}, ("failed", "InvalidInputError: env.work: n must be int, not str 'x'.", 2)),
    ],
)
def test_the_history_tells_what_became_of_a_map(
    ip: InteractiveShell, inputs: Any, options: dict[str, Any], expected: tuple[str, str, int]
) -> None:
    """It has succeeded if its results were given, whatever they are; it has failed with what it has raised."""
    del ip  # with the extension, everything is recorded
    work = _mapped_work()
    (told,) = _history(lambda: flyte.map(work, inputs, **options))
    assert (told[0], told[2]) == (expected[0], expected[2])
    assert told[1].startswith(expected[1])
    assert bool(told[1]) == bool(expected[1])


def test_a_map_that_is_cancelled_where_it_awaits_nothing_was_cancelled(ip: InteractiveShell) -> None:
    """Every call that has begun has ended well, and yet the run has not."""
    del ip

    @TaskEnvironment("env").task
    async def work(n: int) -> int:
        if n == 3:
            current[0].cancel()
        return n

    current: list[Any] = []

    async def main() -> None:
        current.append(asyncio.current_task())
        await flyte.map(work, range(100), concurrency=2)

    assert _history(main) == [("cancelled", "", 4)]


def test_an_error_says_of_which_input_it_is(ip: InteractiveShell) -> None:
    """Of a thousand calls nobody would know; of several that fail at once it is the first, each time."""
    del ip
    work = _mapped_work()

    async def main() -> Any:
        results = await flyte.map(work, range(5), return_exceptions=True)
        with pytest.raises(ValueError, match="three") as caught:
            await flyte.map(work, [0, 3, 3, 3, 3, 3], concurrency=6)
        return results[3], caught.value

    expected, raised = asyncio.run(main())
    assert expected.__notes__ == ["In flyte_nb.map, at index 3: env.work(n=3)"]
    assert raised.__notes__ == ["In flyte_nb.map, at index 1: env.work(n=3)"]
    with pytest.raises(flyte.InvalidInputError) as refused:
        asyncio.run(_awaited(flyte.map(work, np.arange(5))))
    assert str(refused.value).endswith("It is at index 0 of what is mapped over. .tolist() gives Python's own numbers.")
    assert refused.value.index == 0


def test_an_error_from_within_is_not_taken_for_one_of_the_inputs() -> None:
    """It keeps its traceback and says what it said; a map within another says its own index, and both add where."""
    env = TaskEnvironment("env")

    @env.task
    async def inner(n: int) -> int:
        return n

    @env.task
    async def outer(n: int) -> Any:
        return await flyte.map(inner, [1, 2, "bad"])

    with pytest.raises(flyte.InvalidInputError, match="at index 2 of what is mapped over") as caught:
        asyncio.run(_awaited(flyte.map(outer, [10, 11], concurrency=1)))
    assert [note.partition(": ")[0] for note in caught.value.__notes__] == [
        "In flyte_nb.map, at index 2",
        "In flyte_nb.map, at index 0",
    ]
    assert "outer" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]


def test_one_error_of_many_calls_is_noted_once() -> None:
    """They may all wait for one thing that cannot be had."""
    shared = ValueError("shared")

    @TaskEnvironment("env").task
    async def work(n: int) -> None:
        await asyncio.sleep(0)
        raise shared

    results = asyncio.run(_awaited(flyte.map(work, range(20), return_exceptions=True)))
    assert set(results) == {shared}
    assert len(shared.__notes__) == 1


def test_what_is_refused_and_what_is_called_beside_a_map_is_none_of_its_calls() -> None:
    """Neither is to come, nor counted as having begun."""
    env = TaskEnvironment("env")
    seen: list[int] = []

    @env.task
    async def work(n: int) -> None:
        await asyncio.sleep(0.001)

    @env.task
    async def both(values: list[Any]) -> None:
        async def beside() -> None:
            for n in range(10):
                await work(n)
                seen.extend(each.left for (caller, _), each in journal.expectations().items() if caller)

        await asyncio.gather(_awaited(flyte.map(work, values, concurrency=1, return_exceptions=True)), beside())

    with session().runner.collecting() as journal:
        asyncio.run(_awaited(both([*range(30), "x"])))
    assert len(journal.calls()) == 1 + 10 + 30
    assert min(seen) >= 15
    assert journal.expectations() == {}


def test_a_loop_that_is_left_because_of_a_cancellation_has_not_succeeded(ip: InteractiveShell) -> None:
    """The map itself cannot tell that from a break; its calls do."""
    del ip

    @TaskEnvironment("env").task
    async def work(n: int) -> int:
        await asyncio.sleep(0 if n < 2 else 60)
        return n

    async def main() -> None:
        async for n in flyte.map(work, range(10), concurrency=3):
            if n == 1:
                current = asyncio.current_task()
                assert current
                current.cancel()
                await asyncio.sleep(0)

    assert _history(main)[0][0] == "cancelled"
