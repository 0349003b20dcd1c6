"""The Cancel button of a run's view, in a real kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipykernel
import pytest

if TYPE_CHECKING:
    from .notebook import Notebook

pytestmark = pytest.mark.skipif(
    ipykernel.version_info < (7,),  # type: ignore[attr-defined]
    reason="ipykernel 6 hears a button only when the cell has ended",
)

TASKS = """
cleaned = []
tasks = flyte.TaskEnvironment("e")
@tasks.task
async def waiting() -> int:
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.05)
        cleaned.append("waiting")
@tasks.task
async def several() -> int:
    await asyncio.gather(waiting(), waiting())
"""


def cancelled(notebook: Notebook, call: str, *, in_subshell: bool) -> None:
    """Run a cell, press Cancel, and check that the run has ended as if it had been interrupted."""
    notebook.ok(TASKS)
    subshell = notebook.subshell() if in_subshell else None
    request = notebook.submit(f"result = %flyte_run {call}")
    notebook.send_to_widget(notebook.widget_of(request, "_cancellable"), {"cancel": True}, subshell=subshell)
    (result,) = notebook.results(request)
    assert (result.ename, result.evalue) == ("UsageError", "The run was cancelled.")
    assert result.traceback == ""
    assert result.updates[-1].startswith("⊘ e.")
    assert notebook.value("'result' in globals()") is False
    assert notebook.ok("x = %flyte_run asyncio.sleep(0, 5)\nx").value == "5"


@pytest.mark.parametrize("in_subshell", [False, True])
def test_work_that_awaits(notebook: Notebook, in_subshell: bool) -> None:
    """All that the run was doing is cancelled, its clean-up is complete, and the next cell works."""
    cancelled(notebook, "waiting()", in_subshell=in_subshell)
    assert notebook.value("cleaned") == ["waiting"]
    cancelled(notebook, "several()", in_subshell=in_subshell)
    notebook.ok("await asyncio.sleep(0.2)  # asyncio.gather does not wait for the rest once one is cancelled")
    assert notebook.value("cleaned") == ["waiting", "waiting"]


# Calls that compute, awaited or gathered: no await of them ever suspends, so that the loop never gets a turn.
COMPUTING = """
began, tidied = [], []
def compute(number):
    began.append(number)
    print("computing", number, flush=True)
    end = time.monotonic() + seconds[number]
    while time.monotonic() < end:
        sum(range(1000))
tasks = flyte.TaskEnvironment("e")
@tasks.task
async def tidy(name: str) -> None:
    await asyncio.sleep(0.05)
    tidied.append(name)
@tasks.task
async def computing(number: int) -> None:
    try:
        compute(number)
    finally:
        if number == 1:
            await tidy("call")
@tasks.task
async def in_a_row() -> None:
    try:
        for number in range(50):
            await computing(number)
    finally:
        await tidy("run")
@tasks.task
async def gathered() -> None:
    try:
        await asyncio.gather(*[computing(number) for number in range(25)])
        await asyncio.gather(*[computing(number) for number in range(25, 50)])
    finally:
        await tidy("run")
@tasks.task
async def mapped() -> None:
    try:
        await flyte.map(computing, range(50), concurrency=5)
    finally:
        await tidy("run")
"""


@pytest.mark.parametrize("caller", ["in_a_row", "gathered", "mapped"])
def test_no_call_begins_after_it_and_the_one_that_computes_is_interrupted(notebook: Notebook, caller: str) -> None:
    """A front end with subshells, as JupyterLab, is heard at once; pressing again does not cut the clean-up short."""
    notebook.ok(COMPUTING + "seconds = [0.5] + [600] * 49  # the first has sent something to the page meanwhile")
    subshell = notebook.subshell()
    request = notebook.submit(f"%flyte_run {caller}()")
    widget = notebook.widget_of(request, "_cancellable")
    notebook.wait_for(request, "computing 1")
    for _ in range(2):
        notebook.send_to_widget(widget, {"cancel": True}, subshell=subshell)
    (result,) = notebook.results(request)
    assert (result.ename, result.evalue) == ("UsageError", "The run was cancelled.")
    assert notebook.value("began") == [0, 1]
    tidied = notebook.value("tidied")
    assert "run" in tidied
    assert "call" in tidied or caller != "in_a_row"  # asyncio cancels what is gathered, and cuts its clean-up short


@pytest.mark.parametrize("caller", ["in_a_row", "gathered", "mapped"])
def test_it_is_heard_between_calls_that_compute(notebook: Notebook, caller: str) -> None:
    """A front end without subshells is heard, too, before the next call begins."""
    notebook.ok(COMPUTING + "seconds = [0.5] * 50")
    request = notebook.submit(f"%flyte_run {caller}()")
    widget = notebook.widget_of(request, "_cancellable")
    notebook.wait_for(request, "computing 1")
    notebook.send_to_widget(widget, {"cancel": True})
    (result,) = notebook.results(request)
    assert (result.ename, result.evalue) == ("UsageError", "The run was cancelled.")
    assert len(notebook.value("began")) < 10
    assert "run" in notebook.value("tidied")
