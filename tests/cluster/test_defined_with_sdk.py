"""Cells that define with the SDK itself, deployed and run on a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .loopback.control import Loopback

BASE = """
import flyte

base = flyte.TaskEnvironment("base", image="base:1")

@base.task
async def load() -> int:
    return 20
"""
ML = """
ml = flyte.TaskEnvironment("ml", image="ml:1", depends_on=[base])

@ml.task(report=True, retries=1)
async def train(n: int) -> int:
    return n + 1
"""
API = """
api = flyte.TaskEnvironment("api", depends_on=[ml])

@api.task
async def serve() -> int:
    return await train(await load())
"""


def run(ip: InteractiveShell, cell: str, cell_id: str | None = None) -> Any:
    result = ip.run_cell(cell, cell_id=cell_id)
    result.raise_error()
    return result.result


def test_from_cells_only(ip: InteractiveShell, cluster: Loopback) -> None:
    """Three environments in order, a pipeline across them, the base redefined: versions and results are right."""
    for number, cell in enumerate([BASE, ML, API]):
        run(ip, cell, f"cell-{number}")
    assert list(run(ip, "%flyte_deploy --target flyte").order) == ["base", "ml", "api"]
    assert run(ip, "%flyte_run serve() --on flyte") == 21
    run(ip, BASE.replace("return 20", "return 30"), "cell-0")
    again = run(ip, "%flyte_deploy --target flyte")
    assert again.states["ml"] == "unchanged"
    assert run(ip, "%flyte_run serve() --on flyte") == 31
    assert [call.environment for call in cluster.calls("DeployTask")] == ["base", "ml", "api", "base", "api"]


def test_what_is_overridden_goes_along(ip: InteractiveShell, cluster: Loopback) -> None:
    """Variables that a run says otherwise are those of its pod, as with the SDK itself."""
    cell = """
import os, flyte
env = flyte.TaskEnvironment("env", env_vars={"XX": "0"})

@env.task
async def tells() -> str:
    return os.environ.get("XX", "-")
"""
    run(ip, cell, "cell-0")
    run(ip, "%flyte_deploy --target flyte")
    assert run(ip, "%flyte_run tells() --on flyte") == "0"
    assert run(ip, '%flyte_run tells.override(env_vars={"XX": "1"})() --on flyte') == "1"
