"""The history of deployments as tables: what stands in them, and that nothing in them is taken for HTML."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, cast

from flyte_nb.deployment.applying.status import State
from flyte_nb.deployment.keeping.recorded import DeploymentLine, RecordedDeployment, RecordedEnvironment
from flyte_nb.view.past_deployments import deployments_table, past_deployment_table, said_table
from flyte_nb.view.table import table_html, table_text

if TYPE_CHECKING:
    from flyte_nb.deployment.keeping.recorded import Details

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=timezone.utc)


def make(**fields: Any) -> RecordedDeployment:
    known = {
        "name": "d12",
        "target": "local",
        "kind": "deploy",
        "origin": "/work/deep/churn.ipynb",
        "state": State.SUCCEEDED,
        "started": NOON,
        "ended": NOON + timedelta(seconds=2.5),
        "counts": {"unchanged": 3, "failed": 1, "succeeded": 2},
    }
    return RecordedDeployment(**{**known, **fields}, _details=cast("Details", None))


def test_each_deployment_is_a_row() -> None:
    """Name, kind, target, state, times, counts with the urgent first, and the file it came from."""
    (row,) = deployments_table([make()]).rows
    assert row[:4] == ("d12", "deploy", "local", "✓ succeeded")
    assert row[5:] == ("2.500 s", "1 failed, 3 unchanged, 2 deployed", "churn.ipynb")


def test_what_has_no_end_or_origin_has_a_dash() -> None:
    """A lost deployment took nobody knows how long; one of a terminal comes from no file."""
    (row,) = deployments_table([make(state=State.LOST, ended=None, origin="", counts={})]).rows
    assert row[3] == "∅ lost"
    assert row[5:] == ("–", "nothing", "–")


def test_nothing_is_said_with_advice() -> None:
    """An empty history says how to get one."""
    table = deployments_table([])
    assert table.caption == "Deployments: none"
    assert "%flyte_deploy" in table.note


def test_the_environments_of_one() -> None:
    """Each with what was done, its versions, attempts, time and error; the caption says how it ended."""
    environments = (
        RecordedEnvironment("base", State.UNCHANGED, action="unchanged", fingerprint="a" * 64, previous="a" * 64),
        RecordedEnvironment(
            "ml", State.FAILED, NOON, NOON + timedelta(seconds=1), "no room", 3, "update", "b" * 64, "c" * 64
        ),
        RecordedEnvironment("old", State.REMOVED, action="remove", previous="d" * 64),
        RecordedEnvironment("new", State.SUCCEEDED, action="create", fingerprint="e" * 64),
    )
    table = past_deployment_table(make(state=State.FAILED), environments)
    assert table.caption.startswith("Deployment d12 to local, 2026-05-04 ")
    assert table.caption.endswith(": failed in 2.500 s: 1 failed, 1 unchanged, 1 deployed, 1 removed")
    assert table.rows == (
        ("base", "unchanged", "= unchanged", "a" * 12, "–", "–", "–"),
        ("ml", "update", "✗ failed", f"{'c' * 12} → {'b' * 12}", "3", "1.000 s", "no room"),
        ("old", "remove", "⊖ removed", f"{'d' * 12} → –", "–", "–", "–"),
        ("new", "create", "✓ deployed", f"– → {'e' * 12}", "–", "–", "–"),
    )
    assert "%flyte_rollback d12" in table.note


def test_the_one_of_thousands_that_failed_is_shown() -> None:
    """In text and in HTML it comes first, and the caption counts them all."""
    environments = [RecordedEnvironment(f"n{at}", State.SUCCEEDED, NOON, NOON) for at in range(2_000)]
    environments[1_234] = RecordedEnvironment("n1234", State.FAILED, NOON, NOON, "no room")
    table = past_deployment_table(make(state=State.FAILED), environments)
    assert table_text(table).splitlines()[3].split()[0] == "n1234"
    assert table.caption.endswith("1 failed, 1,999 deployed")


def test_a_deployment_that_goes_on_says_so() -> None:
    """It cannot be gone back to yet."""
    table = past_deployment_table(make(state=State.RUNNING, ended=None, kind="rollback"), ())
    assert table.caption.startswith("Rollback d12")
    assert table.caption.endswith("running")
    assert "%flyte_rollback" not in table.note


def test_the_log_is_read_in_order() -> None:
    """Time, environment and text of each line; where there are too many, the last are shown."""
    lines = [DeploymentLine("base", NOON, f"line {number}") for number in range(1_000)]
    table = said_table(make(), lines)
    assert table.caption == "Log of d12: 1,000 lines"
    assert "line 999" in table_text(table)
    assert "line 0\n" not in table_text(table)
    assert said_table(make(), []).caption == "Log of d12: nothing"


def test_nothing_is_taken_for_html() -> None:
    """Errors, lines, names and paths are shown as they are."""
    evil = "<img src=x onerror=alert(1)>\x1b[31m\u202e"
    one = RecordedEnvironment(evil, State.FAILED, error=evil)
    tables = (
        deployments_table([make(origin=f"/work/{evil}", target=evil)]),
        past_deployment_table(make(target=evil), [one]),
        said_table(make(), [DeploymentLine(evil, NOON, evil)]),
    )
    for table in tables:
        assert "<img" not in table_html(table)
        assert not {"\x1b", "\u202e"} & set(table_html(table) + table_text(table))
