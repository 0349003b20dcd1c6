"""The history in a real kernel: what is recorded, what the magics show, and what outlives the kernel."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from .notebook import Notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TASKS = """
import asyncio, flyte_nb as flyte
from flyte_nb.execution.runner import current_call
tasks = flyte.TaskEnvironment("ml")
@tasks.task
async def double(n: int) -> int:
    current_call().write("stdout", f"doubling {n}\\n")
    return 2 * n
@tasks.task
async def pipeline() -> int:
    current_call().write("stderr", "<b>beginning</b>\\n")
    return sum(await asyncio.gather(double(1), double(2)))
@tasks.task
async def failing() -> None:
    raise ValueError("boom")
"""


@pytest.fixture
def tasks(notebook: Notebook) -> Notebook:
    """The kernel with tasks, and a history of its own."""
    notebook.ok(TASKS)
    notebook.ok("import tempfile\n%config FlyteNB.home = tempfile.mkdtemp()")
    return notebook


def rows(shown: str) -> list[list[str]]:
    """Return the cells of a table in plain text."""
    body = [line for line in shown.splitlines() if re.match(r"[0-9a-f]{8}-\d|\d\d:\d\d:\d\d\.", line)]
    return [re.split(r"\s{2,}", line) for line in body]


def test_awaiting_a_task_records_quietly(tasks: Notebook) -> None:
    """`await task()` shows nothing but its value, and is in the history as a run."""
    result = tasks.ok("await pipeline()")
    assert (result.value, result.stdout, result.stderr, result.displays) == ("6", "", "", [])
    (row,) = rows(tasks.ok("%flyte_runs").displays[0])
    assert (row[1], row[2], row[5]) == ("ml.pipeline", "✓ succeeded", "3")


def test_runs_are_listed_and_filtered(tasks: Notebook) -> None:
    """The newest first; by task, by states, by age and up to a number."""
    tasks.ok("x = %flyte_run pipeline()\nawait double(3)")
    tasks.run("await failing()")
    tasks.ok("run = await flyte.run(double, 4)")

    def shown(arguments: str) -> list[str]:
        return [row[1] for row in rows(tasks.ok(f"%flyte_runs {arguments}").displays[0])]

    assert shown("") == ["ml.double", "ml.failing", "ml.double", "ml.pipeline"]
    assert shown("double") == shown("ml.double --since 1h") == ["ml.double", "ml.double"]
    assert shown("--state failed cancelled") == ["ml.failing"]
    assert shown("--state 'timed out' --state succeeded --limit 2") == ["ml.double", "ml.double"]
    assert shown("ml --limit 1") == ["ml.double"]
    assert tasks.value("[run.name for run in flyte.runs()][0] == run.name")
    result = tasks.ok("%flyte_runs --state lost")
    assert "There are no such runs." in result.displays[0]


def test_runs_are_data(tasks: Notebook) -> None:
    """The magic gives what it shows, which is not shown twice; at the end of a cell runs are shown as a table."""
    tasks.ok("await pipeline()")
    result = tasks.ok("found = %flyte_runs")
    assert len(result.displays) == 1
    assert len(tasks.ok("%flyte_runs").displays) == 1
    assert tasks.value("[node.task for node in found[0].tree]") == ["ml.pipeline", "ml.double", "ml.double"]
    assert "ml.pipeline" in tasks.ok("flyte.runs()").displays[0]
    assert tasks.ok("found[0]").displays[0].splitlines()[1].startswith("   ✓ ml.double")


def test_logs_of_a_run(tasks: Notebook) -> None:
    """Each line with its time, task, stream and text; of the latest run unless one is named."""
    tasks.ok("await pipeline()\nfirst = flyte.runs()[0].name\nawait double(7)")
    (row,) = rows(tasks.ok("%flyte_logs").displays[0])
    assert row[1:] == ["ml.double", "stdout", "doubling 7"]
    name = tasks.value("first")
    result = tasks.ok(f"%flyte_logs {name}")
    told = [row[1:] for row in rows(result.displays[0])]
    assert told[0] == ["ml.pipeline", "stderr", "<b>beginning</b>"]
    assert [(task.partition(" #")[0], text) for task, _, text in told[1:]] == [
        ("ml.double", "doubling 1"),
        ("ml.double", "doubling 2"),
    ]
    assert told[1][0] != told[2][0]
    assert "<b>" not in result.everything.partition("text/html")[2].partition("text/plain")[0]
    assert len(rows(tasks.ok(f"%flyte_logs {name} --task double").displays[0])) == 2
    assert len(rows(tasks.ok(f"%flyte_logs {name} --stream stderr").displays[0])) == 1
    assert "nothing" in tasks.ok(f"%flyte_logs {name} --task double --stream stderr").displays[0]


def test_logs_of_a_run_that_goes_on(tasks: Notebook) -> None:
    """While a run goes on, its logs are what there is so far."""
    tasks.ok(
        "@tasks.task\nasync def slow():\n    current_call().write('stdout', 'so far\\n')\n    await asyncio.sleep(60)\n"
        "going = asyncio.ensure_future(slow())\nawait asyncio.sleep(0)"
    )
    shown = tasks.ok("%flyte_logs").displays[0]
    assert "running" in shown
    assert [row[3] for row in rows(shown)] == ["so far"]
    tasks.ok("going.cancel()")
    assert "⊘ cancelled" in tasks.ok("%flyte_runs").displays[0]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%flyte_runs --state faild", "Did you mean 'failed'?"),
        ("%flyte_runs --since yesterday", "2h"),
        ("%flyte_runs --limit 0", "runs.limit"),
        ("%flyte_runs --limit many", "%flyte_runs? for help"),
        ("%flyte_runs one two", "two"),
        ("%flyte_logs 00000000-1", "%flyte_runs lists the runs"),
        ("%flyte_logs --task pipelin", "Did you mean 'pipeline'?"),
        ("%flyte_logs a b", "b"),
        ("%config FlyteNB.keep_runs = -1", "keep_runs"),
    ],
)
def test_bad_input_is_one_line(tasks: Notebook, cell: str, said: str) -> None:
    """What cannot be meant says so in one line."""
    tasks.ok("await pipeline()")
    result = tasks.run(cell)
    told = result.evalue or result.stderr
    assert said in told
    assert "\n" not in told.strip()


def test_an_empty_history(tasks: Notebook) -> None:
    """Both magics say what to do."""
    assert "Run a task" in tasks.ok("%flyte_runs").displays[0]
    assert "Run a task" in tasks.run("%flyte_logs").evalue


def test_completion(tasks: Notebook) -> None:
    """Tab offers tasks, states and the names of runs."""
    tasks.ok("await double(1)")
    name = tasks.value("flyte.runs()[0].name")
    assert tasks.complete("%flyte_runs ml.d") == ["%flyte_runs ml.double"]
    assert tasks.complete("%flyte_runs --state fa") == ["%flyte_runs --state failed"]
    assert tasks.complete(f"%flyte_logs {name[:3]}") == [f"%flyte_logs {name}"]
    assert tasks.complete("%flyte_logs --task ml.p") == ["%flyte_logs --task ml.pipeline"]


def test_setting_how_many_are_kept(tasks: Notebook) -> None:
    """%config FlyteNB.keep_runs prunes with the next run, and unloading takes it back."""
    tasks.ok("%config FlyteNB.keep_runs = 2")
    tasks.ok("for n in range(5):\n    await double(n)")
    assert tasks.value("[run.tree[0].inputs for run in flyte.runs()]") == ["n=4", "n=3"]
    tasks.ok("%unload_ext flyte_nb\nfrom flyte_nb.session import session")
    assert tasks.value("session().settings.keep_runs") == 1000


def test_without_the_extension_bare_calls_are_not_recorded(tasks: Notebook) -> None:
    """After unloading, what is awaited is not recorded, and what `flyte.run` runs is."""
    tasks.ok("from flyte_nb.session import session\nhome = session().settings.home")
    tasks.ok("%unload_ext flyte_nb\nsession().settings.home = home")
    tasks.ok("await double(1)\nrun = await flyte.run(double, 2)")
    assert tasks.value("[one.name for one in flyte.runs()] == [run.name]")
    tasks.ok("session().settings.home = ''")


@pytest.fixture
def another(tmp_path: Path, home: Path) -> Iterator[Callable[[], Notebook]]:
    """Starts kernels that share one home."""
    started: list[Notebook] = []

    def start() -> Notebook:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        settings = {"FLYTE_NB_HOME": str(tmp_path / "home"), "IPYTHONDIR": str(folder / "ipython"), "NO_COLOR": "1"}
        started.append(Notebook(folder, {**os.environ, **settings}))
        started[-1].ok(f"%load_ext flyte_nb\n{TASKS}")
        return started[-1]

    yield start
    for notebook in started:
        notebook.close()


@pytest.mark.slow
def test_a_restart_keeps_the_history(another: Callable[[], Notebook]) -> None:
    """A kernel that is shut down has recorded everything, and the next one shows it."""
    first = another()
    first.ok("await pipeline()\nawait double(1)")
    first.shut_down()
    second = another()
    assert [row[1] for row in rows(second.ok("%flyte_runs").displays[0])] == ["ml.double", "ml.pipeline"]
    assert "doubling 1" in second.ok("%flyte_logs").displays[0]


@pytest.mark.slow
def test_a_killed_kernel_leaves_its_runs_lost(another: Callable[[], Notebook]) -> None:
    """What ran when the kernel was killed is shown as running before and as lost after, with its output so far."""
    first, second = another(), another()
    first.ok("await pipeline()\nflyte.runs()")
    first.ok("going = asyncio.ensure_future(tasks.task(asyncio.sleep)(60))\nawait asyncio.sleep(0)\n%flyte_runs")
    assert [row[2] for row in rows(second.ok("%flyte_runs").displays[0])] == ["► running", "✓ succeeded"]
    first.kill()
    assert [row[2] for row in rows(second.ok("%flyte_runs").displays[0])] == ["∅ lost", "✓ succeeded"]
    assert [row[1] for row in rows(second.ok("%flyte_runs --state lost").displays[0])] == ["ml.sleep"]
