"""Deployments in a real kernel: the magics that look back and go back, and kernels that deploy to the same target."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from .notebook import Notebook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENVIRONMENTS = """
flyte.TaskEnvironment("base", image="base:{0}")
flyte.TaskEnvironment("ml", image="ml:{0}", depends_on=["base"])
"""
IMAGES = (
    "{name: one.specification['image'] for name, one in "
    "__import__('flyte_nb').session.session().target('local').observe().items()}"
)
# Deploys to the local target, where "ml" has to wait until the event is set.
HELD = """
import asyncio
from flyte_nb.session import session
from flyte_nb.targets.local import LocalTarget
release = asyncio.Event()
class Held(LocalTarget):
    async def deploy_environment(self, bundle, log):
        log(f"deploying {bundle.name}")
        if bundle.name == "ml":
            print("running", flush=True)
            await release.wait()
        await super().deploy_environment(bundle, log)
session()._targets["local"] = lambda: Held(session()._deployment_state(), session().embedded.venvs)
"""


@pytest.fixture
def deployed(notebook: Notebook) -> Notebook:
    """The kernel with a home of its own, to which two versions were deployed."""
    notebook.ok("import tempfile\n%config FlyteNB.home = tempfile.mkdtemp()")
    for version in (1, 2):
        notebook.ok(ENVIRONMENTS.format(version))
        notebook.ok("deployment = %flyte_deploy")
    return notebook


def rows(shown: str) -> list[list[str]]:
    """Return the cells of a table in plain text."""
    body = shown.partition("─\n")[2].splitlines()
    return [re.split(r"\s{2,}", line) for line in body if "  " in line]


def test_deployments_are_listed(deployed: Notebook) -> None:
    """The newest first, as a table and as data, and not shown twice; the limit is kept."""
    result = deployed.ok("found = %flyte_deployments")
    (shown,) = result.displays
    assert [row[:4] for row in rows(shown)] == [[name, "deploy", "local", "✓ succeeded"] for name in ("d2", "d1")]
    assert len(deployed.ok("%flyte_deployments").displays) == 1
    assert deployed.value("[one.name for one in found], found[0].logs[0].environment") == (["d2", "d1"], "base")
    assert [row[0] for row in rows(deployed.ok("%flyte_deployments --limit 1").displays[0])] == ["d2"]
    assert "d1" in deployed.ok("flyte.deployments()").displays[0]
    assert "There are no such deployments." in deployed.ok("%flyte_deployments --target moon").displays[0]


def test_one_deployment_is_shown_with_its_log(deployed: Notebook) -> None:
    """Its environments with their versions, and what they said."""
    table, log = deployed.ok("one = %flyte_deployments d2").displays
    assert table.startswith("Deployment d2 to local, ")
    assert [row[:3] for row in rows(table)] == [["base", "update", "✓ deployed"], ["ml", "update", "✓ deployed"]]
    assert [row[1] for row in rows(log)] == ["base", "base", "ml", "ml"]
    assert "runs in the kernel's Python" in log
    assert deployed.value("one.status, one.counts") == ("succeeded", {"succeeded": 2})
    assert len(deployed.ok("one").displays) == 2


def test_rolling_back(deployed: Notebook) -> None:
    """The versions of an earlier deployment are back, by a deployment of its own, which is shown as one."""
    result = deployed.ok("back = %flyte_rollback d1")
    assert "✓ deployed" in (result.updates or result.displays)[-1]
    assert deployed.value("back.name, back.order") == ("d3", ["base", "ml"])
    assert deployed.value(IMAGES) == {"base": "base:1", "ml": "ml:1"}
    assert rows(deployed.ok("%flyte_deployments --limit 1").displays[0])[0][:2] == ["d3", "rollback"]
    deployed.ok("def f():\n    x = %flyte_rollback d2\n    return x\nf().states")
    assert deployed.value(IMAGES) == {"base": "base:2", "ml": "ml:2"}
    deployed.ok("back = await flyte.rollback('d1')")
    assert deployed.value(IMAGES) == {"base": "base:1", "ml": "ml:1"}


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%flyte_rollback", "required"),
        ("%flyte_rollback d22", "Did you mean 'd2'?"),
        ("x = %flyte_rollback d1 --max-concurrency 0", "max_concurrency"),
        ("def f():\n    x = %flyte_rollback d99\nf()", "no deployment 'd99'"),
        ("%flyte_deployments d99", "%flyte_deployments lists"),
        ("%flyte_deployments --limit 0", "limit"),
        ("%flyte_deployments --tarket local", "Did you mean '--target'?"),
    ],
)
def test_what_is_refused_is_one_line(deployed: Notebook, cell: str, said: str) -> None:
    """A mistake is told on stderr, and nothing is deployed."""
    result = deployed.run(cell)
    assert result.ename == "UsageError"
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert deployed.value("len(flyte.deployments())") == 2


def test_names_of_deployments_are_completed(deployed: Notebook) -> None:
    """After the magics that take one, and not as the value of an option."""
    assert deployed.complete("%flyte_rollback ") == ["%flyte_rollback d1", "%flyte_rollback d2"]
    assert deployed.complete("x = %flyte_deployments d") == ["x = %flyte_deployments d1", "x = %flyte_deployments d2"]
    assert deployed.complete("%flyte_rollback --no-wait d2") == ["%flyte_rollback --no-wait d2"]
    assert deployed.complete("%flyte_deployments --target l") == ["%flyte_deployments --target local"]


def test_interrupting_a_rollback(deployed: Notebook) -> None:
    """It is stopped as a deployment is, recorded as cancelled, and can be completed."""
    deployed.ok(HELD)
    assert deployed.interrupted("back = %flyte_rollback d1").ename == "KeyboardInterrupt"
    assert deployed.value("flyte.deployments()[0].status") == "cancelled"
    assert deployed.value(IMAGES) == {"base": "base:1", "ml": "ml:2"}
    deployed.ok("release.set()\nback = %flyte_rollback d1")
    assert deployed.value("back.states") == {"base": "unchanged", "ml": "succeeded"}
    deployed.ok("del session()._targets['local']")
    deployed.ok("session()._targets['local'] = lambda own=session(): own.embedded.target")


def test_two_deployments_in_one_kernel(deployed: Notebook) -> None:
    """One that goes on in the background is waited for; interrupted while it waits, the other leaves nothing."""
    deployed.ok(HELD)
    deployed.ok(ENVIRONMENTS.format(3))
    deployed.ok("going = asyncio.ensure_future(flyte.deploy())\nawait asyncio.sleep(0.3)")
    refused = deployed.run("await flyte.deploy(wait=False)")
    assert refused.ename == "DeploymentLockedError"
    interrupted = deployed.interrupted("print('running', flush=True)\nx = %flyte_deploy", after=0.5)
    assert interrupted.ename == "KeyboardInterrupt"
    assert "has been deploying to local since" in interrupted.everything
    assert deployed.value("len(flyte.deployments()), going.done()") == (3, False)
    deployed.ok("release.set()\nsecond = await flyte.deploy()")
    assert deployed.value("going.result().name, second.name, set(second.states.values())") == (
        "d3",
        "d4",
        {"unchanged"},
    )
    deployed.ok("session()._targets['local'] = lambda own=session(): own.embedded.target")


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Notebook]:
    """A kernel of its own, whose notebook has a name."""
    settings = {
        "FLYTE_NB_HOME": str(tmp_path / "home"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "JPY_SESSION_NAME": "/work/churn.ipynb",
    }
    notebook = Notebook(tmp_path, {**os.environ, **settings})
    try:
        notebook.ok("%load_ext flyte_nb\nimport flyte_nb as flyte")
        yield notebook
    finally:
        notebook.close()


def test_a_kernel_that_is_killed_leaves_the_truth(other: Notebook, notebook: Notebook, tmp_path: Path) -> None:
    """After kill -9 in the middle another kernel sees the deployment as lost, with what was done, and completes it."""
    other.ok(HELD + ENVIRONMENTS.format(1))
    other.wait_for(other.submit("d = %flyte_deploy"), "running")
    notebook.ok(f"%config FlyteNB.home = {str(tmp_path / 'home')!r}")
    notebook.ok(ENVIRONMENTS.format(1))
    refused = notebook.run("await flyte.deploy(wait=False)")
    assert refused.ename == "DeploymentLockedError"
    assert "churn.ipynb (pid " in refused.evalue
    assert notebook.value("flyte.deployments()[0].status") == "running"
    other.kill()
    assert notebook.value("flyte.deployments()[0].status") == "lost"
    assert "∅ lost" in notebook.ok("%flyte_deployments").displays[0]
    assert "churn.ipynb" in notebook.ok("%flyte_deployments").displays[0]
    notebook.ok("d = %flyte_deploy")
    assert notebook.value("d.states") == {"base": "unchanged", "ml": "succeeded"}
    assert notebook.value("[one.status for one in flyte.deployments()]") == ["succeeded", "lost"]
