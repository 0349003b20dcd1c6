"""What tasks print and display in a real kernel appears in the right cell, and is noted with the task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .notebook import Notebook

TASKS = """
import logging, sys
from IPython.display import HTML, display
env = flyte.TaskEnvironment("e")
@env.task
async def say(n: int) -> None:
    print("out", n)
    await asyncio.sleep(0.01)
    print("err", n, file=sys.stderr)
    logging.getLogger("mine").warning("warned %d", n)
    display(HTML(f"<b>{n}</b>"))
@env.task
def shout(n: int) -> None:
    print("thread", n)
    display(HTML("<b>thread</b>"))
@env.task
async def both() -> None:
    await asyncio.gather(say(1), say(2), shout.aio(3))
"""
LINES = [
    ("e.say", "WARNING", "warned 1"),
    ("e.say", "display", "<IPython.core.display.HTML object>"),
    ("e.say", "stderr", "err 1"),
    ("e.say", "stdout", "out 1"),
]


@pytest.fixture
def tasks(notebook: Notebook) -> Notebook:
    notebook.ok(TASKS)
    return notebook


def test_lines_of_concurrent_tasks_are_their_own(tasks: Notebook) -> None:
    """Each call has its own lines, and the cell shows them all."""
    result = tasks.ok("run = await flyte.run(both)")
    first = "[(line.task, line.stream, line.text) for line in run.logs if line.node == run.tree[1].id]"
    assert sorted(tasks.value(first)) == LINES
    assert tasks.value("sorted(line.text for line in run.logs if line.task == 'e.shout')") == [
        "<IPython.core.display.HTML object>",
        "thread 3",
    ]
    assert sorted(result.stdout.split("\n")) == ["", "out 1", "out 2", "thread 3"]
    assert sorted(result.stderr.split("\n")) == ["", "err 1", "err 2", "warned 1", "warned 2"]
    assert len(result.displays) == 3


def test_a_bare_await_prints_into_its_cell(tasks: Notebook) -> None:
    """Nothing changes for a cell that awaits a task without a magic."""
    result = tasks.ok("await say(7)\nprint('mine')")
    assert result.stdout == "out 7\nmine\n"
    assert len(result.displays) == 1


def test_captured_output_is_the_captures(tasks: Notebook) -> None:
    """%%capture gets what tasks print and display."""
    tasks.ok("%%capture kept\nawait_ = %flyte_run both()")
    assert tasks.value("sorted(kept.stdout.split('\\n'))[1:3]") == ["out 1", "out 2"]


def test_work_that_outlives_its_cell_prints_there(tasks: Notebook) -> None:
    """A task started in one cell goes on printing into that cell while another runs."""
    if tasks.value("__import__('ipykernel').version_info[0]") < 7:
        pytest.skip("ipykernel 6 sends all output to the cell that runs")
    tasks.ok("later = asyncio.create_task(say(5))\nawait asyncio.sleep(0)")
    result = tasks.ok("await later\nprint('second')")
    assert result.stdout == "second\n"
    assert result.displays == []


@pytest.mark.parametrize("progress", [True, False])
def test_without_echo_the_cell_shows_the_run_and_not_what_tasks_say(tasks: Notebook, progress: bool) -> None:
    """What they print, log and display is with their calls only; what the cell itself prints appears."""
    tasks.ok(f"%config FlyteNB.echo = False\n%config FlyteNB.progress = {progress}")
    result = tasks.ok("display(1)\nprint('cell')\n%flyte_run both()")
    shown = [text.splitlines()[0] for text in result.displays]
    assert (result.stdout, result.stderr) == ("cell\n", "")
    assert shown[0] == "1"
    assert len(shown) == 2  # the other is the run
    logs = tasks.ok("%flyte_logs").everything
    assert all(text in logs for text in ("out 1", "err 2", "warned 1", "thread 3", "core.display.HTML object"))
    tasks.ok("%config FlyteNB.echo = True\n%config FlyteNB.progress = True")
    assert "out 1\n" in tasks.ok("%flyte_run both()").stdout
