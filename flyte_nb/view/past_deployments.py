"""The history of deployments as tables: the deployments, and the environments and the log of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.deployment.applying.status import State
from flyte_nb.view.clock import clock_head, clock_text, moment_text
from flyte_nb.view.deployments import in_order_to_show
from flyte_nb.view.durations import duration_text, took_text
from flyte_nb.view.states import STATES, counts_text, state_text, tally, tally_text
from flyte_nb.view.table import Table

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from flyte_nb.deployment.keeping.recorded import DeploymentLine, RecordedDeployment, RecordedEnvironment

__all__ = ["deployments_table", "past_deployment_table", "said_table"]

_NONE = "–"
_SHORT = 12  # characters of a fingerprint


def deployments_table(deployments: Collection[RecordedDeployment]) -> Table:
    """Return `deployments`, a row each."""
    rows = tuple(
        (
            deployment.name,
            deployment.kind,
            deployment.target,
            _state(deployment.state),
            moment_text(deployment.started),
            took_text(deployment.duration),
            tally_text(deployment.counts) or "nothing",
            _file_name(deployment.origin),
        )
        for deployment in deployments
    )
    counts = counts_text(tally(deployment.status for deployment in deployments))
    note = (
        "" if deployments else "There are no such deployments. %flyte_deploy deploys; %flyte_deployments? shows more."
    )
    columns = ("deployment", "kind", "target", "state", "started", "took", "environments", "from")
    return Table(columns, rows, f"Deployments: {counts or 'none'}", note)


def past_deployment_table(deployment: RecordedDeployment, environments: Sequence[RecordedEnvironment]) -> Table:
    """Return `environments`, which are those of `deployment`, a row each; of many, the most urgent come first."""
    rows = tuple(
        (
            one.name,
            one.action,
            state_text(one.state.value),
            _versions(one),
            str(one.attempt) if one.attempt > 1 else _NONE,
            took_text(one.duration),
            one.error or _NONE,
        )
        for one in in_order_to_show(environments)
    )
    what = "Rollback" if deployment.kind == "rollback" else "Deployment"
    end = deployment.status + ("" if deployment.duration is None else f" in {duration_text(deployment.duration)}")
    counts = tally_text(tally(one.state.value for one in environments))
    told = f"{end}: {counts}" if counts else end
    caption = f"{what} {deployment.name} to {deployment.target}, {moment_text(deployment.started)}: {told}"
    columns = ("environment", "action", "state", "version", "attempt", "took", "error")
    return Table(columns, rows, caption, _advice(deployment))


def said_table(deployment: RecordedDeployment, lines: Sequence[DeploymentLine]) -> Table:
    """Return `lines`, which the environments of `deployment` have said, a row each."""
    rows = tuple((clock_text(line.time), line.environment, line.text) for line in lines)
    count = f"{len(lines):,} lines" if len(lines) > 1 else "1 line" if lines else "nothing"
    columns = (clock_head("time", lines[0].time if lines else None), "environment", "text")
    return Table(columns, rows, f"Log of {deployment.name}: {count}", from_end=True)


def _state(state: State) -> str:
    return f"{STATES[state.value].glyph} {state.value}"


def _versions(one: RecordedEnvironment) -> str:
    before, after = one.previous[:_SHORT], one.fingerprint[:_SHORT]
    return after if before == after else f"{before or _NONE} → {after or _NONE}"


def _advice(deployment: RecordedDeployment) -> str:
    if deployment.state is State.RUNNING:
        return "It goes on. Ask again when it has ended."
    if deployment.state is State.SUCCEEDED:
        return f"%flyte_rollback {deployment.name} brings these versions back."
    return f"Deploy again to complete it; %flyte_rollback {deployment.name} brings back what was deployed then."


def _file_name(origin: str) -> str:
    return origin.replace("\\", "/").rstrip("/").rpartition("/")[2] or _NONE
