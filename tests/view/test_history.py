"""Runs of the history and their output as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, cast

import pytest

from flyte_nb.execution.history.records import RecordedRun
from flyte_nb.execution.node import LogLine, RunState
from flyte_nb.view.clock import moment_text
from flyte_nb.view.history import logs_table, runs_table
from flyte_nb.view.table import table_html, table_text

if TYPE_CHECKING:
    from flyte_nb.execution.history.records import Details

BEGIN = datetime(2026, 1, 31, 10, 11, 12, 345_678, tzinfo=timezone.utc)
RUN = RecordedRun(
    "ab12cd34-7",
    "ab12cd34",
    "ml.train",
    RunState.SUCCEEDED,
    BEGIN,
    BEGIN + timedelta(seconds=1.5),
    12_345,
    "",
    "",
    cast("Details", None),
)


def line(number: int, text: str = "text", task: str = "ml.train", stream: str = "stdout") -> LogLine:
    return LogLine(number, task, BEGIN, stream, text)


def test_a_run_is_a_row() -> None:
    """Name, task, state with its glyph, time, duration, calls and error."""
    (row,) = runs_table([RUN]).rows
    assert row[:3] == ("ab12cd34-7", "ml.train", "✓ succeeded")
    assert row[3] == moment_text(BEGIN)
    assert row[4:] == ("1.500 s", "12,345", "–")


HERE, AWAY = "flyte:a/b@here", "flyte:a/b@away"


@pytest.mark.parametrize(
    ("targets", "shown"),
    [
        (["", ""], None),
        (["", None], None),
        (["", "local", None], ["inline", "local", "–"]),
        ([HERE, "", HERE], ["flyte", "inline", "flyte"]),
        ([HERE, AWAY, "local"], [HERE, AWAY, "local"]),
    ],
)
def test_where_runs_ran_is_said_where_it_tells_something(targets: list[str | None], shown: list[str] | None) -> None:
    """Runs of kernels only have no such column; several clusters are named; what is not known is not claimed."""
    table = runs_table([replace(RUN, target=target) for target in targets])
    assert [row[2] for row in table.rows] == shown if shown else "on" not in table.columns
    assert ("on" in table.columns) == bool(shown)


@pytest.mark.parametrize("state", list(RunState))
def test_every_state_has_its_own_word(state: RunState) -> None:
    """What a run can be in is told by the word that filters take."""
    table = runs_table([replace(RUN, state=state)])
    assert table.rows[0][2].endswith(f" {state.value}")
    assert table.caption == f"Runs: 1 {state.value}"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0004, "0.000 s"),
        (59.9, "59.900 s"),
        (59.9996, "1 min 00 s"),
        (60, "1 min 00 s"),
        (754.6, "12 min 35 s"),
        (3_599.9, "1 h 00 min"),
        (3_600, "1 h 00 min"),
        (90_061, "25 h 01 min"),
    ],
)
def test_durations_read_well(seconds: float, shown: str) -> None:
    """Short ones have milliseconds, long ones do not."""
    assert runs_table([replace(RUN, ended=BEGIN + timedelta(seconds=seconds))]).rows[0][4] == shown


def test_a_run_that_goes_on_has_no_duration() -> None:
    """What has not ended is told by its state."""
    assert runs_table([replace(RUN, state=RunState.RUNNING, ended=None)]).rows[0][4] == "–"


def test_no_runs_say_what_to_do() -> None:
    """An empty table is no dead end."""
    shown = table_text(runs_table([]))
    assert "Runs: none" in shown
    assert "%flyte_runs?" in shown


def test_ids_tell_calls_of_one_task_apart() -> None:
    """A task of which several calls have written is shown with their ids, another without."""
    table = logs_table(RUN, [line(1, task="ml.root"), line(2), line(3), line(3)])
    assert [row[1] for row in table.rows] == ["ml.root", "ml.train #2", "ml.train #3", "ml.train #3"]
    assert table.caption == "Output of ab12cd34-7, ml.train, succeeded: 4 lines"


def test_of_many_lines_the_last_are_shown() -> None:
    """The end of a long output is what is looked for; the count says how much there is before it."""
    table = logs_table(RUN, [line(1, f"line {number}") for number in range(1_000)])
    for shown in (table_text(table, whole=True), table_html(table, whole=True)):
        assert "line 999" in shown
        assert "line 0<" not in shown
        assert "earlier" in shown
        assert "1,000 lines" in shown


@pytest.mark.parametrize(("state", "said"), [(RunState.SUCCEEDED, "%flyte_runs"), (RunState.RUNNING, "Ask again")])
def test_no_lines_say_what_to_do(state: RunState, said: str) -> None:
    """An empty output says what to do next."""
    assert said in table_text(logs_table(replace(RUN, state=state), []))


def test_output_is_escaped() -> None:
    """What tasks print cannot act."""
    hostile: Any = "<script>alert(1)</script>\x1b[2J\u202eabc"
    table = logs_table(replace(RUN, task=hostile), [line(1, hostile, hostile, hostile)])
    html, text = table_html(table, whole=True), table_text(table, whole=True)
    assert "<script>" not in html
    for shown in (html, text, table_html(runs_table([replace(RUN, error=hostile)]))):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
