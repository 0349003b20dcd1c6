"""%flyte_run in a real kernel: its value, the place of its output, and every form of cell it can stand in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .notebook import Notebook

TASKS = """
tasks = flyte.TaskEnvironment("e")
@tasks.task
async def double(n: int) -> int:
    await asyncio.sleep(0)
    return 2 * n
@tasks.task
def half(n: int) -> int:
    return n // 2
@tasks.task
async def ml_pipeline(epochs: int = 1) -> int:
    print("training", epochs)
    return await double(epochs) + half(4)
@tasks.task
async def failing() -> None:
    raise ValueError("boom")
"""


@pytest.fixture
def tasks(notebook: Notebook) -> Notebook:
    notebook.ok(TASKS)
    return notebook


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("x = %flyte_run ml_pipeline()", 4),
        ("x = %flyte_run ml_pipeline(epochs=3);", 8),
        ("x = y = 0\nx = %flyte_run half(8)", 4),
        ("x: int = 0\nx: int = %flyte_run double(2)", 4),
        ("x = 0\nfor i in range(3):\n    y = %flyte_run double(i)\n    x += y", 6),
        ("if True:\n    x = %flyte_run double(1)\nelse:\n    x = %flyte_run double(2)", 2),
        ("def f(n):\n    x = %flyte_run double(n)\n    return x\nx = f(5)", 10),
        (
            "def f(n):\n    x = %flyte_run asyncio.gather(*[double(n) for _ in range(n)])\n    return x\nx = sum(f(2))",
            8,
        ),
        ("async def f(n):\n    x = %flyte_run double(n)\n    return x\nx = await f(5)", 10),
        ("async def f(n):\n    x = %flyte_run double(n)\n    return x\nx = sum(await asyncio.gather(f(1), f(2)))", 6),
        ("class C:\n    async def f(self):\n        x = %flyte_run double(3)\n        return x\nx = await C().f()", 6),
        ("class C:\n    y = %flyte_run double(3)\nx = C.y", 6),
        ("await asyncio.sleep(0)\ndef f():\n    x = %flyte_run double(6)\n    return x\nx = f()", 12),
        ("%%time\nx = %flyte_run ml_pipeline()", 4),
        ("%%capture out\nx = %flyte_run ml_pipeline()", 4),
        ("x = %flyte_run asyncio.gather(double(1), double(2))\nx = sum(x)", 6),
        ("x = %flyte_run double(await double(2))", 8),
        ("x = %flyte_run double(n=half(\n    8\n))", 8),
        ("x = %flyte_run double(  # it's twice\n    3\n)\nassert x == 6; x = 7", 7),
        ("for i in range(1):\n    x = %flyte_run double(\n        3,\n    )\n    x += 1", 7),
        ("é = 'é'; x = 0\nx = %flyte_run double(len(é) + 0 * x)", 2),
        ("x = %flyte_run double(len('ü'))\r\ny = 1\r\n", 2),
        ("x = get_ipython().run_line_magic('flyte_run', 'double(5)') + 1", 11),
        ("x = get_ipython(  ).run_line_magic('flyte_run', 'double(5)')", 10),
    ],
)
def test_value(tasks: Notebook, cell: str, value: int) -> None:
    """The value of the task is the value of the magic, wherever it stands."""
    tasks.ok(cell)
    assert tasks.value("x") == value


@pytest.mark.parametrize("cell", ["%flyte_run ml_pipeline()", "flyte_run ml_pipeline()", "%flyte_run ml_pipeline(\n)"])
def test_value_of_the_cell(tasks: Notebook, cell: str) -> None:
    """A cell that ends with the magic, written with or without its sign, has the value of the task."""
    assert tasks.ok(cell).value == "4"


def test_semicolon_hides_the_value(tasks: Notebook) -> None:
    """A semicolon at the end hides the value, as in any cell."""
    result = tasks.ok("%flyte_run ml_pipeline();")
    assert result.value is None
    assert result.displays


def test_without_autoawait(tasks: Notebook) -> None:
    """With %autoawait off the value is the same."""
    tasks.ok("%autoawait False")
    tasks.ok("x = %flyte_run double(3)")
    assert tasks.value("x") == 6


def test_local_variables(tasks: Notebook) -> None:
    """The expression sees the local variables of the function that it stands in, and those of the notebook."""
    tasks.ok("base = 10\nasync def f(k):\n    x = %flyte_run double(sum(k * base for _ in range(2)))\n    return x\n")
    assert tasks.ok("await f(3)").value == "120"


def test_not_rewritten(tasks: Notebook) -> None:
    """What only looks like the magic, in strings and comments, stays as it is."""
    tasks.ok('text = """\n%flyte_run double(\n1)\n"""\nother = f"{1}%flyte_run double(1)"  # x = %flyte_run double(1)')
    assert tasks.value("text") == "\n%flyte_run double(\n1)\n"
    assert tasks.value("other") == "1%flyte_run double(1)"


def test_lines_after_a_spanning_call(tasks: Notebook) -> None:
    """A call that spans lines leaves the numbers of the lines after it as they are."""
    result = tasks.run("x = %flyte_run double(\n    2,\n)\n1 / 0")
    assert result.ename == "ZeroDivisionError"
    assert "----> 4 1 / 0" in result.traceback


def test_output_in_its_own_cell(tasks: Notebook) -> None:
    """Of two cells that are queued, each gets the output of its own task."""
    code = "%flyte_run ml_pipeline(epochs={})"
    first, second = tasks.results(tasks.submit(code.format(1)), tasks.submit(code.format(2)))
    assert (first.stdout, first.value) == ("training 1\n", "4")
    assert (second.stdout, second.value) == ("training 2\n", "6")
    assert "e.ml_pipeline" in first.displays[0]
    assert "e.ml_pipeline" in second.displays[0]


@pytest.mark.parametrize("cell", ["%flyte_run slow()", "def f():\n    x = %flyte_run slow()\n    return x\nf()"])
def test_live_tree(tasks: Notebook, cell: str) -> None:
    """The tree of calls is shown while it runs, is updated in place, and ends in its final state."""
    tasks.ok("@tasks.task\nasync def slow():\n    await asyncio.sleep(0.8)\n    await double(1)\n    return 1")
    result = tasks.ok(cell)
    assert result.displays == ["► e.slow()"]
    assert "double(n=1)" in result.updates[-1]
    assert "✓ e.slow()" in result.updates[-1]


def test_the_tree_is_above_what_its_tasks_print(tasks: Notebook) -> None:
    """It takes its place when the run begins, and is replaced there by its end, as HTML and as text."""
    result = tasks.ok("x = %flyte_run ml_pipeline()")
    shown = [message["msg_type"] for message in result.messages]
    assert shown.index("display_data") < shown.index("stream")
    assert (len(result.displays), len(result.updates)) == (1, 1)
    assert result.updates[0].startswith("✓ e.ml_pipeline()")
    assert "<table" in result.everything


def test_a_sync_task_is_watched_too(tasks: Notebook) -> None:
    """Work that never awaits is shown while it goes on, with a view that is alive."""
    tasks.ok(
        "@tasks.task\ndef steps():\n    for n in range(3):\n        time.sleep(0.4)\n        half(n)\n    print('end')"
    )
    result = tasks.ok("%flyte_run steps()")
    shown = [message["msg_type"] for message in result.messages]
    assert shown.count("comm_msg") > 3
    assert shown.index("comm_msg") < shown.index("stream")


def test_what_outlives_its_run(tasks: Notebook) -> None:
    """Calls that go on when a run has failed are shown as running, and later as what became of them."""
    tasks.ok(
        "@tasks.task\nasync def slow():\n    await asyncio.sleep(0.4)\n"
        "@tasks.task\nasync def careless():\n    await asyncio.gather(slow(), failing())"
    )
    failed = tasks.run("%flyte_run careless()")
    assert failed.ename == "ValueError"
    assert "► e.slow()" in failed.updates[-1]
    later = tasks.ok("await asyncio.sleep(1)")
    updates = [m for m in (*tasks.late, *later.messages) if m["msg_type"] == "update_display_data"]
    assert "✓ e.slow()" in updates[-1]["content"]["data"]["text/plain"]
    assert later.displays == []


def test_live_views_are_let_go(tasks: Notebook) -> None:
    """Of runs that were watched the latest sixteen stay alive, and none when the extension is unloaded."""
    tasks.ok("from flyte_nb.jupyter import live\nlive._PATIENCE_SECONDS = 0")
    tasks.ok("@tasks.task\nasync def slow():\n    await asyncio.sleep(0.15)")
    tasks.ok("for _ in range(18):\n    %flyte_run slow()")
    closed = [message for message in tasks.ok("%flyte_run slow()").messages if message["msg_type"] == "comm_close"]
    assert closed
    result = tasks.ok("%unload_ext flyte_nb")
    assert len([message for message in result.messages if message["msg_type"] == "comm_close"]) == 16
    tasks.ok("live._PATIENCE_SECONDS = 0.2")


def test_failed_run_tells_where_the_error_arose(tasks: Notebook) -> None:
    """The call in which an error arose tells it; its caller has merely failed."""
    tasks.ok("@tasks.task\nasync def outer():\n    await failing()")
    caller, called = tasks.run("%flyte_run outer()").updates[-1].splitlines()
    assert caller.startswith("✗ e.outer()")
    assert "boom" not in caller
    assert called.startswith("   ✗ e.failing()")
    assert called.endswith("ValueError: boom")


def test_a_finished_run_shows_its_tree(tasks: Notebook) -> None:
    """A run that is the value of a cell looks as it does below %flyte_run."""
    result = tasks.ok("await flyte.run(ml_pipeline, 3)")
    assert "✓ e.ml_pipeline(epochs=3)" in result.displays[0]
    assert "<table" in result.everything


def test_error_of_a_task(tasks: Notebook) -> None:
    """What a task raises is what the cell raises, with the task's line and without ours."""
    for cell in ("%flyte_run failing()", "def f():\n    x = %flyte_run failing()\nf()"):
        result = tasks.run(cell)
        assert (result.ename, result.evalue) == ("ValueError", "boom")
        assert 'raise ValueError("boom")' in result.traceback
        assert "flyte_nb" not in result.traceback
        assert "%flyte_run failing()" in result.traceback or "run_line_magic" in result.traceback
        assert "hidden" not in result.traceback


@pytest.mark.skipif(sys.version_info < (3, 11), reason="groups came with Python 3.11")
@pytest.mark.parametrize("cell", ["%flyte_run both()", "await both()", "x = (await flyte.run(both)).result"])
def test_error_group(tasks: Notebook, cell: str) -> None:
    """A group of exceptions reaches the cell as such, each with the task's line and without ours."""
    tasks.ok(
        "@tasks.task\nasync def both():\n    async with asyncio.TaskGroup() as group:\n"
        "        group.create_task(failing())\n        group.create_task(failing())\n"
    )
    result = tasks.run(cell)
    assert result.ename == "ExceptionGroup"
    assert result.traceback.count('raise ValueError("boom")') == 2
    assert "flyte_nb" not in result.traceback
    assert "interactiveshell.py" not in result.traceback
    assert 'File "Cell In[' in result.traceback
    assert result.stderr == ""


@pytest.mark.parametrize("cell", ["%flyte_run leaving()", "def f():\n    x = %flyte_run leaving()\nf()"])
@pytest.mark.parametrize("how", ["raise SystemExit(1)", "raise KeyboardInterrupt"])
def test_task_that_exits(tasks: Notebook, cell: str, how: str) -> None:
    """A task that exits ends its cell and not the kernel."""
    tasks.ok(f"@tasks.task\nasync def leaving():\n    {how}")
    assert tasks.run(cell).ename in how
    assert tasks.value("1") == 1


def test_nested_runs(tasks: Notebook) -> None:
    """A task may itself use the magic, awaited or in a plain function."""
    tasks.ok(
        "def plain(n):\n    x = %flyte_run double(n)\n    return x\n"
        "@tasks.task\nasync def outer(n: int) -> int:\n    x = %flyte_run double(n)\n    return x + plain(n)"
    )
    assert tasks.ok("%flyte_run outer(2)").value == "8"


def test_universal_form(tasks: Notebook) -> None:
    """`await flyte.run(...)` gives the finished run, and awaiting the task its bare value."""
    assert tasks.ok("run = await flyte.run(ml_pipeline, 3)\nrun.result, run.status").value == "(8, 'succeeded')"
    assert tasks.ok("await ml_pipeline()").value == "4"


def test_a_value_of_a_class_whose_cell_has_run_again(notebook: Notebook) -> None:
    """What was made before is what the task takes: the class has the same name and came from the same place."""
    define = "from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: int\n"
    notebook.ok(define)
    notebook.ok("%%flyte_env ml\n@env.task\nasync def read(point: Point) -> int:\n    return point.x\n")
    notebook.ok("made = Point(3)")
    notebook.ok(define)
    notebook.ok("%%flyte_env ml\n@env.task\nasync def read(point: Point) -> int:\n    return point.x\n")
    assert notebook.value("(await flyte.run(read, made)).result") == 3
    assert notebook.run("%flyte_run read(3)").ename == "UsageError"
