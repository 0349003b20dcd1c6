"""What a plan says: actions, order, waves, what is blocked, and what would change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flyte_nb.deployment.planning.making import make_plan
from flyte_nb.deployment.planning.plan import Action, Change, Plan
from flyte_nb.errors import CircularDependencyError, DeploymentBlockedError
from flyte_nb.masking import MASK
from tests.deployment.fakes import deployed, make

if TYPE_CHECKING:
    from flyte_nb.bundle.content import Bundle


def plan(edges: dict[str, tuple[str, ...]], undefined: tuple[str, ...] = ()) -> Plan:
    names = [name for name in edges if name not in undefined]
    return make_plan("local", names, edges, {name: make(name) for name in names}, {})


def changes(old: Bundle, new: Bundle) -> tuple[Change, ...]:
    (step,) = make_plan("local", [new.name], {new.name: ()}, {new.name: new}, {old.name: deployed(old)}).steps
    assert step.action is Action.UPDATE
    return step.changes


def test_each_environment_has_one_action() -> None:
    """What is not there is created, what differs is updated, what is the same stays."""
    names = ["new", "changed", "same"]
    there = {"changed": deployed(make("changed", "f0", image="a")), "same": deployed(make("same")), "gone": None}
    bundles = {name: make(name, image="b") for name in names}
    found = make_plan("local", names, dict.fromkeys(names, ()), bundles, there)  # type: ignore[arg-type]
    assert found.actions == {"new": "create", "changed": "update", "same": "unchanged"}
    assert found.target == "local"
    assert not found.blocked


def test_order_and_waves() -> None:
    """The order is that of deployment, and waves show what may go at once."""
    found = plan({"api": ("ml",), "ml": ("base",), "side": (), "base": ()})
    assert found.order == ["side", "base", "ml", "api"]
    assert found.waves == (("side", "base"), ("ml",), ("api",))
    assert [step.depends_on for step in found.steps] == [(), (), ("base",), ("ml",)]


def test_nothing_is_an_ordinary_plan() -> None:
    """Without environments there is nothing to do."""
    found = plan({})
    assert (found.steps, found.waves, found.order) == ((), (), [])


def test_a_cycle_is_refused() -> None:
    """A plan of a cycle shows the cycle."""
    with pytest.raises(CircularDependencyError) as caught:
        plan({"a": ("b",), "b": ("a",)})
    assert caught.value.cycle in (["a", "b", "a"], ["b", "a", "b"])


def test_an_undefined_name_blocks_what_needs_it_and_nothing_else() -> None:
    """The undefined name is a step of its own, with a suggestion, and all that needs it says so."""
    found = plan({"base-utils": (), "ml": ("base-utls",), "api": ("ml",), "base-utls": ()}, undefined=("base-utls",))
    assert found.actions == {"base-utls": "undefined", "base-utils": "create", "ml": "blocked", "api": "blocked"}
    problems = {step.name: step.problem for step in found.blocked}
    assert problems["base-utls"] == "is not defined. Did you mean 'base-utils'?"
    assert problems["ml"] == "needs base-utls"
    assert problems["api"] == "needs ml"
    assert found.order == ["base-utils", "ml", "api"]
    assert found.waves == (("base-utls", "base-utils"), ("ml",), ("api",))


def test_an_undefined_name_unlike_any_other_asks_for_its_cell() -> None:
    """Where nothing is spelled alike there is still a next step."""
    found = plan({"ml": ("zzz",), "zzz": ()}, undefined=("zzz",))
    assert found.blocked[0].problem == "is not defined. Run the cell that defines it."


def test_many_undefined_names_do_not_make_planning_quadratic() -> None:
    """A suggestion compares a name with all others, so only the first of many undefined names get one."""
    missing = tuple(f"environment-{number}x" for number in range(100))
    edges: dict[str, tuple[str, ...]] = {f"environment-{number}": (name,) for number, name in enumerate(missing)}
    found = plan({**edges, **dict.fromkeys(missing, ())}, undefined=missing)
    assert len(found.blocked) == 200
    problems = [step.problem for step in found.blocked if step.action is Action.UNDEFINED]
    assert ["Did you mean" in problem for problem in problems] == [True] * 20 + [False] * 80


def test_a_changed_field_has_its_old_and_new_value() -> None:
    """Only the fields that differ are listed, added and removed ones too."""
    old = make("ml", image="a", cache="auto", description="d")
    new = make("ml", "f2", image="b", cache="auto", queue="gpu")
    assert changes(old, new) == (
        Change("image", "a", "b"),
        Change("description", "d", None),
        Change("queue", None, "gpu"),
    )


def test_a_changed_task_has_its_old_and_new_source() -> None:
    """The source of a task is shown as it was and as it would be."""
    old = make("ml", sources={"ml.train": "def train(): 1", "ml.same": "s"}, tasks={"ml.train": {}, "ml.same": {}})
    new = make("ml", "f2", {"ml.train": "def train(): 2", "ml.same": "s"}, tasks={"ml.train": {}, "ml.same": {}})
    assert changes(old, new) == (Change("ml.train", "def train(): 1", "def train(): 2"),)


def test_added_and_removed_tasks() -> None:
    """A task that is new has no old source, one that is gone no new one."""
    old = make("ml", sources={"ml.old": "o"}, tasks={"ml.old": {}})
    new = make("ml", "f2", {"ml.new": "n"}, tasks={"ml.new": {}})
    assert changes(old, new) == (Change("ml.old", "o", None), Change("ml.new", None, "n"))


def test_a_task_whose_policies_changed_is_listed() -> None:
    """A task that only gets another number of retries is a change of that task, and not of its source."""
    old = make("ml", sources={"ml.t": "s"}, tasks={"ml.t": {"retries": 0}})
    new = make("ml", "f2", {"ml.t": "s"}, tasks={"ml.t": {"retries": 3}})
    assert changes(old, new) == (Change("ml.t", {"retries": 0}, {"retries": 3}),)


def test_what_else_the_code_consists_of_is_listed() -> None:
    """Helpers and modules that tasks use come with their old and new source, as tasks do."""
    old = make("ml", sources={"ml.t": "s", "clean": "def clean(): 1", "pkg/a.py": "A = 1"}, tasks={"ml.t": {}})
    new = make("ml", "f2", {"ml.t": "s", "clean": "def clean(): 2", "LIMIT": "LIMIT = 3"}, tasks={"ml.t": {}})
    assert changes(old, new) == (
        Change("clean", "def clean(): 1", "def clean(): 2"),
        Change("pkg/a.py", "A = 1", None),
        Change("LIMIT", None, "LIMIT = 3"),
    )


def test_no_credential_is_in_a_change() -> None:
    """What looks like a password is masked in old and new sources and fields."""
    old = make("ml", sources={"ml.t": "password = 'old-one'"}, description="https://me:old-one@host")
    new = make("ml", "f2", {"ml.t": "password = 'new-one'"}, description="https://me:new-one@host")
    found = changes(old, new)
    assert [change.what for change in found] == ["description", "ml.t"]
    assert "-one" not in repr(found)
    assert repr(found).count(MASK) == 4


def test_what_has_no_bundle_is_blocked_with_its_problem() -> None:
    """An environment whose code cannot be deployed says why, and what depends on it says so, too."""
    edges: dict[str, tuple[str, ...]] = {"base": (), "ml": ("base",), "api": ("ml",), "side": ("base",)}
    bundles = {name: make(name) for name in edges if name != "ml"}
    found = make_plan("local", list(edges), edges, bundles, {}, problems={"ml": "uses `df`. Pass it."})
    assert found.actions == {"base": "create", "ml": "blocked", "api": "blocked", "side": "create"}
    assert {step.name: step.problem for step in found.blocked} == {"ml": "uses `df`. Pass it.", "api": "needs ml"}
    with pytest.raises(DeploymentBlockedError, match=r"'ml' uses `df`\. Pass it\. \(1 more") as caught:
        found.raise_if_blocked()
    assert caught.value.problems == {"ml": "uses `df`. Pass it.", "api": "needs ml"}


def test_a_step_knows_both_versions() -> None:
    """A step says what would be deployed and what is, so that a plan can be verified later."""
    edges: dict[str, tuple[str, ...]] = dict.fromkeys(["new", "changed", "same"], ())
    there = {"changed": deployed(make("changed", "f0")), "same": deployed(make("same"))}
    found = make_plan("local", list(edges), edges, {name: make(name) for name in edges}, there, asked=["new"])
    assert [(step.fingerprint, step.deployed) for step in found.steps] == [("f1", ""), ("f1", "f0"), ("f1", "f1")]
    assert (found.names, found.prune) == (("new",), False)


def test_a_changed_secret_is_listed_and_not_shown() -> None:
    """If nothing visible differs, the change is in one of the fields that hold masked values."""
    old = make("ml", image={"env_vars": {"TOKEN": MASK}}, env_vars={"LOG": "1"})
    new = make("ml", "f2", image={"env_vars": {"TOKEN": MASK}}, env_vars={"LOG": "1"})
    assert changes(old, new) == (Change("image", {"env_vars": {"TOKEN": MASK}}, {"env_vars": {"TOKEN": MASK}}),)


def test_a_difference_that_nothing_explains_is_told_as_such() -> None:
    """An environment that another version of Python deployed may have another fingerprint and nothing else."""
    assert changes(make("ml", "f1", image="a"), make("ml", "f2", image="a")) == (Change("fingerprint", "f1", "f2"),)
