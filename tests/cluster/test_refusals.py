"""What the SDK refuses is known before anything is sent: the plan says it by environment, and nothing is deployed."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import flyte as sdk
import pytest
from flyte._environment import list_loaded_environments

import flyte_nb as flyte
from flyte_nb.bundle.content import Bundle
from flyte_nb.sdk.checking import refusals
from flyte_nb.sdk.cluster import connected_cluster
from flyte_nb.session import session
from flyte_nb.targets.flyte import FlyteTarget

from .conftest import DOMAIN, PROJECT
from .loopback.images import VenvBuilder

if TYPE_CHECKING:
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

    from .loopback.control import Loopback

GOOD = """
good = flyte.TaskEnvironment("good", image="good:1")
@good.task
async def fine() -> int:
    return 1
"""
TASK = "\n@bad.task\nasync def work(n: int = 1) -> int:\n    return n\n"
SDK = "import flyte as sdk\n"

CELLS = {
    "an option that the SDK does not have": (
        "bad = flyte.TaskEnvironment('bad', flyte_options={'no_such': 1})" + TASK,
        "bad: the Flyte SDK refuses this: TypeError: .*no_such",
    ),
    "an option of a wrong type": (
        "bad = flyte.TaskEnvironment('bad', flyte_options={'reusable': 'yes'})" + TASK,
        "bad: the Flyte SDK refuses this: TypeError: .*ReusePolicy",
    ),
    "options that do not go together with a task": (
        SDK + "bad = flyte.TaskEnvironment('bad', flyte_options={'reusable': sdk.ReusePolicy(1, concurrency=2)})"
        "\n@bad.task\ndef work() -> int:\n    return 1\n",
        "bad: the Flyte SDK refuses this: ValueError: .*only supported for async tasks",
    ),
    "an option that only the translation of a task reads": (
        "bad = flyte.TaskEnvironment('bad', flyte_options={'include': ['nowhere.txt']})" + TASK,
        "bad.work: the Flyte SDK refuses this: ValueError: File environments/nowhere.txt is not a valid file",
    ),
    "a module that cannot be imported": (
        "import sys, types\nsys.modules['only_here'] = types.ModuleType('only_here')\nimport only_here\n"
        "del sys.modules['only_here']\nbad = flyte.TaskEnvironment('bad')\n"
        "@bad.task\nasync def work() -> str:\n    return only_here.__name__\n",
        "bad: the Flyte SDK refuses this: ModuleNotFoundError: No module named 'only_here'",
    ),
}


def requests(cluster: Loopback) -> list[str]:
    """Return what was sent that changes something."""
    return [name for name in ("CreateUploadLocation", "DeployTask", "CreateRun") if cluster.calls(name)]


def problems() -> dict[str, str]:
    """Return what stands in the way of a deployment, by environment."""
    return {step.name: step.problem for step in flyte.plan(target="flyte").steps if step.problem}


@pytest.mark.parametrize(("cell", "said"), CELLS.values(), ids=CELLS)
def test_what_the_sdk_refuses_is_never_begun(ip: InteractiveShell, cluster: Loopback, cell: str, said: str) -> None:
    """The plan shows it as blocked with the SDK's reason, the deployment says the same in one line; nothing is sent."""
    ip.run_cell(GOOD).raise_error()
    ip.run_cell(cell).raise_error()
    found = problems()
    assert list(found) == ["bad"]
    with pytest.raises(flyte.RefusedBySdkError, match=said):
        asyncio.run(flyte.deploy(target="flyte"))
    error = ip.run_cell("%flyte_deploy --target flyte").error_in_exec
    assert type(error).__name__ == "UsageError"
    assert str(error) == found["bad"]
    assert requests(cluster) == []


def test_what_is_refused_blocks_who_needs_it(ip: InteractiveShell, cluster: Loopback) -> None:
    """Who calls its tasks would bring its module along, and says so; who depends on it waits; others are planned."""
    ip.run_cell(GOOD + CELLS["an option that the SDK does not have"][0]).raise_error()
    ip.run_cell(
        """
calling = flyte.TaskEnvironment("calling")
@calling.task
async def call() -> int:
    return await work(2)
after = flyte.TaskEnvironment("after", depends_on=["bad"])
@after.task
async def last() -> int:
    return 3
"""
    ).raise_error()
    found = problems()
    assert set(found) == {"bad", "calling", "after"}
    assert found["calling"] == found["bad"]
    assert found["after"] == "needs bad"
    ip.run_cell("bad = flyte.TaskEnvironment('bad')" + TASK).raise_error()
    assert problems() == {}
    assert asyncio.run(flyte.deploy(target="flyte")).succeeded


def bundle(name: str, module: str) -> Bundle:
    """Return the bundle of an environment whose module is written by hand."""
    tasks = {f"{name}.work": {}}
    return Bundle(name, {"tasks": tasks}, {}, f"{name}-1", module, module_name=name, modules={name: name})


MODULES = {
    "memory that is no pair": ("resources=flyte.Resources(memory=('1Gi', '2Gi', '3Gi'))", "exactly two elements"),
    "less than no processor": ("resources=flyte.Resources(cpu=-1)", "greater than or equal to 0"),
    "an accelerator that is none": ("resources=flyte.Resources(gpu='H100:99')", "gpu must be one of"),
    "a name that is none": ("name='Not A Name'", "must be in snake_case or kebab-case"),
    "an image that cannot be added to": (
        "image=flyte.Image.from_base('python:3.12').with_pip_packages('numpy')",
        "non-extendable",
    ),
    "an image of files that are not there": (
        "image=flyte.Image.from_debian_base().clone(name='x', extendable=True)"
        ".with_source_folder(pathlib.Path('/nowhere'))",
        "nowhere",
    ),
    "an image of a file that is not there": (
        "image=flyte.Image.from_dockerfile(pathlib.Path('/nowhere/Dockerfile'), registry='r', name='n')",
        "nowhere/Dockerfile",
    ),
    "a secret elsewhere": ("secrets=flyte.Secret('key', mount=pathlib.Path('/nowhere'))", "secret mount path"),
}


@pytest.mark.parametrize(("said", "reason"), MODULES.values(), ids=MODULES)
def test_the_reason_is_that_of_the_sdk(cluster: Loopback, said: str, reason: str) -> None:
    """Whatever an environment says: it is refused where it is, and its neighbour is not."""
    given = said if said.startswith("name=") else f"name='bad', {said}"
    head, task = (
        "import flyte, pathlib\nenv = flyte.TaskEnvironment(",
        "\n@env.task\nasync def work() -> int:\n    return 1\n",
    )
    bundles = [bundle("bad", f"{head}{given}){task}"), bundle("good", f"{head}name='good'){task}")]
    found = refusals(bundles, connected_cluster(), {})
    assert list(found) == ["bad"]
    assert reason in found["bad"].reason
    assert requests(cluster) == []


@pytest.mark.parametrize(
    "image",
    [
        "flyte.Image.from_debian_base().clone(name='x', extendable=True).with_pip_packages('numpy')",
        "flyte.Image.from_debian_base().clone(name='x', extendable=True).with_code_bundle()",
        "flyte.Image.from_ref_name('configured')",
    ],
)
def test_an_image_is_not_built_to_find_out(loopback: Loopback, image: str) -> None:
    """What the SDK takes of it is known without, and what it knows of it later only is no reason to refuse it."""
    builder = VenvBuilder(loopback.venvs)
    sdk.init(endpoint=loopback.endpoint, insecure=True, project=PROJECT, domain=DOMAIN, image_builder=builder)
    module = f"import flyte\nenv = flyte.TaskEnvironment('built', image={image})\n"
    task = "@env.task\nasync def work() -> int:\n    return 1\n"
    assert refusals([bundle("built", module + task)], connected_cluster(), {}) == {}
    assert builder.built == []


def test_what_was_taken_once_is_not_imported_again(cluster: Loopback, tmp_path: Path) -> None:
    """What was refused is, for what was missing may have been installed; nothing of any of it stays in the process."""
    note = tmp_path / "imported"
    counts = f"import flyte\nwith open({str(note)!r}, 'a') as note:\n    note.write('x')\n"
    taken = bundle("taken", counts + "env = flyte.TaskEnvironment('taken')\n")
    refused = bundle("refused", counts + "env = flyte.TaskEnvironment('refused')\nenv.no_such()\n")
    target = FlyteTarget(None, connected_cluster())  # type: ignore[arg-type]  # it records nothing here
    before = set(sys.modules), list(sys.path), len(list_loaded_environments())
    assert list(target.refusals([taken, refused])) == ["refused"]
    assert note.read_text() == "xx"
    assert list(target.refusals([taken, refused])) == ["refused"]
    assert note.read_text() == "xxx"
    new = {name for name in set(sys.modules) - before[0] if "environments" in name}
    assert (new, sys.path, len(list_loaded_environments())) == (set(), *before[1:])


def test_what_is_deployed_is_not_checked(ip: InteractiveShell, cluster: Loopback) -> None:
    """A plan without changes imports no module."""
    ip.run_cell(GOOD).raise_error()
    assert asyncio.run(flyte.deploy(target="flyte")).succeeded
    session().cluster._accepted.clear()  # as in a new kernel
    assert problems() == {}
    assert session().cluster._accepted == set()


def test_what_is_withheld_and_not_here_is_asked_for(ip: InteractiveShell, cluster: Loopback) -> None:
    """A version whose task reads a variable that the session no longer gives is not deployed with nothing in it."""
    cell = (
        "import flyte as sdk\nenv = flyte.TaskEnvironment('env', image='env:1')\n@env.task(flyte_options="
        "{'triggers': (sdk.Trigger('t', sdk.Cron('0 0 * * *'), inputs={'api_token': 'tok-11111'}),)})\n"
        "async def work(api_token: str) -> int:\n    return 1"
    )
    ip.run_cell(cell).raise_error()
    asked = session().cluster
    bundles, refused = asked.bundles(["env"])
    assert refused == {}
    assert list(asked._secrets(bundles["env"])) == ["ENV_WORK_TRIGGERS_T_INPUTS_API_TOKEN"]
    flyte.reset()
    with pytest.raises(flyte.MissingSecretError, match="ENV_WORK_TRIGGERS_T_INPUTS_API_TOKEN"):
        asked._secrets(bundles["env"])
