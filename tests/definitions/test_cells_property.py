"""Rule 1 as a property: whatever order cells ran in, the registry equals one clean run of the notebook as it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from flyte_nb.definitions.registry import Owner, Registry
from flyte_nb.errors import CircularDependencyError
from flyte_nb.graph import find_cycle, ordered
from flyte_nb.model.spec import EnvironmentSpec
from flyte_nb.model.task import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = ("a", "b", "c", "d", "e")


@dataclass(frozen=True)
class Construct:
    """`env = TaskEnvironment(name, image=image, depends_on=[...])`."""

    name: str
    image: str
    depends_on: tuple[str, ...]

    def run(self, registry: Registry) -> None:
        """Say it."""
        registry.define(EnvironmentSpec.checked(self.name, image=self.image, depends_on=self.depends_on))


@dataclass(frozen=True)
class AddDependency:
    """`env.add_dependency(...)`, in whatever cell."""

    name: str
    dependencies: tuple[str, ...]

    def run(self, registry: Registry) -> None:
        """Say it."""
        registry.add_dependencies(self.name, self.dependencies)


@dataclass(frozen=True)
class AttachTask:
    """`@env.task` on a function, in whatever cell."""

    name: str
    function: str
    version: str

    def run(self, registry: Registry) -> None:
        """Say it."""

        def body() -> None: ...

        body.__name__ = self.function
        registry.attach(Task(body, self.name, description=self.version))


Statement = Construct | AddDependency | AttachTask
Cell = tuple[Statement, ...]

names = st.sampled_from(NAMES)
some_names = st.lists(names, max_size=3, unique=True).map(tuple)


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    """Any statement about any environment that does not depend on itself."""
    name, kind = draw(names), draw(st.integers(0, 2))
    others = tuple(other for other in draw(some_names) if other != name)
    if kind == 0:
        return Construct(name, draw(st.sampled_from(["x", "y"])), others)
    if kind == 1:
        return AddDependency(name, others)
    return AttachTask(name, draw(st.sampled_from(["f", "g"])), draw(st.sampled_from(["v1", "v2"])))


cells = st.lists(statements(), max_size=4).map(tuple)


def without_repetitions(notebook: Sequence[Cell]) -> list[Cell]:
    """Return the notebook with each environment constructed, and each task attached, in one place only.

    Where two cells say the same thing differently there is nothing to compare: the one that ran last wins, by design.
    """
    said: set[object] = set()
    result = []
    for cell in notebook:
        kept = []
        for statement in cell:
            key = (
                statement
                if isinstance(statement, AddDependency)
                else (type(statement), statement.name, getattr(statement, "function", None))
            )
            if isinstance(statement, AddDependency) or key not in said:
                said.add(key)
                kept.append(statement)
        result.append(tuple(kept))
    return result


def run_cell(registry: Registry, cell_id: str, cell: Cell) -> bool:
    """Run a cell as the extension does; say whether it succeeded."""
    registry.begin(Owner(cell_id))
    try:
        for statement in cell:
            statement.run(registry)
    except CircularDependencyError:
        registry.rollback()
        return False
    try:
        registry.commit()
    except CircularDependencyError:
        return False
    return True


def state(registry: Registry) -> dict[str, Any]:
    """Return everything a user can see of a registry."""
    found = registry.names()
    return {
        "order of registration": found,
        "deployment order": ordered(found, registry.edges),
        "definitions": {name: registry.spec(name) for name in found},
        "dependencies": {name: registry.dependencies(name) for name in found},
        "tasks": {name: [(task.name, task.description) for task in registry.tasks(name).values()] for name in found},
        "edges": {name: set(targets) for name, targets in registry.edges.items()},
        "dependents": {name: set(registry.dependents(name)) for name in NAMES},
    }


def notebook_registry(size: int) -> Registry:
    registry = Registry()
    positions = {f"cell-{number}": number for number in range(size)}
    registry.cell_order = lambda: positions
    return registry


def clean_run(notebook: Sequence[Cell]) -> dict[str, Any] | None:
    """Return the state after running every cell once from top to bottom, or None if a cell fails."""
    registry = notebook_registry(len(notebook))
    if all(run_cell(registry, f"cell-{number}", cell) for number, cell in enumerate(notebook)):
        return state(registry)
    return None


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Cell], list[tuple[int, Cell]], list[int]]:
    """Return a final notebook, earlier runs of earlier versions of its cells, and an order for the last runs."""
    notebook = without_repetitions(draw(st.lists(cells, min_size=1, max_size=5)))
    numbers = st.integers(0, len(notebook) - 1)
    earlier = draw(st.lists(st.tuples(numbers, cells | st.sampled_from(notebook)), max_size=12))
    return notebook, earlier, draw(st.permutations(range(len(notebook))))


@settings(max_examples=600, deadline=None)
@given(histories())
def test_the_registry_equals_one_clean_run_of_the_final_notebook(
    history: tuple[list[Cell], list[tuple[int, Cell]], list[int]],
) -> None:
    """Random orders, repetitions and edits of cells end in the registry and order of a top-to-bottom run."""
    notebook, earlier, last_runs = history
    expected = clean_run(notebook)
    assume(expected is not None)
    registry = notebook_registry(len(notebook))
    for number, cell in earlier:
        before = state(registry)
        succeeded = run_cell(registry, f"cell-{number}", cell)
        assert succeeded or state(registry) == before, "a refused cell changed something"
        assert find_cycle(registry.edges, registry.edges) is None
    remaining = list(last_runs)
    while remaining:
        # A cell may be refused because of what another, not yet run again, still says: the user runs it again.
        refused = [number for number in remaining if not run_cell(registry, f"cell-{number}", notebook[number])]
        event(f"{len(refused)} refused")
        assume(len(refused) < len(remaining))
        remaining = refused
    assert state(registry) == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), cells), max_size=12), st.data())
def test_a_cell_that_fails_has_never_run(runs: list[tuple[int, Cell]], data: st.DataObject) -> None:
    """After a rollback at any point the registry is exactly what it was, whatever the cell had said before."""
    registry = notebook_registry(4)
    for number, cell in runs:
        run_cell(registry, f"cell-{number}", cell)
    before = state(registry)
    registry.begin(Owner(f"cell-{data.draw(st.integers(0, 3))}"))
    for statement in data.draw(cells):
        try:
            statement.run(registry)
        except CircularDependencyError:
            break
    registry.rollback()
    assert state(registry) == before


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), cells), max_size=12), st.sets(st.integers(0, 3)))
def test_a_deleted_cell_has_said_nothing(runs: list[tuple[int, Cell]], deleted: set[int]) -> None:
    """Forgetting cells leaves what the other cells say; if that were cyclic, nothing is forgotten."""
    registry, without = notebook_registry(4), notebook_registry(4)
    accepted: dict[int, Cell] = {}
    for number, cell in runs:
        if run_cell(registry, f"cell-{number}", cell):
            accepted.pop(number, None)
            accepted[number] = cell
    before = state(registry)
    registry.forget({f"cell-{number}" for number in deleted})
    remaining = {number: cell for number, cell in accepted.items() if number not in deleted}
    if all(run_cell(without, f"cell-{number}", cell) for number, cell in remaining.items()):
        assert state(registry) == state(without)
    else:
        assert find_cycle(registry.edges, registry.edges) is None
        assert set(registry.names()) <= set(before["order of registration"])
