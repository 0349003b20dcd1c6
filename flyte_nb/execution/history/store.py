"""The database of runs: a row for each session, run, call and line of output.

Rows go in many to a statement: between two statements the thread that writes may have to wait for one that computes.
"""

from __future__ import annotations

import sys
from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from flyte_nb.database import Connection, Database
from flyte_nb.execution.clock import utc
from flyte_nb.execution.history.records import RecordedRun, RecordedRuns
from flyte_nb.execution.node import LogLine, Node, RunState
from flyte_nb.liveness import SessionRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from flyte_nb.execution.history.heads import RunHead
    from flyte_nb.execution.history.records import RunFilter

__all__ = ["Batch", "RunStore"]

T = TypeVar("T")

_FIRST = (
    """
    CREATE TABLE session (
        name TEXT PRIMARY KEY, machine TEXT NOT NULL, pid INTEGER NOT NULL, began TEXT NOT NULL, sign REAL NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE run (
        name TEXT PRIMARY KEY, session TEXT NOT NULL, root INTEGER NOT NULL, task TEXT NOT NULL, state TEXT NOT NULL,
        started REAL NOT NULL, ended REAL, calls INTEGER NOT NULL, error TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX run_by_time ON run (started, root, ended, session)",
    """
    CREATE TABLE node (
        run TEXT NOT NULL, id INTEGER NOT NULL, parent INTEGER, root INTEGER NOT NULL, task TEXT NOT NULL,
        state TEXT NOT NULL, started REAL NOT NULL, ended REAL, error TEXT NOT NULL, attempts INTEGER NOT NULL,
        inputs TEXT NOT NULL, arose INTEGER, lines INTEGER NOT NULL,
        PRIMARY KEY (run, id)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE line (
        run TEXT NOT NULL, node INTEGER NOT NULL, number INTEGER NOT NULL, task TEXT NOT NULL, time REAL NOT NULL,
        stream TEXT NOT NULL, text TEXT NOT NULL,
        PRIMARY KEY (run, node, number)
    ) WITHOUT ROWID
    """,
)
# Of what was written before, nobody knows where it ran.
_SECOND = ("ALTER TABLE run ADD COLUMN target TEXT",)
# Nor what its calls returned.
_THIRD = ("ALTER TABLE node ADD COLUMN returned TEXT NOT NULL DEFAULT ''",)
_BUSY_SECONDS = 5.0
# Of so many runs that have ended, what was read last is kept.
_READ_ONCE = 8
# SQLite before 3.32 takes no more values in one statement.
_MOST_VALUES = 999

# Begun and not ended; "lost" is what such a run of a session that is gone is called.
_STATE = "CASE WHEN ended IS NULL AND is_gone(session) THEN 'lost' ELSE state END"
_FUNCTION, _ENVIRONMENT = "substr(task, instr(task, '.') + 1)", "substr(task, 1, instr(task, '.') - 1)"
# As `RecordedRun.place` has it.
_PLACE = "CASE WHEN target = '' THEN 'inline' ELSE substr(target || ':', 1, instr(target || ':', ':') - 1) END"
_CALLS = """
SELECT substr(p.task, 1, instr(p.task, '.') - 1) AS caller, substr(n.task, 1, instr(n.task, '.') - 1) AS called,
count(*) FROM node AS n JOIN node AS p ON p.run = n.run AND p.id = n.parent
WHERE n.run IN ({}) GROUP BY caller, called HAVING caller <> called ORDER BY caller, called
"""
_TOO_OLD = (
    "SELECT name FROM run WHERE ended IS NOT NULL OR may_be_forgotten(session) "
    "ORDER BY started DESC, root DESC LIMIT -1 OFFSET ?"
)


@dataclass(slots=True)
class Batch:
    """What is new of several runs, to be written at once.

    Attributes:
        runs: The runs.
        nodes: The name of the run of each call, and the call.
        lines: The name of the run of each line, its number in the output of its call, and the line.
        dropped: The name of a run, the id of a call, and the number of the first line of its output that is kept.
    """

    runs: list[RunHead] = field(default_factory=list)
    nodes: list[tuple[str, Node]] = field(default_factory=list)
    lines: list[tuple[str, int, LogLine]] = field(default_factory=list)
    dropped: list[tuple[str, int, int]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.runs or self.nodes or self.lines)


class RunStore:
    """The runs in the folder `home`. Several sessions may write to it at once, each its own runs.

    Args:
        home: The folder.
        session: The name of the session that writes and reads here, which is not gone as long as it asks.
    """

    def __init__(self, home: Path, session: str) -> None:
        self._session = session
        self._read: dict[tuple[str, str], tuple[Any, ...]] = {}
        # A machine that loses its power may take the last moments with it; waiting for its disk is not worth that.
        self._database = Database(home / "runs.sqlite3", [_FIRST, _SECOND, _THIRD], _BUSY_SECONDS, synced=False)

    @property
    def exists(self) -> bool:
        """Whether anything was ever written."""
        return self._database.path.exists()

    def write(self, batch: Batch, keep: int) -> None:
        """Write `batch`, with a sign of life of this session; of the runs that have ended, keep the last `keep`.

        Raises:
            StateError: The database cannot be written; nothing was.
        """
        sessions = [self._session_row()]
        runs = [_run_row(self._session, head) for head in batch.runs]
        nodes = [_node_row(run, node) for run, node in batch.nodes]
        lines = [_line_row(run, number, line) for run, number, line in batch.lines]
        with self._database.transaction() as connection:
            for table, rows in (("session", sessions), ("run", runs), ("node", nodes), ("line", lines)):
                _put(connection, table, rows)
            connection.executemany("DELETE FROM line WHERE run = ? AND node = ? AND number < ?", batch.dropped)
            if any(head.ended is not None for head in batch.runs):
                self._prune(connection, keep)

    def give_sign(self) -> None:
        """Write that this session lives.

        Raises:
            StateError: The database cannot be written.
        """
        with self._database.connected() as connection:
            _put(connection, "session", [self._session_row()])

    def _session_row(self) -> tuple[Any, ...]:
        return astuple(SessionRecord.of_this_process(self._session))

    def prune(self, keep: int) -> None:
        """Forget the oldest of the runs that have ended, and keep the last `keep` of them.

        Raises:
            StateError: The database cannot be written.
        """
        if self.exists:
            with self._database.transaction() as connection:
                self._prune(connection, keep)

    def _prune(self, connection: Connection, keep: int) -> None:
        keep = min(keep, sys.maxsize)
        self._tell_gone(connection)
        if connection.execute(_TOO_OLD, (keep,)).fetchone():
            for table, key in (("line", "run"), ("node", "run"), ("run", "name")):
                connection.execute(f"DELETE FROM {table} WHERE {key} IN ({_TOO_OLD})", (keep,))  # noqa: S608
            connection.execute(
                "DELETE FROM session WHERE name NOT IN (SELECT session FROM run) AND name <> ?", (self._session,)
            )

    def _tell_gone(self, connection: Connection) -> None:
        """Let statements ask `is_gone(session)` and `may_be_forgotten(session)`."""
        columns = "name, machine, pid, began, sign"
        rows = connection.execute(
            f"SELECT {columns} FROM session WHERE name IN (SELECT session FROM run WHERE ended IS NULL) AND name <> ?",  # noqa: S608
            (self._session,),
        )
        records = [SessionRecord(*row) for row in rows]
        gone = {record.name for record in records if record.is_gone}
        forgotten = {record.name for record in records if record.may_be_forgotten}
        connection.create_function("is_gone", 1, gone.__contains__)
        connection.create_function("may_be_forgotten", 1, forgotten.__contains__)

    def runs(self, wanted: RunFilter) -> RecordedRuns:
        """Return the runs that `wanted` describes, the newest first.

        Raises:
            StateError: The database cannot be read.
        """
        conditions: list[str] = ["started >= ?"]
        values: list[Any] = [wanted.since]
        if wanted.task is not None:
            conditions.append(f"? IN (task, {_FUNCTION}, {_ENVIRONMENT})")
            values.append(wanted.task)
        if wanted.session is not None:
            conditions.append("session = ?")
            values.append(wanted.session)
        if wanted.place is not None:
            conditions.append(f"{_PLACE} = ?")
            values.append(wanted.place)
        if wanted.states:
            conditions.append(f"{_STATE} IN ({_marks(len(wanted.states))})")
            values += [state.value for state in wanted.states]
        return self._runs(" AND ".join(conditions), [*values, wanted.limit])

    def run(self, name: str) -> RecordedRun | None:
        """Return the run of that name, or None.

        Raises:
            StateError: The database cannot be read.
        """
        return next(iter(self._runs("name = ?", [name, 1])), None)

    def _runs(self, condition: str, values: Sequence[Any]) -> RecordedRuns:
        columns = f"name, session, task, {_STATE}, started, ended, calls, error, target"
        order = "ORDER BY started DESC, root DESC LIMIT ?"
        if not self.exists:
            return RecordedRuns()
        with self._database.connected() as connection:
            self._tell_gone(connection)
            rows = connection.execute(f"SELECT {columns} FROM run WHERE {condition} {order}", values)  # noqa: S608
            return RecordedRuns(self._recorded(*row) for row in rows)

    def _recorded(
        self,
        name: str,
        session: str,
        task: str,
        state: str,
        started: float,
        ended: float | None,
        calls: int,
        error: str,
        target: str | None,
    ) -> RecordedRun:
        return RecordedRun(
            name, session, task, RunState(state), utc(started), _ended(ended), calls, error, target, self
        )

    def durations(self, task: str, target: str, most: int) -> list[float]:
        """Return how many seconds the last runs of `task` on `target` took that succeeded; the newest comes first.

        Raises:
            StateError: The database cannot be read.
        """
        if not self.exists:
            return []
        condition = "task = ? AND target = ? AND state = ? AND ended IS NOT NULL"
        with self._database.connected() as connection:
            rows = connection.execute(
                f"SELECT ended - started FROM run WHERE {condition} ORDER BY started DESC, root DESC LIMIT ?",  # noqa: S608
                (task, target, RunState.SUCCEEDED.value, most),
            )
            return [seconds for (seconds,) in rows]

    def calls(self, session: str | None, runs: int) -> tuple[int, dict[tuple[str, str], int]]:
        """Return how many runs were looked at, and how often tasks of one environment called those of another.

        Args:
            session: Whose runs; None for any.
            runs: How many of the newest at most.

        Returns:
            The number of runs, and the number of calls by the environment that calls and the one that is called.

        Raises:
            StateError: The database cannot be read.
        """
        if not self.exists:
            return 0, {}
        condition, values = ("WHERE session = ?", [session]) if session is not None else ("", [])
        latest = f"SELECT name FROM run {condition} ORDER BY started DESC, root DESC LIMIT ?"  # noqa: S608
        with self._database.connected() as connection:
            (count,) = connection.execute(f"SELECT count(*) FROM ({latest})", [*values, runs]).fetchone()  # noqa: S608
            rows = connection.execute(_CALLS.format(latest), [*values, runs]).fetchall()
        return count, {(caller, called): times for caller, called, times in rows}

    def tree(self, run: RecordedRun) -> tuple[Node, ...]:
        """Return the calls of `run` in the order of their beginning; those that a lost run had not ended are lost.

        Raises:
            StateError: The database cannot be read.
        """
        return self._once("tree", run, self._tree)

    def logs(self, run: RecordedRun) -> tuple[LogLine, ...]:
        """Return what the calls of `run` have printed, logged and displayed, in order.

        Raises:
            StateError: The database cannot be read.
        """
        return self._once("logs", run, self._logs)

    def _once(self, what: str, run: RecordedRun, read: Callable[[RecordedRun], tuple[T, ...]]) -> tuple[T, ...]:
        """Return what `read` gives, or gave before if the run has ended."""
        key = what, run.name
        known = self._read.get(key)
        if known is None:
            known = read(run)
            if run.state.is_final:
                self._read[key] = known
                for old in list(self._read)[: -2 * _READ_ONCE]:
                    self._read.pop(old, None)
        return known

    def _tree(self, run: RecordedRun) -> tuple[Node, ...]:
        columns = "id, parent, root, task, state, started, ended, error, attempts, inputs, arose, lines, '', returned"
        lost = run.state is RunState.LOST
        with self._database.connected() as connection:
            rows = connection.execute(f"SELECT {columns} FROM node WHERE run = ? ORDER BY id", (run.name,))  # noqa: S608
            return tuple(_node(*row, lost=lost) for row in rows)

    def _logs(self, run: RecordedRun) -> tuple[LogLine, ...]:
        columns, order = "node, task, time, stream, text", "time, node, number"
        with self._database.connected() as connection:
            rows = connection.execute(f"SELECT {columns} FROM line WHERE run = ? ORDER BY {order}", (run.name,))  # noqa: S608
            return tuple(LogLine(node, task, utc(time), *rest) for node, task, time, *rest in rows)


def _put(connection: Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert `rows`, replacing those of the same keys."""
    if not rows:
        return
    width = len(rows[0])
    at_once = _MOST_VALUES // width
    for first in range(0, len(rows), at_once):
        part = rows[first : first + at_once]
        marks = ", ".join([f"({_marks(width)})"] * len(part))
        connection.execute(f"INSERT OR REPLACE INTO {table} VALUES {marks}", [value for row in part for value in row])  # noqa: S608


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _run_row(session: str, head: RunHead) -> tuple[Any, ...]:
    end = head.calls, _storable(head.error), head.target
    return head.name, session, head.first, head.task, head.state.value, head.started, head.ended, *end


def _node_row(run: str, node: Node) -> tuple[Any, ...]:
    times = node.started.timestamp(), _seconds(node)
    said = _storable(node.error), node.attempts, _storable(node.inputs)
    end = *said, node.arose, node.lines, _storable(node.returned)
    return run, node.id, node.parent, node.root, node.task, node.state.value, *times, *end


def _line_row(run: str, number: int, line: LogLine) -> tuple[Any, ...]:
    return run, line.node, number, line.task, line.time.timestamp(), _storable(line.stream), _storable(line.text)


def _storable(text: str) -> str:
    """Return `text` without halves of surrogate pairs, which cannot be stored."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _node(
    number: int,
    parent: int | None,
    root: int,
    task: str,
    state: str,
    started: float,
    ended: float | None,
    *rest: Any,
    lost: bool,
) -> Node:
    known = RunState.LOST if lost and ended is None else RunState(state)
    return Node(number, parent, root, task, known, utc(started), _ended(ended), *rest)


def _seconds(node: Node) -> float | None:
    """Return when a call ended; one that is read while it ends has not."""
    return node.ended.timestamp() if node.ended and node.state.is_final else None


def _ended(seconds: float | None) -> datetime | None:
    return None if seconds is None else utc(seconds)
