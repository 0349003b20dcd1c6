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
