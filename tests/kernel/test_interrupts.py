"""Interrupting the kernel stops the work, not only the cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bare_target import BARE_TARGET

if TYPE_CHECKING:
    from .notebook import Notebook

TASKS = """
import threading
begun, cleaned = [], []
tasks = flyte.TaskEnvironment("e")
@tasks.task
async def waiting() -> int:
    begun.append("waiting")
    print("running", flush=True)
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.05)
        cleaned.append("waiting")
    return 1
@tasks.task
async def busy() -> int:
    print("running", flush=True)
    try:
        while True:
            sum(range(1000))
    finally:
        await asyncio.sleep(0.05)
        cleaned.append("busy")
@tasks.task
def sleeping() -> int:
    print("running", flush=True)
    try:
        time.sleep(60)
    finally:
        cleaned.append("sleeping")
    return 1
@tasks.task
def looping() -> int:
    print("running", flush=True)
    try:
        while True:
            sum(range(1000))
    finally:
        cleaned.append("looping")
@tasks.task
async def crunching() -> int:
    looping()
@tasks.task
async def several() -> int:
    await asyncio.gather(waiting(), crunching())
"""

# What a cell says itself is not flushed. To flush, the kernel waits for a thread that may still hold the lock of that
# wait when the interrupt comes, and releasing it twice is a RuntimeError. It is sent within a moment all the same.
SAY = "print('running')"
IN_A_FUNCTION = "def f():\n    result = %flyte_run {}()\n    return result\nresult = f()"


@pytest.fixture
def tasks(notebook: Notebook) -> Notebook:
    notebook.ok(TASKS)
    return notebook


def check_stopped(notebook: Notebook, cleaned: list[str]) -> None:
    """Check that the work of an interrupted cell ended, its variable was not assigned, and the next cells work."""
    assert notebook.value("sorted(cleaned)") == cleaned
    assert notebook.value("'result' in globals()") is False
    assert notebook.ok("await asyncio.sleep(0, 'next')").value == "'next'"
    assert notebook.ok("x = %flyte_run asyncio.sleep(0, 5)\nx").value == "5"


@pytest.mark.parametrize(
    ("task", "after", "cleaned"),
    [
        ("waiting", 0.0, ["waiting"]),
        ("busy", 0.0, ["busy"]),
        ("busy", 0.7, ["busy"]),
        ("sleeping", 0.0, ["sleeping"]),
        ("sleeping", 0.7, ["sleeping"]),
        ("looping", 0.7, ["looping"]),
    ],
)
def test_awaited(tasks: Notebook, task: str, after: float, cleaned: list[str]) -> None:
    """An interrupt ends a task that waits or computes: its clean-up is complete when the cell reports the interrupt."""
    result = tasks.interrupted(f"result = %flyte_run {task}()", after=after)
    assert result.ename == "KeyboardInterrupt"
    assert "✗" not in "".join(result.updates)
    check_stopped(tasks, cleaned)


def test_gathered(tasks: Notebook) -> None:
    """Of tasks that run at once, one of which computes, all are ended."""
    result = tasks.interrupted("result = %flyte_run several()", after=0.7)
    assert result.ename == "KeyboardInterrupt"
    tasks.ok("await asyncio.sleep(0.2)  # asyncio.gather does not wait for the rest once one is cancelled")
    check_stopped(tasks, ["looping", "waiting"])


@pytest.mark.parametrize("after", [0.0, 0.7])
@pytest.mark.parametrize("task", ["waiting", "busy", "sleeping", "looping"])
def test_without_magic(tasks: Notebook, task: str, after: float) -> None:
    """A task that is simply awaited is interrupted as promptly."""
    result = tasks.interrupted(f"result = await flyte.run({task})", after=after)
    assert result.ename == ("CancelledError" if task == "waiting" else "KeyboardInterrupt")
    check_stopped(tasks, [task])


@pytest.mark.parametrize(
    ("task", "after", "cleaned"),
    [("waiting", 0.0, ["waiting"]), ("busy", 0.2, ["busy"]), ("looping", 0.2, ["looping"])],
)
def test_in_a_thread(tasks: Notebook, task: str, after: float, cleaned: list[str]) -> None:
    """Where the cell cannot be awaited, an interrupt ends the task, too."""
    result = tasks.interrupted(IN_A_FUNCTION.format(task), after=after)
    assert result.ename == "KeyboardInterrupt"
    check_stopped(tasks, cleaned)


def test_in_a_thread_of_an_async_cell(tasks: Notebook) -> None:
    """A plain function that is called in a cell with top-level await is interrupted all the same."""
    result = tasks.interrupted("await asyncio.sleep(0)\n" + IN_A_FUNCTION.format("waiting"))
    assert result.ename == "KeyboardInterrupt"
    check_stopped(tasks, ["waiting"])


def test_in_a_thread_inside_a_task(tasks: Notebook) -> None:
    """A task that blocks in a plain function, which runs another task, is interrupted with it."""
    tasks.ok(IN_A_FUNCTION.format("waiting").removesuffix("result = f()") + "@tasks.task\nasync def outer():\n    f()")
    result = tasks.interrupted("result = %flyte_run outer()", after=0.7)
    assert result.ename == "KeyboardInterrupt"
    check_stopped(tasks, ["waiting"])


def test_second_interrupt_does_not_wait(tasks: Notebook) -> None:
    """In a thread, code that Python cannot interrupt is left alone by the second interrupt."""
    tasks.ok("@tasks.task\nasync def stubborn():\n    print('running', flush=True)\n    time.sleep(3)")
    tasks.ok("import signal\nthreading.Timer(1.0, lambda: signal.raise_signal(signal.SIGINT)).start()")
    tasks.ok("began = time.monotonic()")
    result = tasks.interrupted(IN_A_FUNCTION.format("stubborn"))
    assert result.ename == "KeyboardInterrupt"
    assert tasks.value("time.monotonic() - began") < 2.5


def test_tasks_that_the_cell_started(tasks: Notebook) -> None:
    """Work in several asyncio tasks of one cell is stopped as a whole, and the kernel survives."""
    tasks.ok("async def g():\n    x = %flyte_run waiting()\n    return x")
    result = tasks.interrupted("result = await asyncio.gather(g(), g())", after=0.2)
    assert result.ename in ("CancelledError", "Interrupted")
    check_stopped(tasks, ["waiting", "waiting"])


def test_work_left_behind(tasks: Notebook) -> None:
    """Work that outlives its cell in an asyncio task leaves interrupts to the cells that come."""
    tasks.ok(
        "async def g():\n    x = %flyte_run waiting()\nleft = asyncio.ensure_future(g())\n"
        "while not begun:\n    await asyncio.sleep(0.01)"
    )
    assert tasks.interrupted(f"{SAY}\ntime.sleep(60)").ename == "KeyboardInterrupt"
    tasks.ok("left.cancel()\n_ = await asyncio.wait([left])")
    assert tasks.interrupted(f"{SAY}\ntime.sleep(60)").ename == "KeyboardInterrupt"
    check_stopped(tasks, ["waiting"])


def test_deployment(tasks: Notebook) -> None:
    """A deployment is stopped as a run is: what had not begun is not deployed."""
    tasks.ok(
        f"{BARE_TARGET}from flyte_nb.session import session\n"
        "class Slow(BareTarget):\n    name = 'slow'\n"
        "    async def deploy_environment(self, bundle, log):\n"
        "        print('running', flush=True)\n        await asyncio.sleep(60)\n"
        "session()._targets['slow'] = Slow\n"
        "other = flyte.TaskEnvironment('after', depends_on=[tasks])"
    )
    result = tasks.interrupted("result = %flyte_deploy --target slow")
    assert result.ename == "KeyboardInterrupt"
    assert "cancelled" in result.updates[-1]
    check_stopped(tasks, [])


def test_cell_that_is_cancelled(tasks: Notebook) -> None:
    """A cell that is interrupted in its own await is rolled back, and the next one is not part of it."""
    result = tasks.interrupted(f"%%flyte_env lost\n{SAY}\nawait asyncio.sleep(60)", "a", after=0.1)
    assert result.status == "error"
    assert tasks.value("'lost' in flyte.registry()") is False
    tasks.ok("%%flyte_env kept\n", "b")
    assert tasks.value("'kept' in flyte.registry()") is True


def test_sync_cell_that_is_interrupted(tasks: Notebook) -> None:
    """A cell without await that is interrupted is rolled back."""
    result = tasks.interrupted(f"%%flyte_env lost\n{SAY}\ntime.sleep(60)", "a", after=0.1)
    assert result.ename == "KeyboardInterrupt"
    assert tasks.value("list(flyte.registry())") == ["e"]
    assert tasks.value("'lost' in globals() or 'env' in globals()") is False


def test_a_sync_task_in_a_thread_is_interrupted(tasks: Notebook) -> None:
    """`.aio()` of a sync task stops with its cell: the thread does not run on."""
    tasks.ok(
        "seen = []\n@tasks.task\ndef spin():\n    try:\n        print('running', flush=True)\n        while True:\n"
        "            time.sleep(0.001)\n    finally:\n        seen.append('cleaned up')"
    )
    result = tasks.interrupted("x = %flyte_run spin.aio()")
    assert result.ename == "KeyboardInterrupt"
    assert tasks.value("seen, 'x' in globals()") == (["cleaned up"], False)
