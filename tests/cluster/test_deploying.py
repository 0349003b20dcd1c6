"""Deploying to a cluster: in order, each task once, and what stands in the way stops what depends on it only."""

from __future__ import annotations

import asyncio
import os
import random
import re
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flyte as sdk
import pytest

import flyte_nb as flyte
from flyte_nb.deployment.applying.status import State
from tests.files import files_with

from .loopback.control import Fault
from .loopback.images import VenvBuilder
from .waiting import wait_for

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .loopback.control import Loopback

THREE = """
base = flyte.TaskEnvironment("base", image="base:1")
ml = flyte.TaskEnvironment("ml", image="ml:1", depends_on=[base])
api = flyte.TaskEnvironment("api", image="api:1", depends_on=[ml])

@base.task
async def load() -> int:
    return 20

@ml.task
async def train(n: int) -> int:
    return n + 1

@api.task
async def serve() -> int:
    return await train(await load())
"""


def deploy(*names: str, **options: Any) -> dict[str, str]:
    """Deploy to the cluster, and return what became of each environment."""
    deployment = asyncio.run(flyte.deploy(*names, target="flyte", **options))
    return {status.name: status.state.value for status in deployment.environments}


def planned(*names: str) -> dict[str, str]:
    """Return what a deployment would do with each environment."""
    return {step.name: step.action.value for step in flyte.plan(*names, target="flyte").steps}


def sent(cluster: Loopback) -> list[str]:
    """Return the environments whose tasks were sent, in order."""
    return [call.environment for call in cluster.calls("DeployTask")]


def define(ip: InteractiveShell, cell: str) -> None:
    ip.run_cell(cell).raise_error()


def test_tasks_are_sent_in_order_and_once(ip: InteractiveShell, cluster: Loopback) -> None:
    """What an environment depends on is there before it; deployed again, nothing is sent."""
    define(ip, THREE)
    assert deploy() == {"base": "succeeded", "ml": "succeeded", "api": "succeeded"}
    assert sent(cluster) == ["base", "ml", "api"]
    assert planned() == {"base": "unchanged", "ml": "unchanged", "api": "unchanged"}
    assert deploy() == {"base": "unchanged", "ml": "unchanged", "api": "unchanged"}
    assert sent(cluster) == ["base", "ml", "api"]


@pytest.mark.slow
def test_the_order_is_respected_in_random_graphs(ip: InteractiveShell, cluster: Loopback) -> None:
    """Of 200 graphs, each environment is sent after all that it depends on, and each task exactly once."""
    for number in range(200):
        choice = random.Random(number)  # noqa: S311 - the same graphs each time
        names = [f"g{number}-{index}" for index in range(choice.randint(1, 5))]
        choice.shuffle(names)
        needs = {name: choice.sample(names[:at], choice.randint(0, min(at, 3))) for at, name in enumerate(names)}
        before = len(cluster.calls("DeployTask"))
        flyte.reset()
        cells = [
            f"e = flyte.TaskEnvironment({name!r}, image='i:1', depends_on={needs[name]!r})\n"
            f"@e.task\nasync def work_{at}() -> str:\n    return {name!r}\n"
            for at, name in enumerate(choice.sample(names, len(names)))
        ]
        define(ip, "\n".join(cells))
        assert set(deploy().values()) == {"succeeded"}
        order = sent(cluster)[before:]
        assert sorted(order) == sorted(names)
        assert all(order.index(need) < order.index(name) for name in names for need in needs[name])


def test_what_is_refused_leaves_its_dependents_unsent(ip: InteractiveShell, cluster: Loopback) -> None:
    """And the reason is what the cluster has said; what does not depend on it is deployed."""
    define(ip, THREE + "side = flyte.TaskEnvironment('side')\n@side.task\nasync def other() -> int:\n    return 1\n")
    cluster.faults(Fault("DeployTask", "ml.", refuse="invalid_argument", message="no room for ml"))
    deployment = asyncio.run(flyte.deploy(target="flyte"))
    states = {status.name: status.state for status in deployment.environments}
    assert states == {
        "base": State.SUCCEEDED,
        "side": State.SUCCEEDED,
        "ml": State.FAILED,
        "api": State.SKIPPED,
    }
    errors = {status.name: status.error for status in deployment.environments}
    assert "no room for ml (invalid_argument)" in errors["ml"]
    assert set(sent(cluster)) == {"base", "side"}
    cluster.faults()
    assert deploy() == {"base": "unchanged", "side": "unchanged", "ml": "succeeded", "api": "succeeded"}
    assert sorted(sent(cluster)) == ["api", "base", "ml", "side"]


def test_a_version_is_what_a_task_calls_too(ip: InteractiveShell, cluster: Loopback) -> None:
    """Who calls a task that has changed is deployed again; who only depends on its environment is not."""
    define(ip, THREE)
    define(
        ip,
        "late = flyte.TaskEnvironment('late', depends_on=['base'])\n@late.task\nasync def idle() -> int:\n    return 0",
    )
    deploy()
    define(ip, "@base.task\nasync def load() -> int:\n    return 40")
    assert planned() == {"base": "update", "ml": "unchanged", "api": "update", "late": "unchanged"}
    deploy()
    versions = {call.name: call.version for call in cluster.calls("DeployTask")}
    assert len(cluster.calls("DeployTask")) == len(set(versions.values())) + 2 == 6


def test_a_deployment_goes_on_when_the_server_is_back(ip: InteractiveShell, cluster: Loopback) -> None:
    """Killed during a request and started again; it ends as if nothing had been, and nothing is there twice."""
    define(ip, THREE)
    cluster.faults(Fault("DeployTask", "ml.", delay=600, times=1))
    asked = threading.Event()

    def restart() -> None:
        wait_for(lambda: "base" in sent(cluster))
        cluster.kill()
        cluster.faults()
        cluster.start()
        asked.set()

    helper = threading.Thread(target=restart)
    helper.start()
    assert set(deploy().values()) == {"succeeded"}
    helper.join()
    assert asked.is_set()
    assert [call.environment for call in cluster.calls("DeployTask") if not call.again] == ["base", "ml", "api"]


def test_an_answer_that_is_lost_changes_nothing(ip: InteractiveShell, cluster: Loopback) -> None:
    """What was done and never answered is found, and not done again."""
    define(ip, THREE)
    cluster.faults(Fault("DeployTask", "ml.", unanswered=True, times=1))
    assert set(deploy().values()) == {"succeeded"}
    assert [call.environment for call in cluster.calls("DeployTask") if not call.again] == ["base", "ml", "api"]


def test_what_is_gone_from_the_cluster_is_deployed_again(ip: InteractiveShell, cluster: Loopback) -> None:
    """A cluster may have been set up anew: what is recorded here is what it has, too, or it is not deployed."""
    define(ip, THREE)
    deploy()
    cluster.faults(Fault("GetTaskDetails", "ml.", refuse="not_found"))
    assert planned() == {"base": "unchanged", "ml": "create", "api": "unchanged"}


def test_environments_share_an_image(ip: InteractiveShell, loopback: Loopback) -> None:
    """It is built once, whoever uses it first; who calls a task knows the image of its environment."""
    builder = VenvBuilder(loopback.venvs)
    sdk.init(
        endpoint=loopback.endpoint, insecure=True, project="flytesnacks", domain="development", image_builder=builder
    )
    define(
        ip,
        """
image = flyte.Image.from_debian_base().with_env_vars({"KIND": "own"})
a = flyte.TaskEnvironment("a", image=image)
b = flyte.TaskEnvironment("b", image=image, depends_on=["a"])
@a.task
async def work() -> int:
    return 1
@b.task
async def call() -> int:
    return await work()
""",
    )
    assert set(deploy().values()) == {"succeeded"}
    assert len(builder.built) == 1


def test_other_projects_are_other_targets(ip: InteractiveShell, cluster: Loopback) -> None:
    """What is deployed to one is not deployed to another."""
    define(ip, THREE)
    deploy("base")
    ip.run_cell("d = %flyte_deploy base --target flyte --project churn --domain production").raise_error()
    assert ip.user_ns["d"].target.startswith("flyte:churn/production@127.0.0.1")
    assert ip.user_ns["d"].succeeded
    assert [each.target for each in flyte.deployments(target="flyte")] == [
        f"flyte:churn/production@127.0.0.1:{cluster.port}",
        f"flyte:flytesnacks/development@127.0.0.1:{cluster.port}",
    ]


def test_rollback_brings_back_a_version(ip: InteractiveShell, cluster: Loopback) -> None:
    """The cluster has it still: nothing is sent."""
    define(ip, THREE)
    deploy()
    define(ip, "@base.task\nasync def load() -> int:\n    return 40")
    deploy()
    before = len(sent(cluster))
    deployment = asyncio.run(flyte.rollback("d1"))
    assert deployment.states["base"] == "succeeded"
    assert len(sent(cluster)) == before
    assert planned() == {"base": "update", "ml": "unchanged", "api": "update"}


def test_without_a_connection_one_line_says_what_to_do(ip: InteractiveShell, home: object) -> None:
    """And nothing is changed."""
    sdk.init()
    define(ip, THREE)
    for line in ("%flyte_plan --target flyte", "%flyte_deploy --target flyte", "%flyte_run load() --on flyte"):
        error = ip.run_cell(line).error_in_exec
        assert type(error).__name__ == "UsageError"
        assert "Connect first: flyte.init_from_config() or flyte.init(endpoint=..., ...)" in str(error)


def test_projects_are_of_clusters_only(ip: InteractiveShell) -> None:
    """One line says so."""
    error = ip.run_cell("%flyte_deploy --project churn").error_in_exec
    assert str(error) == "--project and --domain are of a cluster: add --target flyte."


def test_secret_values_go_to_the_cluster_and_nowhere_else(ip: InteractiveShell, cluster: Loopback, home: Path) -> None:
    """The task has its variable; the plan says what calls of others would not have, and nothing here keeps it."""
    define(
        ip,
        """
env = flyte.TaskEnvironment("env", env_vars={"API_TOKEN": "tok-12345", "MODE": "fast"})
@env.task
async def said() -> str:
    import os
    return os.environ["API_TOKEN"] + os.environ["MODE"]
""",
    )
    (step,) = flyte.plan(target="flyte").steps
    assert 'flyte.Secret(..., as_env_var="API_TOKEN")' in step.remarks[0]
    deploy()
    assert asyncio.run(flyte.run(ip.user_ns["said"], on="flyte")).result == "tok-12345fast"
    assert files_with("tok-12345", home / "flyte_nb") == []
    assert "API_TOKEN" not in os.environ


TRIGGERED = """
env = flyte.TaskEnvironment("env", image="env:1")
@env.task(flyte_options={"triggers": (sdk.Trigger("t1", sdk.Cron("0 0 * * *"), inputs={"api_token": "tok-11111"}),)})
async def first(api_token: str) -> int:
    return 1
@env.task(flyte_options={"triggers": (sdk.Trigger("t2", sdk.Cron("0 0 * * *"), inputs={"api_token": "tok-22222"}),)})
async def second(api_token: str) -> int:
    return 2
"""


def _inputs_of_trigger(request: str) -> str:
    """Return what a trigger runs its task with: newer SDKs send it beside the request, which says where it is."""
    place = re.search(r'uri: "(.+inputs\.pb)"', request)
    return Path(place[1]).read_bytes().decode(errors="replace") if place else request


def test_secret_options_of_tasks_go_to_the_cluster(ip: InteractiveShell, cluster: Loopback, home: Path) -> None:
    """Each trigger has the value of its own; a plan has nothing to ask, and nothing here keeps any."""
    define(ip, "import flyte as sdk" + TRIGGERED)
    (step,) = flyte.plan(target="flyte").steps
    assert (step.problem, step.remarks) == ("", ())  # calls of others need no triggers
    deploy()
    sent_inputs = {call.name: _inputs_of_trigger(call.request) for call in cluster.calls("DeployTask")}
    assert set(sent_inputs) == {"env.first", "env.second"}
    for name, own, others in [("env.first", "tok-11111", "tok-22222"), ("env.second", "tok-22222", "tok-11111")]:
        assert own in sent_inputs[name]
        assert others not in sent_inputs[name]
    assert files_with("tok-11111", home / "flyte_nb") == []
    assert files_with("tok-22222", home / "flyte_nb") == []
    assert not [name for name in os.environ if name.startswith("ENV_")]


def test_pods_go_to_the_cluster(ip: InteractiveShell, cluster: Loopback, home: Path) -> None:
    """With what is secret in them, which is kept nowhere here; who else calls the task would not bring that along."""
    pytest.importorskip("kubernetes")
    define(
        ip,
        """
import flyte as sdk
from kubernetes import client
variables = [client.V1EnvVar(name="API_TOKEN", value="tok-33333")]
pod = client.V1PodSpec(
    containers=[client.V1Container(name="primary", env=variables)], node_selector={"pool": "gpu"},
    tolerations=[client.V1Toleration(key="gpu", operator="Exists")],
)
template = sdk.PodTemplate(primary_container_name="primary", pod_spec=pod)
env = flyte.TaskEnvironment("env", image="env:1", flyte_options={"pod_template": template})
@env.task
async def work() -> int:
    return 1
""",
    )
    (step,) = flyte.plan(target="flyte").steps
    assert step.problem == ""
    assert "ENV_POD_TEMPLATE_POD_SPEC_CONTAINERS_PRIMARY_ENV_API_TOKEN_VALUE" in step.remarks[0]
    assert deploy() == {"env": "succeeded"}
    (call,) = cluster.calls("DeployTask")
    for part in ("tok-33333", "API_TOKEN", "Exists", "pool"):
        assert part in call.request
    assert files_with("tok-33333", home / "flyte_nb") == []
    assert planned() == {"env": "unchanged"}
    ip.user_ns["variables"][0].value = "tok-44444"
    define(ip, "env = flyte.TaskEnvironment('env', image='env:1', flyte_options={'pod_template': template})")
    assert planned() == {"env": "update"}


class Noting(VenvBuilder):
    """Builds nothing, and notes what it should have built."""

    async def build_image(self, image: Any, dry_run: bool = False, wait: bool = True, force: bool = False) -> Any:
        self.layers = [layer for layer in image._layers if type(layer).__name__ == "PipPackages"]
        return sdk.ImageBuild(uri="noted:1", remote_run=None)


def test_secrets_of_images_go_to_who_builds_them(ip: InteractiveShell, loopback: Loopback, home: Path) -> None:
    """Each index has its own password."""
    builder = Noting(loopback.venvs)
    sdk.init(
        endpoint=loopback.endpoint, insecure=True, project="flytesnacks", domain="development", image_builder=builder
    )
    one, two = "https://me:hunter-11111@host/simple", "https://me:hunter-22222@host/simple"
    define(
        ip,
        f"""
import flyte as theirs
env = theirs.TaskEnvironment("env", image=theirs.Image.from_debian_base().with_apt_packages("git").with_pip_packages(
    "six", index_url={one!r}, extra_index_urls=[{two!r}]))
@env.task
async def work() -> int:
    return 1
""",
    )
    assert deploy() == {"env": "succeeded"}
    layer = builder.layers[-1]
    assert (layer.index_url, list(layer.extra_index_urls)) == (one, [two])
    assert files_with("hunter-", home / "flyte_nb") == []


def test_what_cannot_be_written_is_refused_before_anything_is_sent(ip: InteractiveShell, cluster: Loopback) -> None:
    """A pod would not have it; the line says which option of which environment."""
    define(ip, THREE)
    define(ip, "odd = flyte.TaskEnvironment('odd', flyte_options={'plugin_config': object()})")
    assert planned() == {"base": "create", "ml": "create", "api": "create", "odd": "blocked"}
    error = ip.run_cell("%flyte_deploy --target flyte").error_in_exec
    assert "'odd' cannot be deployed to a cluster: plugin_config (object)" in str(error)
    assert not cluster.calls("DeployTask")


def test_a_deployment_leaves_nothing_in_the_process(ip: InteractiveShell, cluster: Loopback) -> None:
    """No module, no path, and no environment in the SDK's list of those that were constructed."""
    from flyte._environment import list_loaded_environments

    define(ip, THREE)
    modules, path, loaded = set(sys.modules), list(sys.path), len(list_loaded_environments())
    deploy()
    new = {name for name in set(sys.modules) - modules if "environments" in name}
    assert (new, sys.path, len(list_loaded_environments())) == (set(), path, loaded)
