"""The control plane that the other tests rely on is one, as far as the unpatched SDK can tell."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import flyte
import flyte.errors
import flyte.remote
import pytest

from .loopback.control import Fault
from .waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .loopback.control import Loopback

PROJECT = """
import asyncio, os, sys, time
import flyte

base = flyte.TaskEnvironment(name="base", image="base:1")
ml = flyte.TaskEnvironment(name="ml", image="ml:1", depends_on=[base])

@base.task
async def load() -> int:
    print("loading", flush=True)
    return 20

@ml.task
async def double(n: int) -> int:
    return 2 * n

@ml.task
async def pipeline() -> int:
    return await double(n=await load()) + 2

@ml.task
async def fails() -> int:
    raise ValueError("no such model")

@ml.task(retries=2)
async def flaky(mark: str) -> int:
    number = len(os.listdir(mark))
    open(os.path.join(mark, str(number)), "w").close()
    if number < 2:
        raise RuntimeError("not yet")
    return number

@ml.task
async def slow(mark: str) -> int:
    open(mark, "w").close()
    await asyncio.sleep(2)
    return 1

@ml.task
async def endless(mark: str) -> int:
    open(mark, "w").close()
    await asyncio.sleep(600)
    return 1
"""


@pytest.fixture
def project(cluster: Loopback, tmp_path: Path) -> Iterator[Any]:
    """A module with two environments, deployed."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "flows.py").write_text(PROJECT)
    flyte.init(endpoint=cluster.endpoint, insecure=True, project="flytesnacks", domain="development", root_dir=folder)
    sys.modules.pop("flows", None)
    yield importlib.import_module("flows")
    sys.path.remove(str(folder))


def deployed(project: Any, task: str) -> Any:
    flyte.deploy(project.ml, version="v1")
    return flyte.remote.Task.get(f"ml.{task}", version="v1")


def test_tasks_are_deployed_once_in_whatever_order(cluster: Loopback, project: Any) -> None:
    """The SDK sends every task; sent again, the same version is refused, which the SDK passes over."""
    flyte.deploy(project.ml, version="v1")
    flyte.deploy(project.ml, version="v1")
    sent = cluster.calls("DeployTask")
    assert {call.name for call in sent} == {"base.load"} | {
        f"ml.{name}" for name in ("double", "pipeline", "fails", "flaky", "slow", "endless")
    }
    assert [call.again for call in sent] == [False] * 7 + [True] * 7


def test_a_run_calls_across_environments(cluster: Loopback, project: Any) -> None:
    """Nested calls are actions with pods of their own, and what they print can be read."""
    run = flyte.run(deployed(project, "pipeline"))
    run.wait(quiet=True)
    assert run.outputs()[0] == 42
    actions = {action.task_name: action for action in flyte.remote.Action.listall(for_run_name=run.name)}
    assert set(actions) == {"ml.pipeline", "base.load", "ml.double"}
    assert "loading" in "".join(actions["base.load"].get_logs())


def test_errors_of_tasks_arrive(cluster: Loopback, project: Any) -> None:
    """With their type and their message."""
    run = flyte.run(deployed(project, "fails"))
    run.wait(quiet=True)
    info = flyte.remote.ActionDetails.get(run_name=run.name, name="a0").error_info
    assert (info.code, info.message) == ("ValueError", "no such model")


def test_failed_tasks_are_tried_again(cluster: Loopback, project: Any, tmp_path: Path) -> None:
    """As often as the task says."""
    (tmp_path / "marks").mkdir()
    run = flyte.run(deployed(project, "flaky"), mark=str(tmp_path / "marks"))
    run.wait(quiet=True)
    assert run.outputs()[0] == 2
    assert cluster.started_pods == [f"{run.name}/a0-{attempt}" for attempt in (1, 2, 3)]


def test_aborting_ends_the_pods(cluster: Loopback, project: Any, tmp_path: Path) -> None:
    """And the run is aborted."""
    run = flyte.run(deployed(project, "endless"), mark=str(tmp_path / "begun"))
    wait_for((tmp_path / "begun").exists)
    run.abort()
    run.wait(quiet=True)
    assert flyte.remote.Run.get(run.name).phase.value == "aborted"
    wait_for(lambda: not cluster.running_pods)


def test_a_run_outlives_the_server(cluster: Loopback, project: Any, tmp_path: Path) -> None:
    """Killed in the middle and started again, it goes on with the pod that it finds."""
    run = flyte.run(deployed(project, "slow"), mark=str(tmp_path / "begun"))
    wait_for((tmp_path / "begun").exists)
    cluster.kill()
    cluster.start()
    run.wait(quiet=True)
    assert run.outputs()[0] == 1
    assert cluster.started_pods == [f"{run.name}/a0-1"]


def test_faults_happen_as_often_as_they_are_asked_for(cluster: Loopback, project: Any) -> None:
    """A request is refused, or done and not answered."""
    cluster.faults(Fault("DeployTask", "ml.double", refuse="invalid_argument", message="never"))
    with pytest.raises(flyte.errors.DeploymentError, match="never"):
        flyte.deploy(project.ml, version="v1")
    assert "ml.double" not in {call.name for call in cluster.calls("DeployTask")}
    cluster.faults(Fault("CreateRun", unanswered=True, times=1))
    run = flyte.run(deployed(project, "double"), n=4)
    run.wait(quiet=True)
    assert run.outputs()[0] == 8
