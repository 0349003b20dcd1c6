"""One try at one environment: work of a target that ends by itself, in time, or because it is stopped."""

from __future__ import annotations

import asyncio
from contextvars import Context, copy_context
from typing import TYPE_CHECKING

from flyte_nb.deployment.applying.status import State
from flyte_nb.execution.stopping import Interrupted
from flyte_nb.masking import error_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Attempt"]


class Attempt:
    """Work that goes on in the task that begins it.

    It is cancelled at most once, and what it says then counts: a target may have to finish what it began.

    Attributes:
        outcome: How it ended and, unless it succeeded, why; that it is lost as long as it has not ended.
        interruption: What ends the whole deployment, if it was raised in the work: what the target raised to end the
            process, which in a task would break out of the loop and leave everything else behind; or an interrupt.
        left_traces: Whether the task is no longer as it was: it was cancelled, or has other context variables.
    """

    def __init__(self) -> None:
        self.outcome = (State.LOST, "was cancelled and had not stopped when the deployment ended")
        self.interruption: KeyboardInterrupt | SystemExit | Interrupted | None = None
        self.left_traces = False
        self._task = asyncio.current_task()
        self._reason: State | None = None  # why it was cancelled

    async def run(self, work: Callable[[], Awaitable[None]], timeout: float | None) -> None:
        """Do `work`, for so many seconds at most; whatever it raises becomes the outcome."""
        context = copy_context()
        timer = None if timeout is None else asyncio.get_running_loop().call_later(timeout, self._time_out)
        try:
            await work()
            self.outcome = State.SUCCEEDED, ""
        except asyncio.CancelledError as error:
            if isinstance(error, Interrupted):
                self.interruption = error
                self._reason = self._reason or State.CANCELLED
            self.left_traces = True
            self.outcome = self._cancelled(timeout)
        except GeneratorExit:
            raise  # the loop was closed over it: nobody knows what became of the work
        except BaseException as error:  # noqa: BLE001 - a target is the code of others, and this is what it says
            if isinstance(error, KeyboardInterrupt | SystemExit):
                self.interruption = error
            self.outcome = self._failed(error, timeout)
        finally:
            if timer:
                timer.cancel()
        self.left_traces = self.left_traces or self._reason is not None or _differ(context, copy_context())

    def stop(self) -> None:
        """Cancel the work, unless it was cancelled before."""
        self._cancel(State.CANCELLED)

    def _time_out(self) -> None:
        self._cancel(State.TIMED_OUT)

    def _cancel(self, reason: State) -> None:
        if self._reason is None and self._task:
            self._reason = reason
            self._task.cancel()

    def _cancelled(self, timeout: float | None) -> tuple[State, str]:
        if self._reason is State.TIMED_OUT:
            return State.TIMED_OUT, f"took longer than {timeout:g} s"
        if self._reason is State.CANCELLED:
            return State.CANCELLED, "cancelled"
        return State.FAILED, "CancelledError: cancelled by the target"

    def _failed(self, error: BaseException, timeout: float | None) -> tuple[State, str]:
        if self._reason is State.TIMED_OUT:
            return State.TIMED_OUT, f"took longer than {timeout:g} s ({error_text(error)})"
        return State.FAILED, error_text(error)


def _differ(before: Context, after: Context) -> bool:
    """Say whether variables have other values. To compare these is up to them: an array gives no yes or no."""
    return len(before) != len(after) or any(before.get(name, after) is not value for name, value in after.items())
