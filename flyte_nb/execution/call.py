"""The record of one call while it runs: as little work as a call can bear, and a frozen node when somebody asks."""

from __future__ import annotations

import threading
from time import time
from typing import TYPE_CHECKING, Any, ClassVar

from flyte_nb.errors import TaskTimeoutError
from flyte_nb.execution.clock import utc
from flyte_nb.execution.journal import InnerJournal, Journal
from flyte_nb.execution.node import LogLine, Node, RunState
from flyte_nb.masking import error_text

if TYPE_CHECKING:
    from flyte_nb.execution.output import Excerpt, Output
    from flyte_nb.execution.placing import PlacedRun

__all__ = ["AROSE", "Call", "Collector", "PlacedCall"]

AROSE = "_flyte_nb_arose"
"""Where an exception keeps the id of the call in which it arose; it goes with it to other processes and back."""

_STOPS = frozenset({"CancelledError", "KeyboardInterrupt"})
_creating = threading.Lock()


class Collector:
    """What calls, though it is no call itself: it stands for a caller that is not a task.

    Attributes:
        journal: Where what is called from here is noted.
        place: The run elsewhere that calls from here are a part of; None runs them inline.
        parent: The id that what is called from here has as its parent, if any.
        root: The id of the root that it belongs to, if any.
    """

    __slots__ = ("journal", "parent", "place", "root")

    def __init__(self, caller: Collector | Call | None, place: PlacedRun | None = None) -> None:
        self.place = place
        self.journal: Journal = InnerJournal(caller.journal) if caller else Journal()
        self.parent: int | None = caller.as_parent if caller else None
        self.root: int | None = caller.root if caller else None

    @property
    def as_parent(self) -> int | None:
        """The id that what is called from here has as its parent."""
        return self.parent


class Call:
    """One call of a task, from its beginning, or from when it is queued, to its `end`.

    Attributes:
        place: None: code that runs in this process calls inline, unless it says otherwise.
        returned: What it has returned, in a few words, once that is known.
    """

    place: ClassVar[PlacedRun | None] = None

    __slots__ = (
        "arose",
        "attempts",
        "ended",
        "error",
        "id",
        "inputs",
        "journal",
        "noted",
        "output",
        "parent",
        "returned",
        "root",
        "started",
        "state",
        "task",
        "waiting",
    )

    def __init__(self, number: int, task: str, inputs: str, caller: Collector | Call | None, journal: Journal) -> None:
        self.id, self.task, self.inputs, self.journal = number, task, inputs, journal
        self.parent: int | None = None
        self.root = number
        if caller is not None:
            self.parent = caller.as_parent
            if self.parent is not None and caller.root is not None:
                self.root = caller.root
        self.state, self.error, self.attempts, self.waiting = RunState.RUNNING, "", 1, ""
        self.returned = ""
        self.arose: int | None = None
        self.ended: float | None = None
        self.output: Output | None = None
        self.noted = self.started = time()

    @property
    def as_parent(self) -> int:
        """The id that what is called from here has as its parent."""
        return self.id

    @property
    def target(self) -> str:
        """The name of the target of whose deployed version it is a call; empty if it runs in this process."""
        return ""

    def queue(self, reason: str = "") -> None:
        """Note that the attempt that was to begin waits, and for what: "1 GPU, which ml.train has"."""
        if self.state is not RunState.QUEUED:
            self.attempts -= 1
        self.waiting, self.state = reason, RunState.QUEUED

    def begin(self) -> None:
        """Note that the attempt that was queued begins; with the first, the call has begun."""
        if not self.attempts:
            self.started = time()
        self.state, self.attempts = RunState.RUNNING, self.attempts + 1

    def retry(self, error: BaseException) -> None:
        """Note that an attempt ended by `error` and another will follow."""
        self.state, self.error = RunState.RETRYING, error_text(error)

    def resume(self) -> None:
        """Note that the next attempt begins."""
        self.state, self.attempts = RunState.RUNNING, self.attempts + 1

    def end(self, error: BaseException | None = None) -> None:
        """Note that the call has ended, by `error` if one is given."""
        ended = time()
        if error is None:
            self.state, self.error = RunState.SUCCEEDED, ""
        else:
            said = _said(error)  # this runs code of the user's; who reads meanwhile sees a call that is running
            self.arose = self._place_of(error)
            self.state, self.error = self._end_state(error), said
        self.ended = ended

    def end_cached(self) -> None:
        """Note that an earlier result was used."""
        self.state, self.attempts, self.ended = RunState.CACHED, 0, time()

    def _end_state(self, error: BaseException) -> RunState:
        if isinstance(error, TaskTimeoutError) and error.task == self.task:
            return RunState.TIMED_OUT
        # Cancellation and kernel interrupts end a call from outside; neither is an Exception.
        return RunState.FAILED if isinstance(error, Exception) else RunState.CANCELLED

    def _place_of(self, error: BaseException) -> int:
        """Return the call in which `error` arose: the first it has ended, which is below this one or this itself."""
        known = getattr(error, AROSE, None)
        if isinstance(known, int) and known > self.id:
            return known
        try:
            setattr(error, AROSE, self.id)
        except Exception:  # noqa: BLE001 - an exception of others may refuse anything
            return self.id
        return self.id

    def write(self, stream: str, text: str) -> None:
        """Add to what the call has printed, logged or displayed."""
        if self.output is None:
            from flyte_nb.execution.output import Output

            new = Output()
            with _creating:  # several threads of one call may print at once
                if self.output is None:
                    self.output = new
        self.output.write(stream, text)

    def logs(self, after: int = 0) -> list[LogLine]:
        """Return what the call has printed, logged and displayed, from line number `after` on."""
        return self.output.lines(self.id, self.task, after) if self.output else []

    def excerpt(self, after: int) -> Excerpt | None:
        """Return what `logs` does with where it stands in the whole output, or None if there is no output."""
        return self.output.excerpt(self.id, self.task, after) if self.output else None

    def node(self) -> Node:
        """Return the call as it stands now."""
        state = self.state  # another thread may change it at any moment
        return Node(
            self.id,
            self.parent,
            self.root,
            self.task,
            state,
            utc(self.started),
            None if self.ended is None else utc(self.ended),
            self.error,
            self.attempts,
            self.inputs,
            self.arose,
            self.output.count if self.output else 0,
            self.waiting if state is RunState.QUEUED else "",
            self.returned,
        )


class PlacedCall(Call):
    """A call of a task that runs elsewhere.

    Args:
        target: As below.
        rest: As of any call.
    """

    __slots__ = ("_target",)

    def __init__(self, target: str, *rest: Any) -> None:
        super().__init__(*rest)
        self._target = target

    @property
    def target(self) -> str:
        """The name of the target of whose deployed version it is a call."""
        return self._target


def _said(error: BaseException) -> str:
    """Return what `error` says, if it says more than that somebody has stopped the call."""
    kinds = {kind.__name__ for kind in type(error).__mro__}  # by name: asyncio is not imported for this
    return "" if kinds & _STOPS else error_text(error)
