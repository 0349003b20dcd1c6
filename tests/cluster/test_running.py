"""Running on a cluster: what happens there is in the same tree, and so are errors, logs and interrupts."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import flyte.remote as remote
import pytest

import flyte_nb as flyte
from flyte_nb.execution.node import RunState
from flyte_nb.session import session
from tests.files import files_with

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
    (recorded,) = flyte.runs("api.serve")
    assert (recorded.status, recorded.place) == ("succeeded", "flyte")
    assert recorded.target == f"flyte:flytesnacks/development@127.0.0.1:{cluster.port}"
    assert flyte.runs(on="flyte") == [recorded]
    assert flyte.runs(on="inline") == []


@pytest.mark.slow
def test_a_log_that_never_ends_is_left_in_silence(
    pipeline: dict[str, Any], cluster: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    """Clusters keep streams open when all was sent: what is given up then is no error, of which asyncio would tell."""
    cluster.faults(Fault("TailLogs", delay=600))
    assert run(pipeline["both"], 5).result == (5, "5")
    for _ in range(20):
        gc.collect()  # or nobody learns of what nobody asks for
        time.sleep(0.1)
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


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
    assert session().deployed() == {"base": False, "ml": False, "api": False}  # with the modules they import
    deploy()
    assert set(session().deployed().values()) == {True}
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


FLAKY = """
import datetime, os

@base.task(timeout=60, cache=flyte.Cache("override", "v1"))
async def flaky(folder: str) -> int:
    tries = len(os.listdir(folder))
    open(os.path.join(folder, str(tries)), "w").close()
    if tries < 2:
        raise RuntimeError(f"attempt {tries + 1}")
    return tries
"""


def test_overridden_retries_are_those_of_the_run(
    ip: InteractiveShell, pipeline: dict[str, Any], tmp_path: Path
) -> None:
    """The version has none; as often as the run says, the cluster tries again, and the next run has none."""
    ip.run_cell(FLAKY).raise_error()
    deploy()
    folder = tmp_path / "tries"
    folder.mkdir()
    with pytest.raises(RuntimeError, match="attempt 1"):
        run(pipeline["flaky"], str(folder))
    (folder / "0").unlink()
    done = run(pipeline["flaky"].override(retries=2, description="for people only"), str(folder))
    assert done.result == 2
    assert done.tree[0].attempts == 3


def test_overridden_policies_reach_the_cluster(ip: InteractiveShell, pipeline: dict[str, Any], tmp_path: Path) -> None:
    """Each of them as the SDK says it; none of a limit means none, and "auto" is as long as the version is the same."""
    ip.run_cell(FLAKY).raise_error()
    deploy()
    for number in range(3):
        (tmp_path / "tries").mkdir(exist_ok=True)
        (tmp_path / "tries" / str(number)).touch()
    backoff = flyte.RetryStrategy(3, flyte.Backoff(1, 2.0, 60))

    def begun(**policies: Any) -> Any:
        done = run(pipeline["flaky"].override(**policies), str(tmp_path / "tries"))
        return remote.ActionDetails.get(run_name=f"nb-{done.name}", name="a0").pb2.task

    first = begun(short_name="again", retries=backoff, timeout=flyte.Timeout(deadline=90), cache="auto")
    said = first.task_template.metadata
    assert first.short_name == "again"
    assert (said.retries.retries, said.retries.backoff.factor, said.retries.backoff.cap.seconds) == (3, 2.0, 60)
    assert (said.HasField("timeout"), said.timeouts.deadline.seconds) == (False, 90)
    assert (said.discoverable, said.discovery_version) == (True, first.task_template.id.version)
    second = begun(timeout=5, cache=flyte.Cache("override", "v7", ["folder"], max_age=30)).task_template.metadata
    assert (second.timeout.seconds, second.discovery_version, second.cache_max_age.seconds) == (5, "v7", 30)
    assert list(second.cache_ignore_input_vars) == ["folder"]
    third = begun(cache=None).task_template.metadata  # as its environment says
    assert (third.discoverable, third.timeout.seconds) == (False, 60)


CALLING = """
from datetime import datetime

@dataclasses.dataclass
class Login:
    user: str
    api_token: str

class Opaque:
    def __setstate__(self, state):
        raise AssertionError("unpacked where nobody needs it")

@base.task
async def short(login: Login, at: datetime, maybe: int | None, password: str, deep: list[list[list[int]]]) -> int:
    await asyncio.sleep(1)
    return 1

@base.task
async def long(text: str, many: list[int], named: dict[str, int], free: dict) -> dict:
    return {"length": len(text), "api_token": "correct" + " horse"}

@base.task
async def opaque(own: Opaque, key: int = 3) -> int:
    raise ValueError("no key")

@ml.task
async def calling(size: int) -> int:
    one, more = await asyncio.gather(
        short(Login("me", "tok-12345"), datetime(2026, 1, 1), None, "correct" + " horse", [[[1, 2]]]),
        long("x" * size, list(range(size)), {f"k{n}": n for n in range(size)}, {"n": [None] * size}),
    )
    return one + more["length"]

@ml.task
async def calling_opaque() -> int:
    return await opaque(Opaque())
"""

SHOWN = {
    "ml.calling": "size=3000",
    "base.short": "login={'user': 'me', 'api_token': ***}, at=<datetime>, maybe=None, password=***, "
    "deep=[[<list of 2>]]",
    "base.long": f"text='{'x' * 58}…, many=[0, 1, 2, 3, …], named={{'k0': 0, 'k1': 1, 'k10': 10, 'k100': 100, …}}, "
    "free={'n': [None,…",
}


def test_inputs_of_nested_calls_are_shown(
    ip: InteractiveShell, pipeline: dict[str, Any], cluster: Loopback, home: Path
) -> None:
    """And results, as those of inline calls: shortened, secrets masked and not kept; each is asked for once."""
    ip.run_cell(CALLING).raise_error()
    deploy()
    done = run(pipeline["calling"], 3000)
    assert {node.task: node.inputs for node in done.tree} == SHOWN
    assert {node.task: node.inputs for node in flyte.runs()[0].tree} == SHOWN
    returned = {"ml.calling": "3001", "base.short": "1", "base.long": "{'length': 3000, 'api_token': ***}"}
    assert {node.task: node.returned for node in done.tree} == returned
    assert {node.task: node.returned for node in flyte.runs()[0].tree} == returned
    asked = [call.action for call in cluster.calls("GetActionData")]
    assert (len(asked), len(set(asked))) == (5, 3)  # the inputs and the result of each, but for those of the root
    attached = asyncio.run(flyte.attach(done.name))
    assert {node.task: node.inputs for node in attached.tree} == SHOWN
    assert {node.task: node.returned for node in attached.tree} == returned
    assert files_with("correct horse", home / "flyte_nb") == []


def test_what_only_pods_know_is_not_made_here_to_be_shown(
    ip: InteractiveShell, pipeline: dict[str, Any], cluster: Loopback
) -> None:
    """A value that is pickled is called that; and who cannot be asked at first is asked again."""
    ip.run_cell(CALLING).raise_error()
    deploy()
    cluster.faults(Fault("GetActionData", refuse="unavailable", times=1))
    with pytest.raises(ValueError, match="no key"):
        run(pipeline["calling_opaque"])
    assert {node.task: node.inputs for node in flyte.runs()[0].tree} == {
        "ml.calling_opaque": "",
        "base.opaque": "own=<pickled value>, key=3",
    }


LEFT = """
@ml.task
async def leaves(mark: str) -> int:
    left = asyncio.ensure_future(hangs(mark))
    while not os.path.exists(mark):
        await asyncio.sleep(0.05)
    raise ValueError("left it alone")
"""


def test_nothing_of_a_run_that_has_ended_goes_on_in_its_tree(
    ip: InteractiveShell, pipeline: dict[str, Any], cluster: Loopback, tmp_path: Path
) -> None:
    """What a task that has failed, or was cancelled, had called and not awaited ends with the run."""
    ip.run_cell(LEFT).raise_error()
    deploy()
    with pytest.raises(ValueError, match="left it alone"):
        run(pipeline["leaves"], str(tmp_path / "first"))
    assert tree(flyte.runs()[0]) == {">ml.leaves": "failed", "ml.leaves>ml.hangs": "cancelled"}

    async def cancelled() -> None:
        going_on = asyncio.create_task(flyte.run(pipeline["waits"], str(tmp_path / "second"), on="flyte"))
        await asyncio.to_thread(wait_for, (tmp_path / "second").exists)
        going_on.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going_on

    ip.run_cell("@ml.task\nasync def waits(mark: str) -> int:\n    return await hangs(mark)").raise_error()
    deploy()
    asyncio.run(cancelled())
    assert tree(flyte.runs()[0]) == {">ml.waits": "cancelled", "ml.waits>ml.hangs": "cancelled"}
