"""Deployments as pictures and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from flyte_nb.view.bars import Bar, with_bars
from flyte_nb.view.clock import clock_head, clock_text
from flyte_nb.view.durations import duration_text, took_text
from flyte_nb.view.picture import Node, Picture
from flyte_nb.view.plans import SIDES, plan_edges, remark_details, subtitle
from flyte_nb.view.states import STATES, state_text, tally, tally_text
from flyte_nb.view.table import MOST_ROWS_TEXT, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from flyte_nb.deployment.applying.status import EnvironmentStatus
    from flyte_nb.deployment.planning.plan import Step
    from flyte_nb.view.deployment_progress import DeploymentProgress

__all__ = ["deployment_picture", "deployment_table", "in_order_to_show"]

S = TypeVar("S", bound="EnvironmentStatus")

_FEWEST_BARS = 2
_NONE = "–"
_URGENCY = {state: position for position, state in enumerate(STATES)}
# As long as the subtitles are while the deployment goes on.
_ROOM = "attempt 2 · 12.345 s"


def deployment_picture(progress: DeploymentProgress) -> Picture:
    """Return the graph of a deployment, each environment in its state, with how long it took."""
    steps, statuses = progress.plan.steps, progress.statuses
    nodes = tuple(_node(step, progress) if step.name in statuses else _left_out(step) for step in steps)
    return Picture(nodes, plan_edges(progress.plan), room=_ROOM, sides=SIDES)


def deployment_table(
    target: str, statuses: Collection[EnvironmentStatus], name: str = "", seconds: float | None = None
) -> Table:
    """Return where each environment of a deployment stands, a row each; of many, the most urgent come first.

    Args:
        target: Where it is deployed.
        statuses: The environments.
        name: What the history calls the deployment.
        seconds: How long it took; None while it goes on.
    """
    repeated = any(status.attempt > 1 for status in statuses)
    shown = in_order_to_show(statuses)
    rows = tuple(
        (
            status.name,
            state_text(status.state.value),
            *((f"{status.attempt or _NONE}",) if repeated else ()),
            clock_text(status.started) if status.started else _NONE,
            took_text(status.duration),
            status.error or _NONE,
        )
        for status in shown
    )
    started = clock_head("started", next((status.started for status in shown if status.started), None))
    columns = ("environment", "state", *(("attempt",) if repeated else ()), started, "took", "error")
    return Table(columns, rows, _caption(target, shown, name, seconds), bars=_bars(shown))


def _bars(statuses: Sequence[EnvironmentStatus]) -> tuple[Bar | None, ...]:
    """Return the bars of those that began, unless one is alone: it would tell nothing."""
    named = with_bars(statuses)
    began = min((status.started for status in statuses if status.started), default=None)
    if began is None or len(named) < _FEWEST_BARS:
        return ()

    def bar(status: EnvironmentStatus) -> Bar | None:
        if status.name not in named or status.started is None or began is None:
            return None
        ended = None if status.ended is None else (status.ended - began).total_seconds()
        return Bar(status.state.value, (status.started - began).total_seconds(), ended)

    return tuple(map(bar, statuses))


def in_order_to_show(statuses: Collection[S]) -> list[S]:
    """Return `statuses` as the rows of a table: where there are too many for all to be read, the most urgent first."""
    many = len(statuses) > MOST_ROWS_TEXT
    return sorted(statuses, key=lambda status: _URGENCY[status.state.value] if many else 0)


def _caption(target: str, statuses: Collection[EnvironmentStatus], name: str, seconds: float | None) -> str:
    counts = tally_text(tally(status.state.value for status in statuses)) or "nothing to deploy"
    took = "" if seconds is None else f" in {duration_text(seconds)}"
    return f"{' '.join(filter(None, ('Deployment', name)))} to {target}: {counts}{took}"


def _node(step: Step, progress: DeploymentProgress) -> Node:
    status = progress.statuses[step.name]
    took = f" · {took_text(status.duration)}" if status.duration is not None else ""
    reason = (("changes", subtitle(step)),) if step.changes else ()
    details = (("action", step.action.value), *reason, *remark_details(step))
    return Node(step.name, status.state.value, f"{progress.word(step.name)}{took}", details)


def _left_out(step: Step) -> Node:
    return Node(step.name, step.action.value, step.problem)
