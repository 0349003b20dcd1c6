"""Where an environment stands, and what has called what: what the details and the overlay of a graph tell."""

from __future__ import annotations

import asyncio
from typing import Any

import flyte_nb
from flyte_nb.session import session
from flyte_nb.view.standing import standing_details


def _base(memory: str = "1Gi") -> flyte_nb.TaskEnvironment:
    return flyte_nb.TaskEnvironment("base", image="python:3.12-slim", resources=flyte_nb.Resources(memory=memory))


def _told(name: str) -> dict[str, str]:
    return dict(standing_details(session().standing(name)))


def test_what_was_never_deployed_is_new() -> None:
    """There is no last deployment, and the target does not have it."""
    _base()
    assert _told("base") == {"last deployment": "none so far", "difference": "new: local does not have it"}


def test_what_is_deployed_as_it_is_says_so() -> None:
    """When, how it ended, how long it took, and its version."""
    _base()
    deployed = asyncio.run(flyte_nb.deploy())
    told = _told("base")
    assert told["last deployment"].startswith(f"{deployed.name} to local, 20")
    assert "✓ deployed in 0." in told["last deployment"]
    assert len(told["version"]) == 12
    assert told["difference"] == "none: it is deployed to local as it is defined here"


def test_what_has_changed_since_is_told_by_field() -> None:
    """A field as old → new."""
    _base()
    asyncio.run(flyte_nb.deploy())
    _base("4Gi")
    assert _told("base")["changed"] == "resources.memory: 1Gi → 4Gi"


def test_a_later_deployment_is_the_last() -> None:
    """Also one that found it unchanged; the version before is told after an update."""
    _base()
    first = asyncio.run(flyte_nb.deploy())
    _base("4Gi")
    asyncio.run(flyte_nb.deploy())
    told = _told("base")
    assert ", before that " in told["version"]
    assert not told["last deployment"].startswith(f"{first.name} ")
    asyncio.run(flyte_nb.deploy())
    assert "= unchanged" in _told("base")["last deployment"]


def test_what_cannot_be_deployed_says_why() -> None:
    """As the plan does."""
    env = flyte_nb.TaskEnvironment("odd")
    local: dict[str, Any] = {}
    exec("async def made() -> int:\n    return 1", local)  # noqa: S102 - a function without a source
    env.task(local["made"])
    assert "source" in _told("odd")["difference"]


def test_a_name_that_is_not_defined_has_only_its_history() -> None:
    """Nothing can differ from what is not there."""
    _base()
    asyncio.run(flyte_nb.deploy())
    flyte_nb.reset()
    told = _told("base")
    assert "✓ deployed" in told["last deployment"]
    assert told["difference"] == "it is not defined here"
    assert _told("nobody") == {"last deployment": "none so far"}


def test_calls_between_environments_are_counted() -> None:
    """Of the runs that are recorded; calls within an environment are not between two."""
    base, ml = _base(), flyte_nb.TaskEnvironment("ml")

    @base.task
    async def load() -> int:
        return 1

    @ml.task
    async def step() -> int:
        return await load() + await load()

    @ml.task
    async def train() -> int:
        return await step() + await load()

    before, known = session().history.calls()
    for _ in range(2):
        asyncio.run(flyte_nb.run(train))
    runs, counts = session().history.calls()
    assert runs == before + 2
    assert counts[("ml", "base")] == known.get(("ml", "base"), 0) + 6
    assert ("ml", "ml") not in counts


def test_what_is_deployed_is_the_same_or_not() -> None:
    """Of what is defined here, and there where it was deployed last; of what never was, nothing is known."""
    _base()
    flyte_nb.TaskEnvironment("api")
    assert session().deployed() == {}
    asyncio.run(flyte_nb.deploy("base"))
    assert session().deployed() == {"base": True}
    asyncio.run(flyte_nb.deploy("api"))
    _base("4Gi")
    assert session().deployed() == {"base": False, "api": True}
    flyte_nb.reset()
    assert session().deployed() == {}
