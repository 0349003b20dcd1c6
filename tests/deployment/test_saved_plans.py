"""A plan that is saved is the same when it is loaded, and is refused once it is no longer what would be done."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flyte_nb
from flyte_nb.deployment.planning.making import make_plan
from flyte_nb.deployment.planning.plan import Plan
from flyte_nb.deployment.planning.verifying import verify
from flyte_nb.errors import InvalidValueError, PlanOutdatedError, SavedPlanError
from tests.deployment.fakes import make, there

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.targets.protocol import Deployed

EDGES: dict[str, tuple[str, ...]] = {"base": (), "ml": ("base",), "same": ()}


def plan(
    edges: Mapping[str, tuple[str, ...]] = EDGES,
    bundles: Mapping[str, Bundle] | None = None,
    deployed: Mapping[str, Deployed] | None = None,
    **options: Any,
) -> Plan:
    """Return a plan that creates, updates, removes and leaves alone."""
    found = {name: make(name, "new", {f"{name}.t": "def t(): 2"}, image="b") for name in edges}
    has = {"ml": there("ml"), "same": there("same", (), "new"), "gone": there("gone")}
    chosen = {"removable": {"gone"}, "asked": ["ml", "same"], "durations": {"base": 1.5}, **options}
    return make_plan("local", list(edges), edges, {**found, **(bundles or {})}, has | (deployed or {}), **chosen)


def test_a_saved_plan_is_the_same_plan(tmp_path: Path) -> None:
    """Steps, changes, waves, expectations and what it was made for come back from the file."""
    made = plan()
    assert set(made.actions.values()) == {"create", "update", "unchanged", "remove"}
    made.save(tmp_path / "my.plan")
    assert Plan.load(str(tmp_path / "my.plan")) == made
    assert [path.name for path in tmp_path.iterdir()] == ["my.plan"]
    assert Plan.from_json(made.to_json()) == made


def test_a_plan_that_is_blocked_can_be_saved() -> None:
    """What is undefined, and why, comes back."""
    undefined = plan({"ml": ("base",)})
    blocked = plan(problems={"base": "cannot be read"})
    for saved in (undefined, blocked):
        assert saved.blocked
        assert Plan.from_json(saved.to_json()) == saved


def test_remarks_are_saved_and_change_nothing() -> None:
    """They come back with the plan, a plan without any is the same for a deployment, and earlier plans have none."""
    remarked = plan(remarks={"base": ("takes the whole machine",)})
    assert [step.remarks for step in remarked.steps if step.remarks] == [("takes the whole machine",)]
    assert Plan.from_json(remarked.to_json()) == remarked
    verify(remarked, plan())
    verify(plan(), remarked)
    entry = json.loads(plan().to_json())
    for step in entry["steps"]:
        del step["remarks"]
    assert Plan.from_json(json.dumps(entry)) == plan()


def test_saving_replaces_what_was_there(tmp_path: Path) -> None:
    """A second plan takes the place of the first."""
    plan().save(tmp_path / "p")
    other = plan({"base": ()})
    other.save(tmp_path / "p")
    assert Plan.load(tmp_path / "p") == other


def test_no_secret_is_in_a_saved_plan() -> None:
    """Masked fields stay masked, and what looks like a password in a source is masked."""
    flyte_nb.TaskEnvironment("ml", env_vars={"API_TOKEN": "hunter2"})
    assert "hunter2" not in flyte_nb.plan().to_json()
    new = {"base": make("base", "new", {"base.t": "password = 'hunter2'"})}
    made = plan(bundles=new, deployed={"base": there("base")})
    assert made.steps[0].changes
    assert "hunter2" not in made.to_json()


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    """The error names the file and the reason; nothing is left behind."""
    with pytest.raises(SavedPlanError, match=r"cannot be saved: No such file or directory\. Plan again"):
        plan().save(tmp_path / "no" / "folder")
    (tmp_path / "taken").mkdir()
    with pytest.raises(SavedPlanError, match="taken cannot be saved"):
        plan().save(tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def _expecting(seconds: str) -> bytes:
    """Return a plan without steps that is expected to take so long."""
    text = Plan("local", (), (), expected_duration=12345.0).to_json()
    return text.replace("12345.0", seconds).encode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file"),
        (b"\xff\xfe", "it is not text"),
        (b"hello", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", "it is something else"),
        (b'{"name": "package"}', "it is something else"),
        (b'{"format": "flyte_nb plan", "version": 2}', r"by a newer flyte_nb \(format 2, known 1\)"),
        (b'{"format": "flyte_nb plan", "version": 1}', "was changed since it was saved"),
        (_expecting("1" + "0" * 400), "was changed since it was saved"),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, content: bytes | None, reason: str) -> None:
    """The error says in one line what is wrong with the file."""
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SavedPlanError, match=reason) as caught:
        Plan.load(path)
    assert "\n" not in str(caught.value)
    assert caught.value.path == str(path)


def test_a_step_that_is_there_twice_is_refused() -> None:
    """A name has one step."""
    entry = json.loads(plan().to_json())
    entry["steps"].append(entry["steps"][0])
    with pytest.raises(SavedPlanError, match="out of order"):
        Plan.from_json(json.dumps(entry))


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just([]) | st.just({})


@given(st.data())
def test_a_plan_that_was_tampered_with_is_a_plan_or_refused(data: st.DataObject) -> None:
    """Whatever is replaced in it, what is read is a plan whose steps are in order, or there is one clear error."""
    entry = json.loads(plan().to_json())
    place: Any = data.draw(st.sampled_from([entry, *entry["steps"]]))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(VALUES | st.lists(VALUES, max_size=3))
    try:
        found = Plan.from_json(json.dumps(entry))
    except SavedPlanError as error:
        assert "\n" not in str(error)  # noqa: PT017 - it may also be a plan
    else:
        seen: set[str] = set()
        for step in found.steps:
            assert seen.issuperset(step.depends_on)
            seen.add(step.name)
        assert Plan.from_json(found.to_json()) == found


def test_a_plan_that_still_holds_is_accepted() -> None:
    """What does not change what is done does not matter: the order of registration, or what is known of durations."""
    verify(Plan.from_json(plan().to_json()), plan())
    verify(plan(), plan(dict(reversed(EDGES.items())), durations={}))


def outdated(saved: Plan, current: Plan) -> tuple[tuple[str, ...], tuple[str, ...]]:
    with pytest.raises(PlanOutdatedError) as caught:
        verify(saved, current)
    assert "\n" not in str(caught.value)
    return caught.value.session, caught.value.target


def test_a_changed_session_is_noticed() -> None:
    """Another version, dependency, environment more or less, or one that is back: the session has changed these."""
    assert outdated(plan(), plan(bundles={"ml": make("ml", "newer")})) == (("ml",), ())
    assert outdated(plan(), plan({**EDGES, "ml": ()})) == (("ml",), ())
    assert outdated(plan(), plan({**EDGES, "more": ()})) == (("more",), ())
    assert outdated(plan({**EDGES, "more": ()}), plan()) == (("more",), ())
    assert outdated(plan(), plan(problems={"base": "cannot be read"}))[0] == ("base", "ml")
    assert "gone" in outdated(plan(), plan({**EDGES, "gone": ()}))[0]


def test_a_changed_target_is_noticed() -> None:
    """Another version there, one that has come, or one to be removed that has gone or is needed now."""
    assert outdated(plan(), plan(deployed={"ml": there("ml", (), "other")})) == ((), ("ml",))
    assert outdated(plan(), plan(deployed={"base": there("base")})) == ((), ("base",))
    assert outdated(plan(), plan(removable={"nothing"})) == ((), ("gone",))
    assert outdated(plan(), plan(deployed={"ml": there("ml", ["gone"])})) == ((), ("gone",))


def test_a_changed_secret_is_noticed() -> None:
    """Though the plan does not hold it, it counts."""
    flyte_nb.TaskEnvironment("ml", env_vars={"API_TOKEN": "hunter2"})
    saved = Plan.from_json(flyte_nb.plan().to_json())
    verify(saved, flyte_nb.plan())
    flyte_nb.TaskEnvironment("ml", env_vars={"API_TOKEN": "hunter3"})
    assert outdated(saved, flyte_nb.plan()) == (("ml",), ())


def test_the_error_says_who_changed_what() -> None:
    """Both sides are told, a few names of each, and what to do."""
    many = {f"n{number}": make(f"n{number}", "newer") for number in range(8)}
    edges = {**EDGES, **dict.fromkeys(many, ())}
    with pytest.raises(PlanOutdatedError) as caught:
        verify(plan(edges), plan(edges, many, {"base": there("base")}))
    assert str(caught.value) == (
        "the plan is outdated: since it was made, 'n0', 'n1', 'n2', 'n3', 'n4' and 3 more changed in the session; "
        "'base' changed on the target. Plan again: %flyte_plan --save FILE"
    )


def test_what_is_not_defined_is_told_apart() -> None:
    """In a kernel in which nothing has run yet, nothing has changed: the notebook has to run."""
    deployed = {name: there(name) for name in EDGES}
    for nothing in (plan({}), plan({}, deployed=deployed, removable={*EDGES, "gone"})):
        with pytest.raises(PlanOutdatedError) as caught:
            verify(plan(deployed=deployed), nothing)
        assert set(EDGES) == set(caught.value.undefined) == set(caught.value.session)
        names = ", ".join(map(repr, caught.value.undefined))
        assert f"the plan is outdated: not defined in this session: {names}" in str(caught.value)
        assert str(caught.value).endswith(". Run the notebook first, or plan again: %flyte_plan --save FILE")
        assert not set(EDGES) & set(caught.value.target)
    with pytest.raises(PlanOutdatedError, match=r"session: 'more'\. since it was made, 'ml' changed"):
        verify(plan({**EDGES, "more": ()}), plan(bundles={"ml": make("ml", "newer")}))


@pytest.mark.parametrize("other", [{"target": "flyte"}, {"names": ("ml",)}, {"prune": False}])
def test_plans_for_different_things_are_not_compared(other: dict[str, Any]) -> None:
    """A plan is verified against one for the same target, the same names and the same pruning."""
    with pytest.raises(InvalidValueError, match="is what it was made for"):
        verify(plan(), replace(plan(), **other))
