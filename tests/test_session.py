"""The public functions: order, plan and deploy of the session, on the embedded target."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import flyte_nb
from flyte_nb.deployment.applying.status import EnvironmentStatus
from flyte_nb.deployment.planning.plan import Change, Plan
from flyte_nb.deployment.watching import Nobody
from flyte_nb.errors import (
    InvalidTypeError,
    InvalidValueError,
    OversizeError,
    SourceUnavailableError,
    StateError,
    UnknownEnvironmentError,
    UnknownTargetError,
)
from flyte_nb.masking import MASK
from flyte_nb.session import session

if TYPE_CHECKING:
    from pathlib import Path

    from flyte_nb.deployment.applying.status import Deployment


def deploy(*environments: Any, **options: Any) -> Deployment:
    return asyncio.run(flyte_nb.deploy(*environments, **options))


def define_seed() -> tuple[flyte_nb.TaskEnvironment, ...]:
    """Define the environments of the seed document: base, then ml, then api."""
    base = flyte_nb.TaskEnvironment("base-utils", image="python:3.12-slim")
    ml = flyte_nb.TaskEnvironment("ml-training", image="pytorch:latest", depends_on=[base])
    api = flyte_nb.TaskEnvironment("api", image="fastapi:latest")
    api.add_dependency(ml)
    return base, ml, api


def test_the_seed_deploys_base_then_ml_then_api() -> None:
    """The order is the promised one, planned, deployed, and by the timestamps."""
    _, _, api = define_seed()
    assert flyte_nb.deployment_order() == ["base-utils", "ml-training", "api"]
    assert flyte_nb.plan().order == ["base-utils", "ml-training", "api"]
    result = deploy(api)
    assert result.succeeded
    assert result.target == "local"
    assert result.order == ["base-utils", "ml-training", "api"]
    first, second, third = result.environments
    assert first.ended <= second.started
    assert second.ended <= third.started


def test_order_does_not_depend_on_the_order_of_definition() -> None:
    """Dependents may be defined first."""
    flyte_nb.TaskEnvironment("api", depends_on=["ml"])
    flyte_nb.TaskEnvironment("ml", depends_on=["base"])
    flyte_nb.TaskEnvironment("base")
    assert deploy().order == flyte_nb.deployment_order() == ["base", "ml", "api"]


def test_of_what_is_ready_the_first_registered_comes_first() -> None:
    """The order of independent environments is that of their definition."""
    for name in ("zebra", "ape", "mole"):
        flyte_nb.TaskEnvironment(name)
    flyte_nb.TaskEnvironment("bee", depends_on=["mole"])
    assert flyte_nb.deployment_order() == ["zebra", "ape", "mole", "bee"]


@pytest.mark.parametrize("use", ["object", "name"])
def test_what_is_asked_for_brings_what_it_needs_and_no_more(use: str) -> None:
    """Deploying ml deploys base and ml, given as an environment or by its name."""
    _, ml, _ = define_seed()
    chosen = ml if use == "object" else "ml-training"
    assert flyte_nb.deployment_order(chosen) == ["base-utils", "ml-training"]
    assert flyte_nb.plan(chosen).order == ["base-utils", "ml-training"]
    assert deploy(chosen).states == {"base-utils": "succeeded", "ml-training": "succeeded"}
    assert flyte_nb.plan().actions == {"base-utils": "unchanged", "ml-training": "unchanged", "api": "create"}


def test_a_second_deployment_of_the_same_does_nothing() -> None:
    """What is deployed as it is defined is left alone, also by a session that starts anew."""
    define_seed()
    deploy()
    flyte_nb.reset()
    define_seed()
    again = deploy()
    assert again.succeeded
    assert set(again.states.values()) == {"unchanged"}
    assert [status.started for status in again.environments] == [None] * 3
    assert again.order == ["base-utils", "ml-training", "api"]


def test_only_what_changed_is_deployed() -> None:
    """Another image for base deploys base and leaves its dependents alone."""
    define_seed()
    deploy()
    flyte_nb.TaskEnvironment("base-utils", image="python:3.13-slim")
    assert flyte_nb.plan().steps[0].changes == (Change("image", "python:3.12-slim", "python:3.13-slim"),)
    assert deploy().states == {"base-utils": "succeeded", "ml-training": "unchanged", "api": "unchanged"}


def test_planning_changes_nothing() -> None:
    """A plan may be made again and again."""
    define_seed()
    assert flyte_nb.plan() == flyte_nb.plan()
    assert set(flyte_nb.plan().actions.values()) == {"create"}


def test_a_changed_task_is_shown_with_its_source() -> None:
    """The plan shows the task as it is deployed and as it is now."""
    env = flyte_nb.TaskEnvironment("ml")

    @env.task
    def train() -> int:
        return 1

    deploy()

    @env.task
    def train() -> int:  # noqa: F811 - the cell was edited
        return 2

    (change,) = flyte_nb.plan().steps[0].changes
    assert change.what == "ml.train"
    assert change.old.splitlines()[-1] == "    return 1"
    assert change.new.splitlines()[-1] == "    return 2"


def test_added_and_removed_tasks_are_shown() -> None:
    """The plan shows which tasks come and which go."""
    env = flyte_nb.TaskEnvironment("ml")

    @env.task
    def old() -> None: ...

    deploy()
    flyte_nb.reset()
    env = flyte_nb.TaskEnvironment("ml")

    @env.task
    def new() -> None: ...

    gone, come = flyte_nb.plan().steps[0].changes
    assert (gone.what, gone.new) == ("ml.old", None)
    assert (come.what, come.old) == ("ml.new", None)


def test_a_changed_secret_is_a_change_that_is_not_shown() -> None:
    """Another value of a masked variable deploys the environment again, and the plan says where without saying what."""
    flyte_nb.TaskEnvironment("ml", env_vars={"API_TOKEN": "hunter2", "LOG": "1"})
    deploy()
    flyte_nb.TaskEnvironment("ml", env_vars={"API_TOKEN": "hunter3", "LOG": "1"})
    shown = {"API_TOKEN": MASK, "LOG": "1"}
    assert flyte_nb.plan().steps[0].changes == (Change("env_vars", shown, shown),)
    assert deploy().states == {"ml": "succeeded"}
    assert deploy().states == {"ml": "unchanged"}


def test_an_undefined_name_is_reported_by_plan_and_refused_by_deploy() -> None:
    """The plan shows what is missing with a suggestion; deploy deploys nothing at all."""
    flyte_nb.TaskEnvironment("base-utils")
    flyte_nb.TaskEnvironment("ml", depends_on=["base-utls"])
    plan = flyte_nb.plan()
    assert plan.actions == {"base-utls": "undefined", "base-utils": "create", "ml": "blocked"}
    assert "Did you mean 'base-utils'?" in plan.blocked[0].problem
    with pytest.raises(UnknownEnvironmentError, match=r"'ml' depends on 'base-utls'.* Did you mean 'base-utils'\?"):
        deploy()
    assert flyte_nb.plan("base-utils").actions == {"base-utils": "create"}


def test_what_does_not_need_the_undefined_name_can_be_deployed() -> None:
    """Only what needs the missing environment is held back."""
    flyte_nb.TaskEnvironment("base")
    flyte_nb.TaskEnvironment("ml", depends_on=["missing"])
    assert deploy("base").succeeded


@pytest.mark.parametrize("use", [flyte_nb.deployment_order, flyte_nb.plan, deploy])
def test_a_name_nobody_defined_is_refused(use: Any) -> None:
    """Asking for an unknown environment suggests a known one; asking with something else is a type error."""
    flyte_nb.TaskEnvironment("base-utils")
    with pytest.raises(UnknownEnvironmentError, match=r"'base-util' is not defined\. Did you mean 'base-utils'\?"):
        use("base-util")
    with pytest.raises(InvalidTypeError, match="an environment or its name"):
        use(42)


@pytest.mark.parametrize("target", ["locl", "", None, 3])
def test_an_unknown_target_is_refused(target: Any) -> None:
    """The error lists the targets there are."""
    with pytest.raises(UnknownTargetError, match="the targets are: local"):
        flyte_nb.plan(target=target)
    with pytest.raises(UnknownTargetError):
        deploy(target=target)


@pytest.mark.parametrize(("limit", "error"), [(0, InvalidValueError), (-1, InvalidValueError), ("8", InvalidTypeError),
                                              (True, InvalidTypeError), (2.0, InvalidTypeError)])  # fmt: skip
def test_a_limit_that_means_nothing_is_refused(limit: Any, error: type[Exception]) -> None:
    """max_concurrency is a whole number from 1."""
    with pytest.raises(error, match="max_concurrency"):
        deploy(max_concurrency=limit)


def test_a_task_without_source_is_blocked_and_stops_a_deployment() -> None:
    """Nothing is deployed if one of the tasks cannot be; the plan says which and why."""
    flyte_nb.TaskEnvironment("base")
    env = flyte_nb.TaskEnvironment("ml")
    exec("@env.task\ndef train(): ...", {"env": env})  # noqa: S102
    (blocked,) = flyte_nb.plan().blocked
    assert blocked.name == "ml"
    assert "the source of task 'ml.train' is not available" in blocked.problem
    with pytest.raises(SourceUnavailableError, match=r"ml\.train"):
        deploy()
    assert flyte_nb.plan().actions == {"base": "create", "ml": "blocked"}


def test_nothing_defined_is_nothing_to_do() -> None:
    """An empty session plans and deploys nothing, successfully."""
    assert flyte_nb.deployment_order() == []
    assert flyte_nb.plan().steps == ()
    assert deploy().succeeded


def test_the_home_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting wins over FLYTE_NB_HOME, and each home has deployments of its own."""
    flyte_nb.TaskEnvironment("base")
    deploy()
    monkeypatch.setattr(session().settings, "home", str(tmp_path / "chosen"))
    assert flyte_nb.plan().actions == {"base": "create"}
    deploy()
    assert (tmp_path / "chosen" / "state.sqlite3").exists()


def test_an_unusable_home_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that cannot be read stops plan and deploy before anything is done."""
    (tmp_path / "state.sqlite3").write_text("not a database" * 100)
    monkeypatch.setenv("FLYTE_NB_HOME", str(tmp_path))
    flyte_nb.TaskEnvironment("base")
    for use in (flyte_nb.plan, deploy):
        with pytest.raises(StateError, match=r"state\.sqlite3"):
            use()


def test_many_environments_deploy_with_a_limit() -> None:
    """A hundred environments in layers are all deployed, each after what it depends on."""
    for index in range(100):
        flyte_nb.TaskEnvironment(f"n{index}", depends_on=[f"n{index - 10}"] if index >= 10 else [])
    result = deploy(max_concurrency=3)
    assert result.succeeded
    assert all(result.order.index(f"n{index - 10}") < result.order.index(f"n{index}") for index in range(10, 100))


class Noting(Nobody):
    """Notes what a watcher is told."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def begun(self, plan: Plan, name: str) -> None:
        self.seen += [plan, name]

    def changed(self, status: EnvironmentStatus) -> None:
        self.seen.append(status)

    def said(self, environment: str, line: str) -> None:
        self.seen.append(line)


def test_watchers_see_the_plan_first() -> None:
    """The plan and the name of the deployment are told before the first status, and what is said in between."""
    define_seed()
    watcher = Noting()
    deployment = asyncio.run(session().deploy((), "local", watcher=watcher))
    plan, name, *events = watcher.seen
    assert isinstance(plan, Plan)
    assert name == deployment.name == "d1"
    assert sum(isinstance(event, EnvironmentStatus) for event in events) == 6
    said = [event for event in events if isinstance(event, str)]
    assert ["recorded" in line for line in said] == [False, True] * 3
    assert said[0] == 'runs in the kernel\'s Python: "python:3.12-slim" is a container image, which is not used here'


def test_plans_remark_on_what_is_not_used_here() -> None:
    """What a definition says and the local target does not do is in the plan, which is none the less carried out."""
    flyte_nb.TaskEnvironment("base", resources=flyte_nb.Resources(cpu=1))
    flyte_nb.TaskEnvironment("ml", image="pytorch:latest", resources=flyte_nb.Resources(cpu="1000000"))
    deploy()
    plan = flyte_nb.plan()
    assert plan.actions == {"base": "unchanged", "ml": "unchanged"}
    assert plan.steps[0].remarks == ()
    image, size = plan.steps[1].remarks
    assert '"pytorch:latest" is a container image' in image
    assert size.startswith("asks for 1000000 cores of ")
    assert str(plan).splitlines()[2].startswith("unchanged  ml  runs in the kernel's Python")


def test_what_is_larger_than_the_machine_can_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `oversize` set to "refuse", it is blocked with all that needs it, and deploying tells why in one line."""
    monkeypatch.setattr(session().settings, "oversize", "refuse")
    flyte_nb.TaskEnvironment("big", resources=flyte_nb.Resources(memory="1000Ti"))
    flyte_nb.TaskEnvironment("api", depends_on=["big"])
    flyte_nb.TaskEnvironment("other")
    assert flyte_nb.plan().actions == {"big": "blocked", "api": "blocked", "other": "create"}
    with pytest.raises(OversizeError, match=r"'big' asks for 1000 TiB of memory of .*oversize = \"clamp\"") as caught:
        deploy()
    assert caught.value.environment == "big"
    assert "\n" not in str(caught.value)


def test_reset_forgets_definitions_and_keeps_deployments() -> None:
    """After a reset nothing is defined, and what was deployed still is."""
    define_seed()
    deploy()
    flyte_nb.reset()
    assert flyte_nb.deployment_order() == []
    assert dict(flyte_nb.registry()) == {}
    flyte_nb.TaskEnvironment("base-utils", image="python:3.12-slim")
    assert flyte_nb.plan().actions == {"base-utils": "unchanged"}


def test_a_plan_can_be_deployed_once() -> None:
    """A plan is applied as it was seen, and refused when it is no longer what would be done."""
    flyte_nb.TaskEnvironment("base")
    flyte_nb.TaskEnvironment("ml", depends_on=["base"])
    plan = flyte_nb.plan("base")
    assert asyncio.run(flyte_nb.deploy(plan)).order == ["base"]
    with pytest.raises(flyte_nb.PlanOutdatedError, match="'base' changed on the target"):
        asyncio.run(flyte_nb.deploy(plan))
    with pytest.raises(flyte_nb.InvalidTypeError, match="an environment or its name"):
        asyncio.run(flyte_nb.deploy(plan, "ml"))


def test_pruning_is_for_the_whole_session() -> None:
    """With names, it would remove what was not named."""
    flyte_nb.TaskEnvironment("base")
    flyte_nb.TaskEnvironment("ml")
    deploy()
    flyte_nb.reset()
    flyte_nb.TaskEnvironment("base")
    for use in (flyte_nb.plan, deploy):
        with pytest.raises(flyte_nb.InvalidValueError, match="goes with all environments"):
            use("base", prune=True)
    assert deploy(prune=True).states == {"base": "unchanged", "ml": "removed"}
