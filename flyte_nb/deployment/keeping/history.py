"""The deployments that were, in this session and in earlier ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import median
from typing import TYPE_CHECKING, Any

from flyte_nb.deployment.applying.status import State
from flyte_nb.deployment.keeping.locking import live_holders
from flyte_nb.deployment.keeping.losses import resolved
from flyte_nb.deployment.keeping.recorded import RecordedDeployment, RecordedDeployments
from flyte_nb.deployment.keeping.recorder import name_of
from flyte_nb.deployment.keeping.rows import read_environments, read_lines
from flyte_nb.deployment.planning.plan import Plan
from flyte_nb.errors import UnknownDeploymentError
from flyte_nb.execution.clock import utc
from flyte_nb.targets.clusters import FLYTE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flyte_nb.database import Connection
    from flyte_nb.deployment.keeping.recorded import DeploymentLine, RecordedEnvironment
    from flyte_nb.deployment.keeping.state import DeploymentState
    from flyte_nb.targets.protocol import Deployed

__all__ = ["DeploymentHistory"]

_COLUMNS = "id, target, kind, origin, holder, state, started, ended"
# How long something takes is expected from so many of its last successes, found among so many of all.
_SUCCESSES, _LOOKED_AT = 5, 50_000
# Who deployed what is there, last or found it unchanged since. Beside max(), SQLite takes the other columns from the
# row that has it.
_ORIGINS = """
WITH done AS (
    SELECT e.name, e.state, e.deployment, d.kind, d.origin FROM deployment_environment AS e
    JOIN deployment AS d ON d.id = e.deployment WHERE d.target = :target
), present AS (
    SELECT name FROM (SELECT name, state, max(deployment) FROM done WHERE state IN ('succeeded', 'removed')
    GROUP BY name) WHERE state = 'succeeded'
), latest AS (
    SELECT name, max(deployment) AS number FROM done WHERE state = 'succeeded' AND kind = 'deploy' GROUP BY name
)
SELECT DISTINCT name, origin FROM done JOIN latest USING (name)
WHERE name IN present AND deployment >= number AND kind = 'deploy' AND state IN ('succeeded', 'unchanged')
"""


class DeploymentHistory:
    """Reads deployments. One whose kernel has ended in the middle is told as lost, and what became of it.

    Args:
        state: The database.
        observe: Tells what a target has now, by its name; None if that cannot be told.
    """

    def __init__(self, state: DeploymentState, observe: Callable[[str], Mapping[str, Deployed] | None]) -> None:
        self._state, self._observe = state, observe

    def deployments(self, target: str | None = None, limit: int = 100) -> RecordedDeployments:
        """Return the last deployments to `target`, or to all, the newest first.

        Args:
            target: The name of a target; "flyte" is every cluster.
            limit: How many at most.

        Raises:
            StateError: The database cannot be read.
        """
        if target is None:
            return self._read("", (limit,))
        if target == FLYTE:
            return self._read("WHERE substr(target, 1, ?) = ?", (len(FLYTE) + 1, f"{FLYTE}:", limit))
        return self._read("WHERE target = ?", (target, limit))

    def deployment(self, name: str) -> RecordedDeployment:
        """Return the deployment of that name.

        Raises:
            UnknownDeploymentError: There is none.
            StateError: The database cannot be read.
        """
        number = _number(name)
        found = self._read("WHERE id = ?", (number, 1)) if number else []
        if not found:
            raise UnknownDeploymentError(name, [deployment.name for deployment in self.deployments()])
        return found[0]

    def last_of(self, environment: str) -> tuple[RecordedDeployment, RecordedEnvironment] | None:
        """Return the last deployment that had `environment`, and what became of it there; None if there was none.

        Raises:
            StateError: The database cannot be read.
        """
        # By deployment, the newest first: each is one look into the key of its environments.
        query = (
            "SELECT d.id FROM deployment AS d CROSS JOIN deployment_environment AS e "
            "ON e.deployment = d.id AND e.name = ? ORDER BY d.id DESC LIMIT 1"
        )
        with self._state.reading() as connection:
            row = connection.execute(query, (environment,)).fetchone() if connection else None
        found = self._read("WHERE id = ?", (row[0], 1)) if row else []
        named = [
            (deployment, one) for deployment in found for one in deployment.environments if one.name == environment
        ]
        return named[0] if named else None

    def _read(self, condition: str, values: Sequence[Any]) -> RecordedDeployments:
        query = f"SELECT {_COLUMNS} FROM deployment {condition} ORDER BY id DESC LIMIT ?"  # noqa: S608
        with self._state.reading() as connection:
            if connection is None:
                return RecordedDeployments()
            # As of one moment: what ends in between gives its lock back, and would look lost.
            connection.execute("BEGIN")
            rows = connection.execute(query, values).fetchall()
            live = live_holders(connection)
            return RecordedDeployments([self._recorded(connection, live, *row) for row in rows])

    def _recorded(
        self,
        connection: Connection,
        live: set[str],
        number: int,
        target: str,
        kind: str,
        origin: str,
        holder: str,
        state: str,
        started: float,
        ended: float | None,
    ) -> RecordedDeployment:
        is_lost = state == State.RUNNING.value and holder not in live
        counts = self._counts(connection, number, target if is_lost else None)
        shown = State.LOST if is_lost else State(state)
        times = utc(started), None if ended is None else utc(ended)
        return RecordedDeployment(name_of(number), target, kind, origin, shown, *times, counts, self)

    def _counts(self, connection: Connection, number: int, lost_on: str | None) -> dict[str, int]:
        if lost_on is not None:
            environments = resolved(read_environments(connection, number), self._observe(lost_on))
            return Counter(environment.state.value for environment in environments)
        query = "SELECT state, count(*) FROM deployment_environment WHERE deployment = ? GROUP BY state"
        return dict(connection.execute(query, (number,)).fetchall())

    # The parts of one deployment

    def environments(self, deployment: RecordedDeployment) -> tuple[RecordedEnvironment, ...]:
        """Return its environments in the order of its plan."""
        with self._state.reading() as connection:
            environments = read_environments(connection, _number(deployment.name)) if connection else ()
        if deployment.state is State.LOST:
            return resolved(environments, self._observe(deployment.target))
        return environments

    def logs(self, deployment: RecordedDeployment) -> list[DeploymentLine]:
        """Return what its environments have said, in order."""
        with self._state.reading() as connection:
            return read_lines(connection, _number(deployment.name)) if connection else []

    def plan(self, deployment: RecordedDeployment) -> Plan:
        """Return what it was to do."""
        with self._state.reading() as connection:
            query = "SELECT plan FROM deployment WHERE id = ?"
            row = connection.execute(query, (_number(deployment.name),)).fetchone() if connection else None
        if row is None:
            raise UnknownDeploymentError(deployment.name, ())
        return Plan.from_json(row[0])

    # What plans need

    def durations(self, target: str) -> dict[str, float]:
        """Return how many seconds each environment is expected to take, as far as it was deployed before.

        Raises:
            StateError: The database cannot be read.
        """
        query = (
            "SELECT name, e.ended - e.started FROM deployment_environment AS e JOIN deployment ON id = deployment "
            "WHERE e.state = 'succeeded' AND target = ? AND e.started IS NOT NULL AND e.ended IS NOT NULL "
            "ORDER BY deployment DESC LIMIT ?"
        )
        took: dict[str, list[float]] = defaultdict(list)
        with self._state.reading() as connection:
            for name, seconds in connection.execute(query, (target, _LOOKED_AT)) if connection else ():
                if len(took[name]) < _SUCCESSES:
                    took[name].append(max(0.0, seconds))  # the clock may have been set back meanwhile
        return {name: median(seconds) for name, seconds in took.items()}

    def origins(self, target: str) -> dict[str, frozenset[str]]:
        """Return which notebooks and scripts use what was deployed to `target` and was not removed since, by name.

        They are the one that deployed it last, and those that found it unchanged since. A rollback brings back what
        others deployed, and takes it from nobody.

        Raises:
            StateError: The database cannot be read.
        """
        with self._state.reading() as connection:
            rows = connection.execute(_ORIGINS, {"target": target}).fetchall() if connection else []
        found: dict[str, set[str]] = defaultdict(set)
        for name, origin in rows:
            found[name].add(origin)
        return {name: frozenset(origins) for name, origins in found.items()}


def _number(name: str) -> int:
    """Return the number in "d12", or 0."""
    digits = name.removeprefix("d")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else 0
