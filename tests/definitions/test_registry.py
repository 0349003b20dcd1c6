"""The registry: who said what, all or nothing, and what listeners hear."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from flyte_nb.definitions.registry import Environments, Owner, Registry, RegistryChanged
from flyte_nb.errors import CircularDependencyError, EnvironmentInUseError, UnknownEnvironmentError
from flyte_nb.model.spec import EnvironmentSpec
from flyte_nb.model.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def registry() -> Registry:
    return Registry()


def define(registry: Registry, name: str, *depends_on: str, image: str = "auto") -> None:
    registry.define(EnvironmentSpec.checked(name, image=image, depends_on=depends_on))


def attach(registry: Registry, environment: str, function: str) -> None:
    def body() -> None: ...

    body.__name__ = function
    registry.attach(Task(body, environment))


def cell(registry: Registry, owner: str | int, *statements: Callable[[], None]) -> None:
    """Run a cell: one with an id if `owner` is text, else the execution of that number by a front end without ids."""
    registry.begin(Owner(owner) if isinstance(owner, str) else Owner(f"execution {owner}", recognised=False))
    for statement in statements:
        statement()
    registry.commit()


def tasks(registry: Registry, name: str) -> list[str]:
    return [task.__name__ for task in registry.tasks(name).values()]


def edges(registry: Registry) -> dict[str, list[str]]:
    return {name: list(dependencies) for name, dependencies in registry.edges.items()}


def test_environments_are_registered_in_the_order_of_their_construction(registry: Registry) -> None:
    """Without cells, first said is first registered, and a redefinition keeps its place."""
    for name in ("c", "a", "b"):
        define(registry, name)
    define(registry, "c", image="new")
    assert registry.names() == ["c", "a", "b"]
    assert registry.spec("c").image == "new"  # type: ignore[union-attr]


def test_the_order_of_the_notebook_counts_more_than_the_order_of_running(registry: Registry) -> None:
    """Where the document is known, cells register by their position in it; unsaved cells come after."""
    registry.cell_order = lambda: {"top": 0, "middle": 1}
    cell(registry, "unsaved", lambda: define(registry, "u"))
    cell(registry, "middle", lambda: define(registry, "m"))
    cell(registry, "top", lambda: define(registry, "t"))
    assert registry.names() == ["t", "m", "u"]


def test_moving_a_cell_moves_what_it_registers(registry: Registry) -> None:
    """The order follows the document as it is now."""
    positions = {"one": 0, "two": 1}
    registry.cell_order = lambda: positions
    cell(registry, "one", lambda: define(registry, "a"))
    cell(registry, "two", lambda: define(registry, "b"))
    positions.update(one=1, two=0)
    assert registry.names() == ["b", "a"]


def test_a_cell_retracts_what_it_no_longer_says(registry: Registry) -> None:
    """A renamed task and a removed environment go when the cell runs again; other cells' tasks stay."""
    cell(
        registry,
        "one",
        lambda: define(registry, "a"),
        lambda: define(registry, "b"),
        lambda: attach(registry, "a", "f"),
    )
    cell(registry, "two", lambda: attach(registry, "a", "theirs"))
    cell(registry, "one", lambda: define(registry, "a"), lambda: attach(registry, "a", "g"))
    assert registry.names() == ["a"]
    assert tasks(registry, "a") == ["g", "theirs"]


def test_tasks_wait_for_an_environment_that_is_away_for_a_while(registry: Registry) -> None:
    """A task attached by another cell returns with the environment's name."""
    cell(registry, "one", lambda: define(registry, "a"))
    cell(registry, "two", lambda: attach(registry, "a", "f"))
    cell(registry, "one")
    assert registry.names() == []
    cell(registry, "one", lambda: define(registry, "a"))
    assert tasks(registry, "a") == ["f"]


def test_of_two_cells_that_define_one_name_the_last_to_run_wins(registry: Registry) -> None:
    """The same name replaces it; when that cell stops defining it, the other cell's definition is back."""
    cell(registry, "one", lambda: define(registry, "a", image="one"))
    cell(registry, "two", lambda: define(registry, "a", image="two"))
    assert registry.spec("a").image == "two"  # type: ignore[union-attr]
    cell(registry, "one", lambda: define(registry, "a", image="again"))
    assert registry.spec("a").image == "again"  # type: ignore[union-attr]
    cell(registry, "one")
    assert registry.spec("a").image == "two"  # type: ignore[union-attr]


def test_a_run_that_uncovers_a_cycle_is_rolled_back(registry: Registry) -> None:
    """A definition that another cell hid cannot close a cycle by coming back."""
    cell(registry, "one", lambda: define(registry, "x", "y"))
    cell(registry, "two", lambda: define(registry, "x"))
    cell(registry, "three", lambda: define(registry, "y", "x"))
    with pytest.raises(CircularDependencyError, match=r"x -> y -> x|y -> x -> y"):
        cell(registry, "two")
    assert edges(registry) == {"x": [], "y": ["x"]}
    registry.forget({"two"})
    assert edges(registry) == {"x": [], "y": ["x"]}


def test_a_cell_may_turn_a_dependency_round(registry: Registry) -> None:
    """What the cell said before does not count against what it says now."""
    cell(registry, "one", lambda: define(registry, "a"), lambda: define(registry, "b", "a"))
    cell(registry, "one", lambda: define(registry, "b"), lambda: define(registry, "a", "b"))
    assert edges(registry) == {"b": [], "a": ["b"]}


def test_without_cell_ids_a_construction_replaces_the_last_one_and_its_cells_tasks(registry: Registry) -> None:
    """A front end that sends no ids: constructing again stands for running the same cell again."""
    cell(registry, 1, lambda: define(registry, "a"), lambda: attach(registry, "a", "f"))
    cell(registry, 2, lambda: define(registry, "b", "a"), lambda: attach(registry, "a", "theirs"))
    cell(registry, 3, lambda: define(registry, "a"), lambda: attach(registry, "a", "g"))
    assert registry.names() == ["a", "b"]
    assert tasks(registry, "a") == ["theirs", "g"]


def test_a_construction_takes_the_place_of_another_cells_with_what_that_cell_added(registry: Registry) -> None:
    """Tasks and dependencies that the first cell gave its own construction are hidden with it, and return with it."""
    cell(registry, "one", lambda: define(registry, "a"), lambda: attach(registry, "a", "f"))
    cell(registry, "three", lambda: attach(registry, "a", "theirs"))
    cell(registry, "one-more", lambda: define(registry, "b"), lambda: registry.add_dependencies("b", ["a"]))
    cell(registry, "two", lambda: define(registry, "a"), lambda: define(registry, "b"))
    assert (tasks(registry, "a"), registry.dependencies("b")) == (["theirs"], ())
    cell(registry, "two")
    assert (tasks(registry, "a"), registry.dependencies("b")) == (["f", "theirs"], ("a",))


def test_a_nameless_cell_can_be_recognised_by_what_it_defines(registry: Registry) -> None:
    """`own` gives a cell without an id a lasting one, and takes back what it said under it."""
    for function in ("f", "g"):
        registry.begin(Owner(f"execution {function}", recognised=False))
        registry.own(Owner("%%flyte_env a"))
        define(registry, "a")
        attach(registry, "a", function)
        registry.commit()
    assert tasks(registry, "a") == ["g"]


def test_a_cell_with_an_id_keeps_it(registry: Registry) -> None:
    """`own` is for cells about which nothing better is known."""
    registry.begin(Owner("one"))
    registry.own(Owner("%%flyte_env a"))
    define(registry, "a")
    registry.commit()
    cell(registry, "one")
    assert registry.names() == []


def test_a_run_inside_a_run_is_a_savepoint(registry: Registry) -> None:
    """A magic that runs a cell can fail without the cell around it failing."""
    registry.begin(Owner("outer"))
    define(registry, "a")
    registry.begin(Owner("inner"))
    define(registry, "b", "a")
    registry.rollback()
    assert registry.names() == ["a"]
    registry.begin(Owner("inner"))
    define(registry, "c")
    registry.commit()
    registry.rollback()
    assert registry.names() == []


def test_remove_refuses_to_orphan_dependents_unless_forced(registry: Registry) -> None:
    """All of the names or none; names that go together do not hold each other."""
    define(registry, "a")
    define(registry, "b", "a")
    define(registry, "c", "b")
    with pytest.raises(EnvironmentInUseError, match="'b' is needed by 'c'") as caught:
        registry.remove(["a", "b"])
    assert caught.value.dependents == ("c",)
    with pytest.raises(UnknownEnvironmentError, match="Did you mean 'c'"):
        registry.remove(["a", "C"], force=True)
    assert registry.names() == ["a", "b", "c"]
    registry.remove(["a", "b"], force=True)
    assert registry.names() == ["c"]
    assert registry.dependencies("c") == ("b",)
    registry.remove(["c"])
    assert registry.names() == []


def test_a_cell_that_removes_can_run_again(registry: Registry) -> None:
    """The removal belongs to its cell: run again it removes again, without the cell the environment is back."""
    cell(registry, "one", lambda: define(registry, "a"))
    for _ in range(2):
        cell(registry, "two", lambda: registry.remove(["a"]))
        assert registry.names() == []
    cell(registry, "two")
    assert registry.names() == ["a"]


def test_reset_inside_a_cell_that_fails_has_never_happened(registry: Registry) -> None:
    """Reset is as atomic as everything else."""
    cell(registry, "one", lambda: define(registry, "a"))
    registry.begin(Owner("two"))
    registry.reset()
    define(registry, "b")
    assert registry.names() == ["b"]
    registry.rollback()
    assert registry.names() == ["a"]


def test_listeners_hear_of_a_cell_once_when_it_counts(registry: Registry) -> None:
    """One event names all that a cell touched, also of one that failed: a view may have been drawn while it ran."""
    heard: list[RegistryChanged] = []
    unsubscribe = registry.subscribe(heard.append)
    cell(registry, "one", lambda: define(registry, "a"), lambda: define(registry, "b"))
    cell(registry, "one", lambda: define(registry, "b"))
    registry.begin(Owner("two"))
    define(registry, "c")
    registry.rollback()
    cell(registry, "three")
    define(registry, "d")
    unsubscribe()
    define(registry, "e")
    assert [sorted(event.names) for event in heard] == [["a", "b"], ["a", "b"], ["c"], ["d"]]


def test_a_cycle_is_refused_whatever_closes_it_and_nothing_changes(registry: Registry) -> None:
    """By construction, by a later dependency, and through names that are not defined yet."""
    define(registry, "base")
    define(registry, "ml", "base")
    define(registry, "api", "ml", "soon")
    before = edges(registry)
    for close in (
        lambda: define(registry, "base", "api"),
        lambda: registry.add_dependencies("base", ["other", "api"]),
        lambda: define(registry, "soon", "api"),
    ):
        with pytest.raises(CircularDependencyError):
            close()
        assert edges(registry) == before


def test_the_mapping_of_environments_is_live_and_suggests_names(registry: Registry) -> None:
    """It behaves as a mapping: order, length, get, in; a wrong name gets a suggestion."""
    environments = Environments(registry)
    define(registry, "base-utils")
    assert list(environments) == ["base-utils"]
    assert len(environments) == 1
    assert environments.get("nothing") is None
    assert "nothing" not in environments
    with pytest.raises(KeyError, match="Did you mean 'base-utils'"):
        environments["base-utls"]
    assert repr(environments) == "<1 environments: base-utils>"


def test_many_environments_are_defined_in_one_cell_and_taken_back(registry: Registry) -> None:
    """Twenty thousand in one cell, run twice, is ordinary input."""

    def define_all() -> None:
        for number in range(20_000):
            define(registry, f"env-{number}", *([f"env-{number - 1}"] if number else []))

    cell(registry, "one", define_all)
    cell(registry, "one", define_all)
    assert len(registry.names()) == 20_000
    cell(registry, "one")
    assert registry.names() == []


def test_a_deleted_cell_that_is_back_counts_again(registry: Registry) -> None:
    """An undone deletion restores what the cell said; a run of the cell makes the old words pointless."""
    cell(registry, "one", lambda: define(registry, "a"))
    cell(registry, "two", lambda: attach(registry, "a", "f"))
    registry.forget({"one", "two"})
    assert registry.names() == []
    registry.remember({"one", "three"})
    assert (registry.names(), tasks(registry, "a")) == (["a"], [])
    cell(registry, "two", lambda: attach(registry, "a", "g"))
    registry.remember({"two"})
    assert tasks(registry, "a") == ["g"]


def test_a_deleted_cell_does_not_come_back_as_a_cycle(registry: Registry) -> None:
    """What has been said meanwhile counts more."""
    cell(registry, "one", lambda: define(registry, "a", "b"))
    registry.forget({"one"})
    cell(registry, "two", lambda: define(registry, "b", "a"))
    registry.remember({"one"})
    assert edges(registry) == {"b": ["a"]}


MODULE = """\
from flyte_nb.model.spec import EnvironmentSpec
import registry_of_the_test
for entry in NAMES:
    name, *depends_on = entry.split()
    registry_of_the_test.registry.define(EnvironmentSpec.checked(name, depends_on=depends_on))
"""


@pytest.fixture
def write_module(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return what writes an importable module `shared_envs` that defines environments of these names."""
    holder = ModuleType("registry_of_the_test")
    holder.registry = registry  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "registry_of_the_test", holder)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(*names: str) -> None:
        (tmp_path / "shared_envs.py").write_text(MODULE.replace("NAMES", repr(names)))
        importlib.invalidate_caches()

    yield write
    sys.modules.pop("shared_envs", None)


def import_shared() -> None:
    importlib.import_module("shared_envs")


def test_what_a_module_defines_outlasts_the_cell_that_imports_it(
    registry: Registry, write_module: Callable[..., None]
) -> None:
    """Running the cell again imports nothing again, and must not take the module's environments away."""
    write_module("m")
    cell(registry, "two", lambda: define(registry, "before"), import_shared)
    for _ in range(2):
        cell(registry, "two", lambda: define(registry, "after"), import_shared)
        assert registry.names() == ["m", "after"]


def test_what_a_module_defines_stays_when_the_importing_cell_fails(
    registry: Registry, write_module: Callable[..., None]
) -> None:
    """Python keeps the module, so the registry keeps what it said, and rolls back the rest."""
    write_module("m")
    cell(registry, "one", lambda: define(registry, "a"))
    registry.begin(Owner("one"))
    define(registry, "b")
    import_shared()
    registry.rollback()
    assert sorted(registry.names()) == ["a", "m"]
    registry.begin(Owner("two"))
    registry.reset()
    registry.rollback()
    assert sorted(registry.names()) == ["a", "m"]


def test_a_reloaded_module_replaces_what_it_defined(registry: Registry, write_module: Callable[..., None]) -> None:
    """A reload runs the module again, as a clean run would."""
    write_module("m", "n")
    cell(registry, "one", import_shared)
    write_module("m", "other")
    cell(registry, "one", lambda: importlib.reload(sys.modules["shared_envs"]))
    assert registry.names() == ["m", "other"]


def test_a_cell_that_fails_cannot_leave_a_cycle_through_a_module(
    registry: Registry, write_module: Callable[..., None]
) -> None:
    """If what the cell said before and what the module says close a cycle, the module has said nothing."""
    cell(registry, "one", lambda: define(registry, "a", "m"))
    write_module("m a")
    registry.begin(Owner("one"))
    import_shared()
    assert edges(registry) == {"m": ["a"]}
    registry.rollback()
    assert edges(registry) == {"a": ["m"]}
