"""With what the actions of a run on a cluster are called, and what they return, for the calls that stand for them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from flyte_nb.execution.preview import result_preview, values_preview
from flyte_nb.sdk.failures import is_passing
from flyte_nb.sdk.running import inputs_of, returned_by

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flyte_nb.execution.call import Call

    Read = Callable[[str, str], Awaitable[Any]]
    Note = Callable[[Any], str]  # what was noted, if that says anything

__all__ = ["ClusterValues"]

# How many are read at once; others wait.
_AT_ONCE = 4
# Of a crowd of calls, a few are shown by themselves: nobody would read all of these.
_MOST = 200
_TRIES, _AGAIN_SECONDS = 5, 1.0
# How long a run that has ended waits for what is still being read.
_PATIENCE_SECONDS = 3.0


class ClusterValues:
    """The inputs and results of the first actions of one run.

    Args:
        run: What the cluster calls the run.
        tell: Is told of a call of which more is known now.
    """

    def __init__(self, run: str, tell: Callable[[Call], None]) -> None:
        self._run, self._tell = run, tell
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._inputs: dict[str, asyncio.Task[None]] = {}
        self._results: dict[str, asyncio.Task[None]] = {}

    def read_inputs(self, action: str, call: Call) -> None:
        """Note with `call` what an action was called with, when it is known."""

        def note(inputs: dict[str, Any]) -> str:
            call.inputs = values_preview(inputs.items())
            return call.inputs

        self._begin(self._inputs, action, call, inputs_of, note)

    def read_result(self, action: str, call: Call) -> None:
        """Note with `call` what an action that has succeeded returned, when it is known."""

        def note(result: Any) -> str:
            call.returned = result_preview(call.task, result)
            return call.returned

        self._begin(self._results, action, call, returned_by, note)

    def _begin(self, readings: dict[str, asyncio.Task[None]], action: str, call: Call, read: Read, note: Note) -> None:
        if action not in readings and len(readings) < _MOST:
            readings[action] = asyncio.ensure_future(self._read(action, call, read, note))

    async def settled(self) -> None:
        """Wait, but not for long, until what was to be read is known."""
        if readings := self._readings:
            await asyncio.wait(readings, timeout=_PATIENCE_SECONDS)

    def close(self) -> None:
        """Read no more."""
        for reading in self._readings:
            reading.cancel()

    @property
    def _readings(self) -> list[asyncio.Task[None]]:
        return [*self._inputs.values(), *self._results.values()]

    async def _read(self, action: str, call: Call, read: Read, note: Note) -> None:
        for _ in range(_TRIES):
            try:
                async with self._gate:
                    value = await read(self._run, action)
            except Exception as error:  # noqa: BLE001 - a run of which this is not known is a run
                if not is_passing(error):
                    return
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            if note(value):
                self._tell(call)
            return
