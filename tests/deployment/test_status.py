"""What a finished deployment tells."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from flyte_nb.deployment.applying.status import Deployment, EnvironmentStatus, State
from flyte_nb.errors import DeploymentFailedError

BEGUN = datetime(2024, 1, 1, tzinfo=timezone.utc)


def deployment(**states: State) -> Deployment:
    order = [name for name, state in states.items() if state in (State.SUCCEEDED, State.UNCHANGED)]
    statuses = tuple(EnvironmentStatus(name, state, error="boom") for name, state in states.items())
    return Deployment("local", statuses, order, BEGUN, BEGUN + timedelta(seconds=1.5))


def test_a_deployment_that_succeeded() -> None:
    """Everything deployed or unchanged is a success, and nothing is raised."""
    done = deployment(base=State.UNCHANGED, ml=State.SUCCEEDED)
    assert done.succeeded
    assert done.states == {"base": "unchanged", "ml": "succeeded"}
    assert done.duration == 1.5
    done.raise_if_failed()


def test_a_deployment_that_failed() -> None:
    """One that failed makes the whole fail, and the error carries who failed and who was skipped."""
    done = deployment(base=State.FAILED, ml=State.SKIPPED, side=State.SUCCEEDED)
    assert not done.succeeded
    with pytest.raises(DeploymentFailedError) as caught:
        done.raise_if_failed()
    assert (caught.value.failed, caught.value.skipped) == ({"base": "boom"}, ("ml",))
