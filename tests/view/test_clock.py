"""Every view tells time in one way: that of this machine, with its time zone."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import cast

import pytest

from flyte_nb.deployment.applying.status import State
from flyte_nb.deployment.keeping.locking import Holder
from flyte_nb.deployment.keeping.recorded import DeploymentLine
from flyte_nb.errors import DeploymentLockedError
from flyte_nb.execution.node import LogLine
from flyte_nb.liveness import SessionRecord
from flyte_nb.view.clock import clock_head, clock_text, moment_text
from flyte_nb.view.deployments import deployment_table
from flyte_nb.view.history import logs_table, runs_table
from flyte_nb.view.past_deployments import deployments_table, past_deployment_table, said_table
from flyte_nb.view.widgets.deployment import DeploymentWidget

from .deployments import progress, status, step
from .test_history import RUN
from .test_past_deployments import make

NOON = datetime(2026, 5, 4, 12, 0, 1, 250_000, tzinfo=timezone.utc)
pytestmark = pytest.mark.usefixtures("berlin")


def test_moments_name_their_time_zone() -> None:
    """In summer it is another than in winter."""
    assert moment_text(NOON) == "2026-05-04 14:00:01 CEST"
    assert moment_text(NOON.replace(month=1)) == "2026-01-04 13:00:01 CET"
    assert (clock_head("time", NOON), clock_text(NOON)) == ("time (CEST)", "14:00:01.250")
    assert clock_head("time", None) == "time"


def test_tables_of_deployments_and_runs_agree() -> None:
    """A deployment and its log, a run and its output."""
    deployment, lines = make(started=NOON), [DeploymentLine("base", NOON, "text")]
    assert deployments_table([deployment]).rows[0][4] == "2026-05-04 14:00:01 CEST"
    assert "2026-05-04 14:00:01 CEST" in past_deployment_table(deployment, ()).caption
    assert (said_table(deployment, lines).columns[0], said_table(deployment, lines).rows[0][0]) == (
        "time (CEST)",
        "14:00:01.250",
    )
    assert runs_table([RUN]).rows[0][3] == "2026-01-31 11:11:12 CET"
    printed = logs_table(RUN, [LogLine(1, "ml.train", NOON, "stdout", "text")])
    assert (printed.columns[0], printed.rows[0][0]) == ("time (CEST)", "14:00:01.250")


def test_what_goes_on_agrees() -> None:
    """The table that stays, the live view, and what is told of whoever deploys already."""
    one = status("base", State.SUCCEEDED, 0.5, 1.75)
    assert one.started
    told = f"{clock_text(one.started)} CET"
    table = deployment_table("local", [one])
    assert f"{table.rows[0][2]} {table.columns[2].removeprefix('started ')}" == told.replace("CET", "(CET)")
    known = progress(step("base"))
    known.note(one)
    widget = DeploymentWidget(known, "host")
    try:
        facts = cast("dict[str, dict[str, str]]", widget._facts)
        assert [fact["at"] for fact in facts.values()] == [told]
    finally:
        widget.close()
    holder = Holder("local", SessionRecord.of_this_process("x"), "churn.ipynb", NOON)
    assert str(holder).endswith("since 14:00:01 CEST")
    assert "since 14:00:01 CEST," in str(DeploymentLockedError("local", holder.who, NOON))
