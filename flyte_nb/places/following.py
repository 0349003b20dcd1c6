"""Following a run on a cluster: what becomes of its actions is noted with calls of this session, and what they write.

The cluster is asked again and again, rather than listened to: what happened while it was out of reach is in the next
answer.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

from flyte_nb.errors import ClusterError
from flyte_nb.execution.node import RunState
from flyte_nb.places.cluster_errors import error_of_action
from flyte_nb.places.cluster_logs import ClusterLogs
from flyte_nb.places.cluster_values import ClusterValues
from flyte_nb.sdk.failures import is_passing, what_it_says
from flyte_nb.sdk.running import ROOT, actions_of, result_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from flyte_nb.execution.call import Call
    from flyte_nb.execution.runner import Runner
    from flyte_nb.sdk.running import Action

__all__ = ["Following"]

_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.3, 8.0
_LAST_LOOKS = 4
# We spend at most this part of the time on asking, and the cluster on answering.
_ASKING = 0.2

_WAITING_FOR = {
    "queued": "the cluster",
    "waiting_for_resources": "resources of the cluster",
    "initializing": "its container",
    "paused": "somebody to go on",
}
_SUCCEEDED = ("succeeded", "recovered")


class Following:
    """A run that is followed.

    Args:
        runner: Notes every call.
        run: What the cluster calls the run.
        root: The call of the task that was run, which whoever follows ends.
        function: The function of that task, whose annotation says what type its result has; None guesses.
        say: Takes lines for people to read.
        is_known: Whether it is known what the root was called with.
    """

    def __init__(
        self,
        runner: Runner,
        run: str,
        root: Call,
        function: Callable[..., Any] | None,
        say: Callable[[str], None],
        *,
        is_known: bool,
    ) -> None:
        self._runner, self._run, self._root, self._function, self._say = runner, run, root, function, say
        self._calls = {ROOT: root}
        self._callers = {ROOT: root}  # with actions that are no calls of a task, such as traces
        self._errors: list[BaseException] = []
        self._logs, self._values = ClusterLogs(run), ClusterValues(run, runner.tell)
        if not is_known:
            self._values.read_inputs(ROOT, root)

    async def result(self) -> Any:
        """Follow the run to its end, and return what it gives.

        Raises:
            RemoteError: The task has raised something; of a type of Python's own, it is that which is raised.
            ClusterError: The cluster does not say, or somebody has aborted the run.
        """
        __tracebackhide__ = True
        try:
            root = await self._ended()
            await asyncio.gather(self._logs.quiet(), self._last_looks())
            await self._values.settled()  # with what the last looks have found; it is being read meanwhile
            self._end_all(asyncio.CancelledError())
        except BaseException as error:
            self._end_all(error)
            raise
        finally:
            self._logs.close()
            self._values.close()
        if root.phase not in _SUCCEEDED:
            raise await self._error(root)
        result = await result_of(self._run, self._function)
        self._end(root, self._root)
        return result

    async def _last_looks(self) -> None:
        """Note what becomes of calls whose caller has not waited for them: the cluster aborts them with the run."""
        for _ in range(_LAST_LOOKS):
            if not self._under_way():
                return
            await asyncio.sleep(_SHORTEST_SECONDS)
            with suppress(Exception):  # the run has ended, whatever the cluster says now
                await self._look()

    def _under_way(self) -> list[Call]:
        return [call for call in self._calls.values() if call is not self._root and call.ended is None]

    def _end_all(self, error: BaseException) -> None:
        """Note that nothing of the run goes on, as far as one can see from here."""
        for call in self._under_way():
            call.end(error)
            self._runner.tell(call)

    async def _ended(self) -> Action:
        """Note what happens until the root has ended, and return it."""
        wait, is_lost = 0.0, False
        while True:
            await asyncio.sleep(wait)
            begun = monotonic()
            try:
                root = await self._look()
            except Exception as error:
                if not is_passing(error):
                    raise ClusterError(self._run, what_it_says(error)) from error
                if not is_lost:
                    self._say(f"the cluster is out of reach ({what_it_says(error)}); the run goes on there")
                is_lost, wait = True, min(max(wait, _SHORTEST_SECONDS) * 2, _LONGEST_SECONDS)
                continue
            if is_lost:
                self._say("the cluster is back")
            if root is not None and root.ended is not None:
                return root
            is_lost, wait = False, max(_SHORTEST_SECONDS, (monotonic() - begun) / _ASKING)

    async def _look(self) -> Action | None:
        """Note how the actions stand now, and return the root, if it is there."""
        root = None
        for action in await actions_of(self._run):
            root = action if action.name == ROOT else root
            call = self._calls.get(action.name) or self._new_call(action)
            if call is not None and call.ended is None:
                await self._note(action, call)
        return root

    def _new_call(self, action: Action) -> Call | None:
        caller = self._callers.get(action.parent)
        if caller is None:
            return None  # it comes with the next answer
        if not action.task:
            self._callers[action.name] = caller
            return None
        call = self._runner.noted_elsewhere(action.task, caller)
        self._calls[action.name] = self._callers[action.name] = call
        self._values.read_inputs(action.name, call)
        return call

    async def _note(self, action: Action, call: Call) -> None:
        if action.attempts and action.phase not in _WAITING_FOR:
            self._logs.follow(action.name, action.attempts, call)
        if action.ended is None:
            changed = _goes_on(action, call)
        else:
            changed = call is not self._root
            if changed and action.phase not in _SUCCEEDED:
                self._errors.append(await self._error(action))
                self._end(action, call, self._errors[-1])
            elif changed:
                self._end(action, call)
                self._values.read_result(action.name, call)
        if changed:
            self._runner.tell(call)

    def _end(self, action: Action, call: Call, error: BaseException | None = None) -> None:
        """Note that an action has ended, when it has; a call that was followed late began before."""
        call.started, call.attempts = action.started, action.attempts
        if error is None and action.cached:
            call.end_cached()
        else:
            call.end(error)
        call.ended = action.ended

    async def _error(self, action: Action) -> BaseException:
        """Return what an action has ended with; what it has not caught of one that it called is the same error."""
        error = await error_of_action(self._run, action)
        same = (each for each in self._errors if type(each) is type(error) and str(each) == str(error))
        return next(same, error)


def _goes_on(action: Action, call: Call) -> bool:
    """Note how an action stands that has not ended, and say whether that is news."""
    waiting_for = _WAITING_FOR.get(action.phase)
    before = call.state, call.waiting, call.attempts
    if waiting_for is None:
        call.started = action.started
        call.state, call.waiting, call.attempts = RunState.RUNNING, "", action.attempts
    elif call.state is RunState.QUEUED:
        call.waiting = waiting_for
    else:
        call.state = RunState.RETRYING
    return before != (call.state, call.waiting, call.attempts)
