"""Whatever cells say with the SDK, and however often: the session is what it would be if they said it with flyte_nb."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import flyte
import pytest
from flyte._environment import list_loaded_environments
from hypothesis import event, given, settings
from hypothesis import strategies as st

import flyte_nb
from flyte_nb.definitions.registry import Owner, Registry
from flyte_nb.errors import CircularDependencyError, UnknownEnvironmentError
from flyte_nb.model.spec import EnvironmentSpec
from flyte_nb.model.task import Task
from flyte_nb.sdk.modules import forget
from flyte_nb.sdk_cells import SdkCells
from flyte_nb.session import session

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

NAMES = ("a", "b", "c", "d")
KINDS = ("construct",) * 4 + ("depend", "attach") * 3 + ("fail",)


@dataclass(frozen=True)
class Statement:
    """One line of a cell.

    Attributes:
        kind: "construct", "depend", "attach" or "fail".
        name: The environment.
        others: What it is to depend on.
        detail: Its image, or the function that becomes its task.
    """

    kind: str
    name: str
    others: tuple[str, ...] = ()
    detail: str = "x"

    def check(self, variables: Collection[str]) -> None:
        """Fail as the cell would: by itself, or because a variable is not there."""
        needed = self.others if self.kind == "construct" else (self.name, *self.others)
        if self.kind == "fail" or not set(needed) <= set(variables):
            raise FailedError


class FailedError(Exception):
    """A cell's own error."""


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    name, kind = draw(st.sampled_from(NAMES)), draw(st.sampled_from(KINDS))
    others = [other for other in NAMES if other != name]
    needed = draw(st.lists(st.sampled_from(others), min_size=kind == "depend", max_size=2, unique=True))
    return Statement(kind, name, tuple(needed), draw(st.sampled_from(["x", "y"])))


Cell = tuple[Statement, ...]


def in_order(cell: list[Statement]) -> Cell:
    """Return what a cell says as far as order inside of cells makes no difference: the SDK's objects tell none."""
    constructed = {said.name: said for said in cell if said.kind == "construct"}
    return (*constructed.values(), *(said for said in cell if said.kind != "construct"))


cells = st.lists(statements(), min_size=1, max_size=4).map(in_order)
# Without something to begin with, most cells would name what is not there.
BEGINNING = [
    (0, (Statement("construct", "a"), Statement("construct", "b", ("a",)))),
    (1, (Statement("construct", "c"), Statement("attach", "a"), Statement("depend", "c", ("b",)))),
]
histories = st.lists(st.tuples(st.integers(0, 3), cells), min_size=1, max_size=10).map(BEGINNING.__add__)


def function(name: str) -> Any:
    async def body() -> None: ...

    body.__name__ = body.__qualname__ = name
    return body


class WithFlyteNb:
    """A notebook whose cells say `flyte_nb.TaskEnvironment(...)`."""

    def __init__(self) -> None:
        self.registry, self.variables = Registry(), set[str]()

    def run(self, cell_id: str, cell: Cell) -> bool:
        self.registry.begin(Owner(cell_id))
        try:
            for statement in cell:  # with the SDK, a cell runs to its end before anything is said
                statement.check(self.variables)
                self.variables |= {statement.name} if statement.kind == "construct" else set()
            with self.registry.at_once():
                for statement in cell:
                    self.say(statement)
        except (CircularDependencyError, UnknownEnvironmentError, FailedError):
            self.registry.rollback()
            return False
        try:
            self.registry.commit()
        except CircularDependencyError:
            return False
        return True

    def say(self, said: Statement) -> None:
        if said.kind == "construct":
            self.registry.define(EnvironmentSpec.checked(said.name, image=said.detail, depends_on=said.others))
            return
        self.registry.require(said.name)
        if said.kind == "depend":
            self.registry.add_dependencies(said.name, said.others)
        else:
            self.registry.attach(Task(function(said.detail), said.name))


class WithTheSdk:
    """A notebook whose cells say the same with `flyte.TaskEnvironment(...)`."""

    def __init__(self) -> None:
        self.cells, self.variables = SdkCells(session().registry, session().registry.amend), dict[str, Any]()
        self.cells.load()

    def run(self, cell_id: str, cell: Cell) -> bool:
        registry = session().registry
        registry.begin(Owner(cell_id))
        self.cells.begin(cell_id)
        succeeded = False
        try:
            for statement in cell:
                self.say(statement)
            self.cells.take()
            succeeded = True
        except (CircularDependencyError, UnknownEnvironmentError, FailedError):
            registry.rollback()
        if succeeded:
            try:
                registry.commit()
            except CircularDependencyError:
                succeeded = False
        self.cells.end(succeeded=succeeded)
        return succeeded

    def say(self, said: Statement) -> None:
        said.check(self.variables)
        others = [self.variables[name] for name in said.others]
        if said.kind == "construct":
            self.variables[said.name] = flyte.TaskEnvironment(said.name, image=said.detail, depends_on=others)
        elif said.kind == "depend":
            self.variables[said.name].add_dependency(*others)
        else:
            self.variables[said.name].task(function(said.detail))


def state(registry: Registry) -> dict[str, Any]:
    """Return everything a user can see of a registry."""
    return {
        name: (
            registry.require(name).image,
            set(registry.dependencies(name)),
            sorted(registry.tasks(name)),
        )
        for name in registry.names()
    }


def outcomes(notebook: WithFlyteNb | WithTheSdk, registry: Registry, history: Sequence[tuple[int, Cell]]) -> list[Any]:
    return [(notebook.run(f"cell-{number}", cell), state(registry)) for number, cell in history]


@pytest.mark.slow
@settings(max_examples=200)
@given(histories)
def test_the_session_is_what_it_would_be_with_flyte_nb(history: list[tuple[int, Cell]]) -> None:
    """After each cell of any history both have the same environments, edges and tasks, and the same cells failed."""
    flyte_nb.reset()
    plain = WithFlyteNb()
    expected = outcomes(plain, plain.registry, history)
    event(f"{sum(not succeeded for succeeded, _ in expected)} of {len(expected)} cells fail")
    with_sdk = WithTheSdk()
    try:
        found = outcomes(with_sdk, session().registry, history)
    finally:
        with_sdk.cells.unload()
        forget([each for each in list_loaded_environments() if each.name in NAMES])
    assert found == expected
