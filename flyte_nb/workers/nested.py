"""What tasks that run in a worker call: run wherever it belongs, and the worker is told what became of it.

All of it belongs to the loop of the pool, but for what says otherwise.
"""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from flyte_nb.crossing.exceptions import pack_error
from flyte_nb.execution.call import AROSE
from flyte_nb.workers.outcome import CANCELLED, FAILED, RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable

    from flyte_nb.crossing.definitions import Definitions
    from flyte_nb.crossing.memory import Memory
    from flyte_nb.crossing.parcel import Parcel
    from flyte_nb.workers.calls import Caller, NestedCall

    Answer = Callable[[tuple[Any, ...], Memory | None], None]

__all__ = ["NestedCalls", "keep_parcel"]

# Where an exception that came from a worker keeps the parcel it came in.
_PARCEL = "_flyte_nb_parcel"


class NestedCalls:
    """The calls that come from one worker, each with the call in the worker that has made it: its parent.

    Args:
        answer: Sends the worker a message.
        caller: Gives who has a call run in the worker, by the id of the call, if that still runs.
        names: What the user's names mean in this process.
    """

    def __init__(self, answer: Answer, caller: Callable[[int], Caller | None], names: Definitions) -> None:
        self._answer, self._caller, self._names = answer, caller, names
        self._calls: dict[int, tuple[int, asyncio.Task[None]]] = {}
        # What is being stopped, by the parent that has given it up.
        self._given_up: dict[int, set[asyncio.Task[None]]] = {}
        self._blocking = 0

    @property
    def block(self) -> bool:
        """Whether the worker waits for one of them in a way that lets it do nothing else."""
        return self._blocking > 0

    def begin(self, number: int, parent: int, call: NestedCall, *, blocking: bool) -> None:
        """Begin a call.

        Args:
            number: What the worker calls it.
            parent: The call that makes it.
            call: What is called.
            blocking: Whether the worker can do nothing else meanwhile.
        """
        caller = self._caller(parent)
        context = caller.context if caller else copy_context()
        work = self._run(number, parent, call, blocking=blocking)
        nested = context.run(asyncio.get_running_loop().create_task, work)
        self._calls[number] = parent, nested
        nested.add_done_callback(lambda _: self._calls.pop(number))  # also if it never begins

    def of(self, parent: int) -> list[asyncio.Task[None]]:
        """Return those that a call has made; from any thread."""
        return [task for caller, task in list(self._calls.values()) if caller == parent]

    def all(self) -> list[asyncio.Task[None]]:
        """Return those of every call."""
        return [task for _, task in self._calls.values()]

    def give_up(self, number: int) -> None:
        """Stop one: its parent does not wait for it any more, but is not over before it is."""
        if number not in self._calls:
            return
        parent, nested = self._calls[number]
        nested.cancel()
        if self._caller(parent):
            given_up = self._given_up.setdefault(parent, set())
            given_up.add(nested)
            nested.add_done_callback(given_up.discard)

    def given_up_by(self, parent: int) -> set[asyncio.Task[None]]:
        """Return what is still being stopped of what a call has given up, which is over; from any thread."""
        return set(self._given_up.pop(parent, ()))

    async def stop(self, parent: int) -> None:
        """Stop what a call has made that was stopped; code in threads may still wait for it."""
        nested = self.of(parent)
        for task in nested:
            task.cancel()
        if nested:
            await asyncio.wait(nested)

    def tell_shape(self, number: int, parent: int, environment: str, function: str) -> None:
        """Tell how a task of another environment is called."""
        try:
            answer: tuple[int, Any] = RETURNED, self._still(parent).shape(environment, function)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever it is goes to the caller
            answer = FAILED, pack_error(error, self._names).payload
        self._answer(("answer", number, *answer, None), None)

    async def _run(self, number: int, parent: int, call: NestedCall, *, blocking: bool) -> None:
        self._blocking += blocking
        arose = None
        try:
            parcel = await self._still(parent).call(call)
            status = RETURNED
        except asyncio.CancelledError as error:
            status, parcel = CANCELLED, pack_error(error, self._names)
        except Exception as error:  # noqa: BLE001 - whatever the task raises goes to its caller
            status, parcel = FAILED, getattr(error, _PARCEL, None) or pack_error(error, self._names)
            arose = getattr(error, AROSE, None)
        finally:
            self._blocking -= blocking
        self._answer(("answer", number, status, parcel.payload, arose), parcel.memory)

    def _still(self, parent: int) -> Caller:
        caller = self._caller(parent)
        if caller is None:
            raise asyncio.CancelledError  # it has ended, and so has its run
        return caller


def keep_parcel(error: BaseException, parcel: Parcel) -> None:
    """Note in what parcel an error came: so it goes on as it came, types that are not known here included."""
    try:
        setattr(error, _PARCEL, parcel)
    except Exception:  # noqa: BLE001 - an exception of others may refuse anything; it is packed again then
        return
