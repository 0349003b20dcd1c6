"""What a plan removes: only what may be, nothing that is needed, and users before what they use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.deployment.planning.making import make_plan
from flyte_nb.deployment.planning.plan import Action
from tests.deployment.fakes import make, there

if TYPE_CHECKING:
    from collections.abc import Collection

    from flyte_nb.deployment.planning.plan import Plan
    from flyte_nb.targets.protocol import Deployed

Graph = dict[str, tuple[str, ...]]


def pruned(session: Graph, deployed: Collection[Deployed], others: Graph | None = None, keep: str = "") -> Plan:
    """Return the plan for `session`, which may remove all but `keep`; `others` are not part of it."""
    has = {found.name: found for found in deployed}
    bundles = {name: make(name, "new", depends_on=list(needs)) for name, needs in session.items()}
    removable = set(has) - {keep}
    return make_plan("local", list(session), {**session, **(others or {})}, bundles, has, removable=removable)


def after(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return what each removal comes after."""
    return {step.name: step.depends_on for step in plan.steps if step.action is Action.REMOVE}


def test_nothing_is_removed_unless_that_is_wanted() -> None:
    """Without pruning, what is deployed and not defined stays, and is not part of the plan."""
    plan = make_plan("local", ["a"], {"a": ()}, {"a": make("a")}, {"gone": there("gone")})
    assert plan.actions == {"a": "create"}
    assert not plan.prune


def test_only_what_is_deployed_and_not_defined_is_removed() -> None:
    """What the session defines stays, selected or not, and what others have deployed stays, too."""
    plan = pruned(
        {"a": ()}, [there("a"), there("gone"), there("defined"), there("foreign")], {"defined": ()}, "foreign"
    )
    assert plan.actions == {"a": "update", "gone": "remove"}
    assert plan.prune
    assert plan.order == ["a", "gone"]
    assert plan.steps[1].deployed == "old"
    assert plan.steps[1].fingerprint == ""


def test_users_are_removed_before_what_they_use() -> None:
    """The order of removal is the reverse of that of deployment, and what is deployed meanwhile does not wait."""
    plan = pruned({"a": ()}, [there("base"), there("ml", ["base"]), there("api", ["ml", "base"])])
    assert plan.order == ["a", "api", "ml", "base"]
    assert after(plan) == {"api": (), "ml": ("api",), "base": ("ml", "api")}
    assert plan.waves == (("a", "api"), ("ml",), ("base",))


def test_what_is_used_until_an_update_is_removed_after_it() -> None:
    """An environment that no longer depends on it is deployed first."""
    plan = pruned({"new-base": (), "ml": ("new-base",)}, [there("base"), there("ml", ["base"])])
    assert plan.actions == {"new-base": "create", "ml": "update", "base": "remove"}
    assert after(plan) == {"base": ("ml",)}


def test_what_somebody_else_needs_is_not_removed() -> None:
    """It is blocked with who needs it, and so is all that it depends on; what depends on it may go."""
    deployed = [there("deep"), there("base", ["deep"]), there("foreign", ["base"]), there("api", ["base"])]
    plan = pruned({}, deployed, keep="foreign")
    assert plan.actions == {"api": "remove", "base": "blocked", "deep": "blocked"}
    problems = {step.name: step.problem for step in plan.blocked}
    assert problems["base"].startswith("cannot be removed: 'foreign' stays and needs it.")
    assert problems["deep"].startswith("cannot be removed: 'base' stays and needs it.")


def test_what_the_session_needs_is_not_removed() -> None:
    """Neither what a selected environment depends on, which is not defined then, nor what another one does."""
    assert pruned({"ml": ("base",)}, [there("base")]).actions == {"base": "undefined", "ml": "blocked"}
    plan = pruned({"a": ()}, [there("base")], {"ml": ("base",)})
    assert plan.actions == {"a": "create", "base": "blocked"}
    assert "'ml' stays" in plan.blocked[0].problem


def test_contradictions_of_the_target_do_not_keep_it_from_being_removed() -> None:
    """Of two that depend on each other as they were deployed at different times, any goes first."""
    plan = pruned({}, [there("a", ["b"]), there("b", ["a"]), there("c", ["c"])])
    assert plan.actions == {"a": "remove", "b": "remove", "c": "remove"}
    assert after(plan) == {"a": (), "b": (), "c": ()}
