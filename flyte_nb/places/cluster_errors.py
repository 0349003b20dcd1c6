"""What has ended an action on a cluster, as an exception of this process."""

from __future__ import annotations

import asyncio
import builtins
from typing import TYPE_CHECKING

from flyte_nb.errors import ClusterError, RemoteError, TaskTimeoutError
from flyte_nb.sdk.running import ROOT, error_of

if TYPE_CHECKING:
    from flyte_nb.sdk.running import Action

__all__ = ["error_of_action"]


async def error_of_action(run: str, action: Action) -> BaseException:
    """Return what `action`, which has not succeeded, has ended with."""
    if action.phase == "timed_out":
        return TaskTimeoutError(action.task, (action.ended or action.started) - action.started)
    kind, message = await error_of(run, action.name)
    if action.phase == "aborted":
        return (
            ClusterError(run, f"was aborted{f': {message}' if message else ''}")
            if action.name == ROOT
            else (asyncio.CancelledError())
        )
    return _exception(kind, message)


def _exception(kind: str, message: str) -> Exception:
    """Return an exception of the type of Python's own that is called `kind`, or else one that stands for it."""
    known = getattr(builtins, kind, None)
    if isinstance(known, type) and issubclass(known, Exception):
        try:
            return known(message)
        except TypeError:  # one that wants more than a message
            pass
    return RemoteError(kind or "Error", message)
