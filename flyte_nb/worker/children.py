"""Processes that a task starts, with multiprocessing or joblib, say: they import its module as its worker does.

What they are given to do is found by the name of that module. Its package has them begin as `boot.join` says, if their
environment variables tell how.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flyte_nb.errors import InvalidValueError
from flyte_nb.session import session
from flyte_nb.worker.loading import install
from flyte_nb.workers.starting import CHILDREN, Beginning

if TYPE_CHECKING:
    from flyte_nb.model.task import Task

__all__ = ["offer", "prepare"]


def offer(beginning: Beginning) -> None:
    """Leave for the processes that this one will start what they need to import what it imports."""
    boot = str(Path(__file__).with_name("boot.py"))
    os.environ[CHILDREN] = json.dumps({"boot": boot, "beginning": asdict(beginning)})


def prepare(offered: str) -> None:
    """Have this process import as its parent does; tasks are not called here, which no kernel would know of."""
    home: Any = session()
    home.call, home.call_in_thread, home.runner.run = _call, _call_in_thread, _run
    home.call_and_wait = _call
    install(Beginning(**json.loads(offered)["beginning"]), _shape)


def _call(task: Task[..., Any], _args: Any, _kwargs: Any) -> Any:
    raise _refused(task.name)


async def _call_in_thread(task: Task[..., Any], _args: Any, _kwargs: Any) -> Any:
    raise _refused(task.name)


async def _run(task: object, _args: Any, _kwargs: Any, _on: object = None) -> Any:
    raise _refused(str(getattr(task, "name", task)))


def _shape(environment: str, function: str) -> Any:
    raise _refused(f"{environment}.{function}")


def _refused(task: str) -> InvalidValueError:
    problem = "is called in a process that a task has started, of which the kernel does not know"
    return InvalidValueError("task", task, problem, f"{task.partition('.')[2]} in the task itself")
