"""Processes that a task starts import the module of its environment as the worker does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flyte_nb.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., Any]


@pytest.mark.parametrize("how", ["spawn", "forkserver"])
def test_processes_that_begin_anew_run_functions_of_the_task(run: Run, how: str) -> None:
    """They find them by name, in a module in which `import flyte` means flyte_nb, whatever else is installed."""
    module = "flyte_nb.as_flyte.environments"
    assert run("a.starts", how).result == [(module, number) for number in range(3)]


@pytest.mark.parametrize("own", [True, False])
def test_a_task_that_is_called_in_such_a_process_is_refused_in_one_line(run: Run, own: bool) -> None:
    """The kernel does not know of that process, whether the task is of its environment or of another."""
    task = "a.who_sync" if own else "b.double_sync"
    with pytest.raises(InvalidValueError, match=f"{task}.* is called in a process that a task has started"):
        run("a.starts_what_calls", own)
