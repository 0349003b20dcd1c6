"""Running on a cluster: what happens there is in the same tree, and so are errors, logs and interrupts."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import flyte.remote as remote
import pytest

import flyte_nb as flyte
from flyte_nb.execution.node import RunState

from .loopback.control import Fault
from .waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

    from .loopback.control import Loopback

PIPELINE = """
import asyncio, os, dataclasses
base = flyte.TaskEnvironment("base", image="base:1")
ml = flyte.TaskEnvironment("ml", image="ml:1", depends_on=[base])
api = flyte.TaskEnvironment("api", image="api:1", depends_on=[ml])

@base.task
async def load() -> int:
    print("loading 20")
    return 20

@ml.task(retries=1)
async def train(n: int, rate: float = 0.5) -> float:
    return n * rate

@api.task
async def serve() -> float:
    return await train(await load()) + 1
"""

OTHERS = """
@dataclasses.dataclass
class Point:
    x: int
    name: str = "origin"

@base.task
async def move(point: Point, by: int = 2) -> Point:
    return Point(point.x + by, point.name)

@base.task
def both(n: int) -> tuple[int, str]:
    return n, str(n)

@base.task
async def fails(n: int) -> int:
    raise ValueError(f"no model for {n}")

@ml.task
async def outer() -> int:
    return await fails(3)

@ml.task
async def hangs(mark: str) -> int:
    open(mark, "w").close()
    await asyncio.sleep(600)
    return 1

@ml.task
async def takes_a_while(mark: str) -> int:
    open(mark, "w").close()
    await asyncio.sleep(3)
    return 7
"""


@pytest.fixture
def pipeline(ip: InteractiveShell, cluster: Loopback) -> dict[str, Any]:
    """The names of a notebook whose environments are deployed."""
    ip.run_cell(PIPELINE).raise_error()
    ip.run_cell(OTHERS).raise_error()
    deploy()
    names: dict[str, Any] = ip.user_ns
    return names


def deploy() -> None:
    assert asyncio.run(flyte.deploy(target="flyte")).succeeded


def run(task: Any, *args: Any, **kwargs: Any) -> Any:
    return asyncio.run(flyte.run(task, *args, on="flyte", **kwargs))


def tree(recorded: Any) -> dict[str, str]:
    """Return the state of each call by its task and that of its caller."""
    names = {node.id: node.task for node in recorded.tree}
    return {f"{names.get(node.parent, '')}>{node.task}": node.state.value for node in recorded.tree}


def test_a_pipeline_runs_across_environments(pipeline: dict[str, Any], cluster: Loopback) -> None:
    """Its calls are the tree, and what a task prints is a line of its call."""
    done = run(pipeline["serve"])
    assert done.result == 11.0
    assert tree(done) == {
        ">api.serve": "succeeded",
        "api.serve>base.load": "succeeded",
        "api.serve>ml.train": "succeeded",
    }
    lines = {(line.task, line.text) for line in done.logs}
    assert ("base.load", "loading 20") in lines
    assert ("api.serve", f"nb-{done.name} on the cluster: {remote.Run.get(f'nb-{done.name}').url}") in lines
    assert [each.status for each in flyte.runs("api.serve")] == ["succeeded"]


def test_values_have_the_types_of_the_notebook(pipeline: dict[str, Any]) -> None:
    """A class of a cell comes back as that class; defaults are those of the deployed version."""
    moved = run(pipeline["move"], pipeline["Point"](1, "a")).result
    assert moved == pipeline["Point"](3, "a")
    assert run(pipeline["both"], 5).result == (5, "5")


def test_inputs_are_checked_before_anything_is_asked_for(pipeline: dict[str, Any], cluster: Loopback) -> None:
    """In one line, as inline."""
    with pytest.raises(flyte.InvalidInputError, match="n"):
        run(pipeline["train"], "twenty")
    assert not cluster.calls("CreateRun")


def test_errors_arise_where_they_arose(pipeline: dict[str, Any]) -> None:
    """With their own type, and the tree says in which call."""
    with pytest.raises(ValueError, match="no model for 3"):
        run(pipeline["outer"])
    (failed,) = flyte.runs("ml.outer")
    assert failed.status == "failed"
    nodes = {node.task: node for node in failed.tree}
    assert nodes["base.fails"].state is RunState.FAILED
    assert nodes["ml.outer"].arose == nodes["base.fails"].id


def test_what_runs_is_what_is_deployed(ip: InteractiveShell, pipeline: dict[str, Any], capsys: Any) -> None:
    """A cell that has changed since is told of, with what deploys it; deployed, it runs."""
    ip.run_cell("@base.task\nasync def load() -> int:\n    return 100").raise_error()
    ip.run_cell("before = %flyte_run serve() --on flyte").raise_error()
    assert "api has changed since it was deployed" in (said := capsys.readouterr().out)
    assert "%flyte_deploy api --target flyte" in said
    deploy()
    ip.run_cell("after = %flyte_run serve() --on flyte").raise_error()
    assert "has changed" not in capsys.readouterr().out
    assert (pipeline["before"], pipeline["after"]) == (11.0, 51.0)


def test_cancelling_aborts(pipeline: dict[str, Any], cluster: Loopback, tmp_path: Path) -> None:
    """The cluster is asked to abort, and its pods end."""

    async def cancelled() -> None:
        going_on = asyncio.create_task(flyte.run(pipeline["hangs"], str(tmp_path / "begun"), on="flyte"))
        await asyncio.to_thread(wait_for, (tmp_path / "begun").exists)
        going_on.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going_on

    asyncio.run(cancelled())
    assert len(cluster.calls("AbortRun")) == 1
    wait_for(lambda: not cluster.running_pods)
    assert flyte.runs("ml.hangs")[0].status == "cancelled"


def test_an_abort_by_somebody_else_is_told(pipeline: dict[str, Any], tmp_path: Path) -> None:
    """As an error that says so."""

    def abort() -> None:
        wait_for((tmp_path / "begun").exists)
        remote.Run.get(f"nb-{flyte.runs('ml.hangs')[0].name}").abort("too expensive")

    helper = threading.Thread(target=abort)
    helper.start()
    with pytest.raises(flyte.ClusterError, match="was aborted"):
        run(pipeline["hangs"], str(tmp_path / "begun"))
    helper.join()


def test_a_run_goes_on_while_the_server_is_away(pipeline: dict[str, Any], cluster: Loopback, tmp_path: Path) -> None:
    """Killed in the middle and started again: the tree catches up, and nothing was begun twice."""

    def restart() -> None:
        wait_for((tmp_path / "begun").exists)
        cluster.kill()
        cluster.start()

    helper = threading.Thread(target=restart)
    helper.start()
    done = run(pipeline["takes_a_while"], str(tmp_path / "begun"))
    helper.join()
    assert done.result == 7
    assert cluster.started_pods == [f"nb-{done.name}/a0-1"]
    assert len(cluster.calls("CreateRun")) == 1


def test_a_run_whose_answer_is_lost_is_one_run(pipeline: dict[str, Any], cluster: Loopback) -> None:
    """It is found by its name."""
    cluster.faults(Fault("CreateRun", unanswered=True, times=1))
    assert run(pipeline["train"], 8).result == 4.0
    assert len([call for call in cluster.calls("CreateRun") if not call.again]) == 1


def test_what_is_not_deployed_cannot_run(ip: InteractiveShell, cluster: Loopback) -> None:
    """One line says what to do."""
    ip.run_cell(PIPELINE).raise_error()
    error = ip.run_cell("%flyte_run serve() --on flyte").error_in_exec
    assert type(error).__name__ == "UsageError"
    assert str(error).endswith("Deploy it: %flyte_deploy api --target flyte")


SCRIPT = """
import asyncio, os, sys
import flyte as sdk
import flyte_nb as flyte
sdk.init(endpoint=sys.argv[1], insecure=True, project="flytesnacks", domain="development")
ml = flyte.TaskEnvironment("ml", image="ml:1")

@ml.task
async def takes_a_while(mark: str) -> int:
    open(mark, "w").close()
    await asyncio.sleep(4)
    return 7

async def main():
    await flyte.deploy(target="flyte")
    await flyte.run(takes_a_while, sys.argv[2], on="flyte")

asyncio.run(main())
"""


def test_a_run_of_a_kernel_that_is_gone_is_picked_up(cluster: Loopback, home: Path, tmp_path: Path) -> None:
    """Whoever began it was killed: by its name it is followed to its end."""
    script = tmp_path / "begins.py"
    script.write_text(SCRIPT)
    mark = tmp_path / "begun"
    process = subprocess.Popen([sys.executable, str(script), cluster.endpoint, str(mark)])
    wait_for(mark.exists)
    wait_for(lambda: flyte.runs("ml.takes_a_while"))
    process.kill()
    process.wait()
    name = flyte.runs("ml.takes_a_while")[0].name
    done = asyncio.run(flyte.attach(name))
    assert done.result == 7
    assert done.task == "ml.takes_a_while"
    assert len(cluster.calls("CreateRun")) == 1
    assert asyncio.run(flyte.attach(f"nb-{name}")).result == 7


def test_attaching_to_nothing_is_told(ip: InteractiveShell, cluster: Loopback) -> None:
    """One line."""
    error = ip.run_cell("%flyte_attach nb-00000000-1").error_in_exec
    assert type(error).__name__ == "UsageError"
    assert "nb-00000000-1" in str(error)
