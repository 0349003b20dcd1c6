"""The history of runs as tables: the runs, and what the calls of one have printed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flyte_nb.view.clock import clock_head, clock_text, moment_text
from flyte_nb.view.durations import duration_text
from flyte_nb.view.states import STATES, counts_text, tally
from flyte_nb.view.table import MOST_ROWS_TEXT, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from flyte_nb.execution.history.records import RecordedRun
    from flyte_nb.execution.node import LogLine

__all__ = ["logs_table", "runs_table"]

_NONE = "–"


def runs_table(runs: Collection[RecordedRun]) -> Table:
    """Return `runs`, a row each; where they ran is said if one of them did not run in its kernel."""
    places = _places(runs)
    rows = tuple(
        (
            run.name,
            run.task,
            *([places[run.target] or _NONE] if places else []),
            f"{STATES[run.state.value].glyph} {run.state.value}",
            moment_text(run.started),
            _NONE if run.duration is None else duration_text(run.duration),
            f"{run.calls:,}",
            run.error or _NONE,
        )
        for run in runs
    )
    counts = counts_text(tally(run.state.value for run in runs))
    note = "" if runs else "There are no such runs. Run a task, or ask for others: %flyte_runs? shows how."
    columns = ("run", "task", *(["on"] if places else []), "state", "started", "took", "calls", "error")
    return Table(columns, rows, f"Runs: {counts or 'none'}", note)


def _places(runs: Collection[RecordedRun]) -> dict[str | None, str]:
    """Return what to call each target of `runs`; nothing if all ran in their kernels. Several clusters have names."""
    places = {run.target: run.place for run in runs}
    if not any(places):
        return {}
    clusters = [target for target in places if target and ":" in target]
    return {**places, **{target: target for target in clusters}} if len(clusters) > 1 else places


def logs_table(run: RecordedRun, lines: Sequence[LogLine]) -> Table:
    """Return `lines`, which are of `run`, a row each; a task of which several calls have lines has their ids."""
    calls = Counter(task for task, _ in {(line.task, line.node) for line in lines})
    rows = tuple(
        (
            clock_text(line.time),
            line.task if calls[line.task] == 1 else f"{line.task} #{line.node}",
            line.stream,
            line.text,
        )
        for line in lines
    )
    count = f"{len(lines):,} lines" if len(lines) > 1 else "1 line" if lines else "nothing"
    caption = f"Output of {run.name}, {run.task}, {run.state.value}: {count}"
    columns = (clock_head("time", lines[0].time if lines else None), "task", "stream", "text")
    return Table(columns, rows, caption, _advice(run, len(lines)), from_end=True)


def _advice(run: RecordedRun, lines: int) -> str:
    if lines > MOST_ROWS_TEXT:
        return f'All of it as data: next(run for run in flyte_nb.runs() if run.name == "{run.name}").logs'
    if lines:
        return ""
    if run.state.is_final:
        return "Its tasks have printed, logged and displayed nothing of that kind. %flyte_runs lists the other runs."
    return "Its tasks have printed, logged and displayed nothing of that kind yet. Ask again when they have."
