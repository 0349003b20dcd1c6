"""Runs on a cluster: begun from a deployed version, read, told to stop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import flyte
import flyte.remote
from connectrpc.code import Code
from flyte.models import NativeInterface
from flyteidl2.core.catalog_pb2 import CACHE_HIT

from flyte_nb.sdk.deploying import version_of
from flyte_nb.sdk.failures import code_of
from flyte_nb.sdk.literals import plain_value
from flyte_nb.sdk.policies import overriding

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from flyte_nb.sdk.cluster import Cluster

__all__ = [
    "Action",
    "Begin",
    "abort_run",
    "actions_of",
    "begin_run",
    "error_of",
    "inputs_of",
    "lines_of",
    "result_of",
    "returned_by",
    "run_url",
]

ROOT = "a0"
"""What the action is called that is the task which was run."""


@dataclass(frozen=True, slots=True)
class Action:
    """One call of a task on the cluster at one moment.

    Attributes:
        name: What it is called in its run.
        parent: The name of the action that called it; nothing for the root.
        task: The full name of its task; nothing if it is not one.
        phase: Where it stands, as the SDK calls it: "queued", "running", "succeeded".
        attempts: How many times it was begun.
        cached: Whether an earlier result was used.
        started: Seconds since the epoch at which it began, or was queued.
        ended: Seconds since the epoch at which it ended; None until then.
    """

    name: str
    parent: str
    task: str
    phase: str
    attempts: int
    cached: bool
    started: float
    ended: float | None


@dataclass(frozen=True, slots=True)
class Begin:
    """A run that is to begin.

    Attributes:
        name: What it will be called; asked for again, it is the same run.
        task: The full name of the task.
        fingerprint: The version of its environment.
        inputs: Values by the name of the parameter.
        function: The function of the task, whose annotations say how values go to the cluster; None guesses.
        overridden: What the run says otherwise of the task than its version, by name, as `Task.override` has it.
    """

    name: str
    task: str
    fingerprint: str
    inputs: Mapping[str, Any]
    function: Callable[..., Any] | None = None
    overridden: Mapping[str, Any] | None = None


async def begin_run(wanted: Begin, cluster: Cluster) -> str:
    """Begin a run, unless it has begun already, and return where the console shows it.

    Raises what the SDK raises: of values it cannot convert, before anything is sent.
    """
    named, version = {"project": cluster.project, "domain": cluster.domain}, version_of(wanted.fingerprint)
    task = await flyte.remote.Task.get(wanted.task, version=version, **named).fetch.aio()
    if wanted.overridden:
        task = overriding(task, wanted.overridden, version)
    if wanted.function is not None:
        task.__dict__["interface"] = _interface(wanted.function, task.interface)  # what it would guess, and keep
    try:
        run = await flyte.with_runcontext("remote", name=wanted.name, **named).run.aio(task, **wanted.inputs)
    except Exception as error:
        if code_of(error) is not Code.ALREADY_EXISTS:
            raise
        run = await flyte.remote.Run.get.aio(wanted.name)
    return str(run.url)


async def run_url(name: str) -> str:
    """Return where the console shows a run."""
    return str((await flyte.remote.Run.get.aio(name)).url)


async def actions_of(run: str) -> list[Action]:
    """Return the actions of a run in the order of their creation; those who call before those who are called."""
    return [_action(each) async for each in flyte.remote.Action.listall.aio(for_run_name=run)]


async def result_of(run: str, function: Callable[..., Any] | None) -> Any:
    """Return what a run that has succeeded gives.

    Args:
        run: The run.
        function: The function of its task, whose annotation says what type it has; None guesses.
    """
    details = await flyte.remote.ActionDetails.get.aio(run_name=run, name=ROOT)
    types = NativeInterface.from_callable(function).outputs if function is not None else {}
    if types:
        named = await details.typed_outputs(types)
        values = [named[name] for name in types if name in named]
    else:
        values = [] if function is not None else list(await details.outputs())
    return _as_returned(values)


async def inputs_of(run: str, action: str) -> dict[str, Any]:
    """Return what an action was called with, by name, as far as it is plain: see `plain_value`."""
    details = await flyte.remote.ActionDetails.get.aio(run_name=run, name=action)
    return {name: plain_value(literal) for name, literal in (await details.input_literals()).items()}


async def returned_by(run: str, action: str) -> Any:
    """Return what an action that has succeeded gives, as far as it is plain: see `plain_value`."""
    details = await flyte.remote.ActionDetails.get.aio(run_name=run, name=action)
    return _as_returned([plain_value(literal) for literal in (await details.output_literals()).values()])


def _as_returned(values: list[Any]) -> Any:
    """Return the outputs of an action as its function returned them."""
    return tuple(values) if len(values) > 1 else values[0] if values else None


async def error_of(run: str, action: str) -> tuple[str, str]:
    """Return the kind of error with which an action has ended, such as "ValueError", and what it says."""
    details = await flyte.remote.ActionDetails.get.aio(run_name=run, name=action)
    if details.error_info is not None:
        return str(details.error_info.code), str(details.error_info.message)
    aborted = details.abort_info
    return "", str(aborted.reason) if aborted is not None else ""


async def abort_run(run: str) -> None:
    """Ask the cluster to abort a run; one that has ended, or never was, stays as it is."""
    try:
        handle = await flyte.remote.Run.get.aio(run)
    except Exception as error:
        if code_of(error) is Code.NOT_FOUND:
            return
        raise
    await handle.abort.aio("interrupted in the notebook")


async def lines_of(run: str, action: str, attempt: int) -> AsyncIterator[str]:
    """Yield the lines that an attempt at an action writes, as they come, without what the system writes."""
    handle = await flyte.remote.Action.get.aio(run_name=run, name=action)
    async for line in handle.get_logs.aio(attempt, filter_system=True):
        yield line.strip("\n").removeprefix(" ")  # which stands between a time, not asked for, and the line


def _interface(function: Callable[..., Any], registered: Any) -> Any:
    """Return the types of `function` with the defaults of the version, for parameters that both have."""
    known = NativeInterface.from_callable(function)
    inputs = {
        name: (known.inputs[name][0] if name in known.inputs else guessed, default)
        for name, (guessed, default) in registered.inputs.items()
    }
    return replace(registered, inputs=inputs)


def _action(action: Any) -> Action:
    status, details = action.pb2.status, action.pb2.metadata
    return Action(
        action.name,
        details.parent,
        action.task_name or "",
        action.phase.value,
        status.attempts,
        status.cache_status == CACHE_HIT,
        _seconds(status.start_time),
        _seconds(status.end_time) if status.HasField("end_time") else None,
    )


def _seconds(stamp: Any) -> float:
    moment: datetime = stamp.ToDatetime().replace(tzinfo=timezone.utc)
    return moment.timestamp()
