"""Options of the SDK that the model has no field for: written as source, they are the same objects again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import flyte
import flyte.notify
import pytest

from flyte_nb.bundle.declarations import declarations, environment_declaration
from flyte_nb.bundle.specification import specification, storable
from flyte_nb.project.reading import environment_variables
from flyte_nb.sdk.objects.reading import specification_of, task_of

if TYPE_CHECKING:
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.model.task import Task

needs_kubernetes = pytest.mark.skipif(find_spec("kubernetes") is None, reason="pip install kubernetes")
SECRET = "hunter2-of-mine"  # noqa: S105 - it stands for one
NIGHTLY = flyte.Cron("0 2 * * *", timezone="Europe/Berlin")
FROM_2026 = datetime(2026, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=2)))

POLICIES: dict[str, dict[str, Any]] = {
    "one trigger": {"triggers": flyte.Trigger("nightly", NIGHTLY, inputs={"x": 1}, auto_activate=False)},
    "several triggers": {
        "triggers": (
            flyte.Trigger("hourly", flyte.FixedRate(60), inputs={"when": flyte.TriggerTime}, labels={"a": "b"}),
            flyte.Trigger("later", flyte.FixedRate(interval_minutes=5, start_time=FROM_2026), env_vars={"A": "1"}),
        )
    },
    "notifications": {
        "triggers": flyte.Trigger(
            "told",
            NIGHTLY,
            notifications=(
                flyte.notify.Email(on_phase=flyte.models.ActionPhase.FAILED, recipients=("me@example.com",)),
            ),
        )
    },
}


def written(environment: dict[str, Any], policies: dict[str, Any]) -> tuple[str, EnvironmentSpec, Task[..., Any]]:
    """Return the source of an environment and a task of the SDK, and what was read of them."""
    env = flyte.TaskEnvironment("e", **environment)

    @env.task(**policies)
    async def f(x: int = 0, when: datetime | None = None) -> int:
        return x

    spec, task = specification_of(env), task_of(f, env)
    declared, decorators = declarations(spec, {}, {"e.f": task})
    assert declared.unwritten == decorators["e.f"].unwritten == {}
    lines = ["import flyte", *declared.imports, *decorators["e.f"].imports, declared.text, decorators["e.f"].text]
    function = ["async def f(x: int = 0, when=None) -> int:", "    return x"]
    return "\n".join([*lines, *function]), spec, task


def executed(source: str) -> tuple[Any, Any]:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(source, names)  # noqa: S102 - as a module is
    return names["env"], names["f"]


@pytest.mark.parametrize("policies", POLICIES.values(), ids=POLICIES)
def test_policies_of_tasks_come_back(policies: dict[str, Any]) -> None:
    """Triggers with all that they say are equal to what they were written from."""
    _, task = executed(written({}, policies)[0])
    given = policies["triggers"]
    assert task.triggers == (given if isinstance(given, tuple) else (given,))


def test_environments_that_are_reused_come_back() -> None:
    """How long containers wait is written as a duration."""
    policy = flyte.ReusePolicy(replicas=(2, 4), idle_ttl=timedelta(minutes=5), concurrency=3)
    env, _ = executed(written({"reusable": policy}, {})[0])
    assert env.reusable == policy


def test_what_no_source_stands_for_is_told() -> None:
    """A policy of a cache that is no plain object, and a link whose class is in the notebook, are named."""

    @dataclass
    class Mine:
        name: str = "mine"

        def get_link(self, **_: Any) -> str:
            return ""

    class Mondays:
        def get_version(self, salt: str, params: Any) -> str:
            return "monday"

    spec = specification_of(flyte.TaskEnvironment("e", cache=flyte.Cache("auto", policies=[Mondays()])))
    assert environment_declaration(spec, {}).unwritten == {"cache": "Mondays"}
    env = flyte.TaskEnvironment("e")

    @env.task(links=[Mine()])
    async def f() -> None: ...

    _, decorators = declarations(specification_of(env), {}, {"e.f": task_of(f, env)})
    assert decorators["e.f"].unwritten == {"links": "Mine"}


def pod_template() -> Any:
    from kubernetes import client

    return flyte.PodTemplate(
        primary_container_name="main",
        pod_spec=client.V1PodSpec(
            containers=[
                client.V1Container(
                    name="main",
                    env=[
                        client.V1EnvVar(name="API_TOKEN", value=SECRET),
                        client.V1EnvVar(name="LEVEL", value="info"),
                        client.V1EnvVar(
                            name="KEY",
                            value_from=client.V1EnvVarSource(
                                secret_key_ref=client.V1SecretKeySelector(name="store", key="k")
                            ),
                        ),
                    ],
                    resources=client.V1ResourceRequirements(limits={"nvidia.com/gpu": "1"}),
                    startup_probe=client.V1Probe(_exec=client.V1ExecAction(command=["true"]), period_seconds=5),
                    volume_mounts=[client.V1VolumeMount(name="scratch", mount_path="/scratch")],
                ),
                client.V1Container(name="beside", image=f"https://me:{SECRET}@r.io/x", args=["--fast"]),
            ],
            node_selector={"pool": "gpu"},
            tolerations=[client.V1Toleration(key="gpu", operator="Exists", effect="NoSchedule")],
            volumes=[client.V1Volume(name="scratch", empty_dir=client.V1EmptyDirVolumeSource(medium="Memory"))],
            automount_service_account_token=False,
        ),
        labels={"team": "a"},
        annotations={"auth": SECRET},
    )


@needs_kubernetes
def test_pod_templates_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pod is written by the constructors of Kubernetes' client; its secrets are read from variables."""
    template = pod_template()
    source, spec, task = written({"pod_template": template}, {"pod_template": pod_template()})
    assert SECRET not in source
    declared, decorators = declarations(spec, {}, {"e.f": task})
    assert declared.withheld == {
        "E_POD_TEMPLATE_POD_SPEC_CONTAINERS_MAIN_ENV_API_TOKEN_VALUE": SECRET,
        "E_POD_TEMPLATE_POD_SPEC_CONTAINERS_BESIDE_IMAGE": f"https://me:{SECRET}@r.io/x",
        "E_POD_TEMPLATE_ANNOTATIONS_AUTH": SECRET,
    }
    withheld = {**declared.withheld, **decorators["e.f"].withheld}
    assert environment_variables(source) == withheld.keys()
    env, _ = executed(source)
    assert env.pod_template.pod_spec.containers[0].env[0].value == ""
    for name, value in withheld.items():
        monkeypatch.setenv(name, value)
    env, f = executed(source)
    assert env.pod_template == template
    assert f.pod_template == template
    assert f.pod_template.to_k8s_pod() == template.to_k8s_pod()


@needs_kubernetes
def test_pod_templates_are_stored_without_secrets() -> None:
    """What is kept of a pod names what it has, and its fingerprint still tells two secrets apart."""
    _, spec, task = written({"pod_template": pod_template()}, {"pod_template": pod_template()})
    said = specification(spec, (), {"e.f": task})
    assert SECRET in str(said)
    assert SECRET not in str(storable(said))
    assert "NoSchedule" in str(storable(said))
