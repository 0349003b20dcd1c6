"""Plans and deployments as tables."""

from __future__ import annotations

import asyncio
import sys

import flyte_nb as flyte
from flyte_nb.view.deployments import deployment_table
from flyte_nb.view.plans import plan_table
from flyte_nb.view.table import table_text


def test_a_plan_names_the_part_of_an_image_that_differs() -> None:
    """Of a value with parts, the parts that differ are shown, and of long texts the ends."""
    here, other = "{}.{}".format(*sys.version_info[:2]), "3.99"
    flyte.TaskEnvironment("env", image=flyte.Image.from_debian_base(here))
    asyncio.run(flyte.deploy())
    flyte.TaskEnvironment("env", image=flyte.Image.from_debian_base(other))
    (row,) = plan_table(flyte.plan()).rows
    assert row[-1] == f"image.python: {here} → {other}"
    flyte.TaskEnvironment("env", image="registry/" + "x" * 100 + ":two")
    (row,) = plan_table(flyte.plan()).rows
    assert row[-1].endswith(":two")


def test_a_changed_secret_is_told_without_its_value() -> None:
    """The plan says that a masked variable changed and shows neither value."""
    flyte.TaskEnvironment("env", env_vars={"API_TOKEN": "hunter2"})
    asyncio.run(flyte.deploy())
    flyte.TaskEnvironment("env", env_vars={"API_TOKEN": "hunter3"})
    shown = table_text(plan_table(flyte.plan()))
    assert "1 to update" in shown
    assert "not shown" in shown
    assert "hunter" not in shown


def test_plans_and_deployments_read_well_when_printed() -> None:
    """In a script, print gives a line for each environment."""
    flyte.TaskEnvironment("base")
    flyte.TaskEnvironment("ml", depends_on=["base", "soon"])
    assert [line.split()[:2] for line in str(flyte.plan()).splitlines()[1:]] == [
        ["undefined", "soon"],
        ["create", "base"],
        ["blocked", "ml"],
    ]
    deployment = asyncio.run(flyte.deploy("base"))
    assert str(deployment).splitlines()[1].split() == ["succeeded", "base"]
    assert "deployed" in table_text(deployment_table("local", deployment.environments))
