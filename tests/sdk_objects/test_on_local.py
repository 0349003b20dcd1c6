"""Environments of the SDK run where they are deployed locally, also with a Python that does not have the SDK."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.places.made import made_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kernel.notebook import Notebook

pytestmark = pytest.mark.slow

DECLARED = """
from datetime import timedelta
wheel = {wheel!r}
plain = flyte.TaskEnvironment("plain", image=flyte.Image.from_debian_base().with_pip_packages(wheel))
rich = flyte.TaskEnvironment(
    "rich",
    image=(
        flyte.Image.from_debian_base(name="mine", registry="r.io/x", platform=("linux/amd64",))
        .with_apt_packages("git", "curl")
        .with_pip_packages(wheel, index_url="https://index.example", pre=True)
        .with_env_vars({{"A": "1"}})
        .with_commands(["echo 1"])
        .with_workdir("/x")
    ),
    resources=flyte.Resources(cpu=1, memory="1Gi", gpu=flyte.GPU("A100", 1, partition="1g.5gb")),
    reusable=flyte.ReusePolicy(replicas=(1, 2), idle_ttl=60, concurrency=4),
    cache=flyte.Cache("auto", serialize=True),
    pod_template=flyte.PodTemplate(labels={{"a": "b"}}),
    depends_on=[plain],
)

@plain.task
async def add(x: int, y: int = 0) -> int:
    if x < 0:
        raise ValueError("below 0")
    return x + y

@plain.task
def add_sync(x: int) -> int:
    return x + 1

@rich.task(triggers=flyte.Trigger("nightly", flyte.Cron("0 2 * * *"), inputs={{"n": 1}}), timeout=timedelta(minutes=5))
async def sdk_is_there(n: int) -> bool:
    import importlib.util
    return importlib.util.find_spec("flyte") is not None
"""
USED = """
from functools import partial

@flyte.trace
async def step(x: int) -> int:
    return x + 1

@plain.task
def maps(n: int) -> list[int]:
    return [x for x in flyte.map(add, range(n))] + list(flyte.map(add_sync, range(n), group_name="g", concurrency=2))

@rich.task
async def maps_in_a_loop(n: int) -> list[int]:
    return list(flyte.map(add, range(n))) + list(flyte.map(add_sync, range(n)))

@rich.task
async def maps_asynchronously(n: int) -> list[int]:
    return [x async for x in flyte.map.aio(partial(add, y=10), range(n), concurrency=2)]

@plain.task
def errors() -> list[str]:
    found = [str(x) for x in flyte.map(add, [1, -1, 2])]
    try:
        list(flyte.map(add, [-1], return_exceptions=False))
    except ValueError:
        found.append("raised")
    return found

@rich.task
async def slow(file: str) -> None:
    import asyncio
    try:
        await asyncio.sleep(60)
    finally:
        open(file, "w").close()

@plain.task
def waits(file: str) -> None:
    print("running", flush=True)
    list(flyte.map(slow, [file]))

@plain.task
async def waits_in_a_loop(file: str) -> None:
    print("running", flush=True)
    list(flyte.map(slow, [file]))

@rich.task
async def says() -> list[int]:
    flyte.logger.info("one line")
    with flyte.group("training"):
        one = await step(1)
    return [one, bool(flyte.ctx()), flyte.ctx().action is None]

@rich.task
async def overrides() -> list[int]:
    other = add.override(env_vars={"XX": "9"}, resources=flyte.Resources(cpu=1), retries=1, short_name="hey")
    own = sdk_is_there.override(reusable="off", cache="disable")
    return [await other(1), await other.aio(2), await own(1)]
"""


@pytest.fixture
def deployed(notebook: Notebook, folder: Path) -> Notebook:
    """A notebook whose two environments, neither of which has the SDK, are deployed."""
    notebook.ok(DECLARED.format(wheel=made_wheel(folder, "tiny", "1.0")), "declared")
    notebook.ok(USED, "used")
    notebook.ok("await flyte_nb.deploy()")
    return notebook


def test_what_cells_say_with_the_sdk_runs_on_local(deployed: Notebook) -> None:
    """Images with layers, devices, triggers and policies do not stop a worker, and map, trace, group and ctx work."""

    def result(call: str) -> Any:
        return deployed.value(f"(await flyte_nb.run({call}, on='local')).result")

    assert result("sdk_is_there, 1") is False
    assert result("maps, 3") == [0, 1, 2, 1, 2, 3]
    assert result("maps_in_a_loop, 3") == [0, 1, 2, 1, 2, 3]
    assert result("maps_asynchronously, 3") == [10, 11, 12]
    assert result("errors") == ["1", "below 0", "2", "raised"]
    assert result("says") == [2, False, True]
    assert result("overrides") == [1, 2, False]


def test_what_is_mapped_is_in_the_tree(deployed: Notebook) -> None:
    """Each call of a map is one of the run, below the task that maps."""
    run = "(await flyte_nb.run({task}, 2, on='local')).tree"
    for task in ("maps", "maps_in_a_loop"):
        called = deployed.value(f"[(call.task, call.parent is None) for call in {run.format(task=task)}]")
        assert sorted(called[1:]) == [("plain.add", False)] * 2 + [("plain.add_sync", False)] * 2
    called = deployed.value(f"[call.task for call in {run.format(task='maps_asynchronously')}]")
    assert called == ["rich.maps_asynchronously", "plain.add", "plain.add"]


@pytest.mark.parametrize("task", ["waits", "waits_in_a_loop"])
def test_an_interrupt_ends_a_map(deployed: Notebook, tmp_path: Path, task: str) -> None:
    """What is mapped is cancelled with the task that maps, and the next call runs."""
    file = tmp_path / "cancelled"
    code = f"await flyte_nb.run({task}, {str(file)!r}, on='local')"
    assert deployed.interrupted(code, after=1.0).status == "error"
    deadline = time.monotonic() + 20
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert file.exists()
    assert deployed.value("(await flyte_nb.run(maps, 1, on='local')).result") == [0, 1]
