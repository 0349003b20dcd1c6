"""The way back: what the environments of an earlier deployment had, as a plan against what the target has now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.deployment.applying.status import State
from flyte_nb.deployment.planning.making import make_plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.deployment.keeping.recorded import RecordedDeployment
    from flyte_nb.deployment.keeping.state import DeploymentState
    from flyte_nb.deployment.planning.plan import Plan
    from flyte_nb.targets.protocol import Deployed

__all__ = ["plan_rollback"]

_MISSING = "the version of {name!r} is no longer kept. Deploy it from its notebook."


def plan_rollback(
    deployment: RecordedDeployment, state: DeploymentState, deployed: Mapping[str, Deployed]
) -> tuple[Plan, dict[str, Bundle]]:
    """Return the plan that brings back the versions `deployment` ended with, and what it would deploy.

    An environment that failed then, was not begun, or was removed, is left alone, and so is every other. One whose
    version is not kept is blocked.

    Args:
        deployment: What to go back to.
        state: Keeps the versions.
        deployed: What its target has now.

    Raises:
        StateError: The versions cannot be read.
    """
    there = (State.SUCCEEDED, State.UNCHANGED)
    wanted = [(one.name, one.fingerprint) for one in deployment.environments if one.state in there]
    bundles = state.versions(deployment.target, wanted)
    # What an environment depended on then and is left alone now cannot hold it up.
    dependencies = {
        name: tuple(other for other in bundle.specification.get("depends_on", ()) if other in bundles)
        for name, bundle in bundles.items()
    }
    missing = {name: _MISSING.format(name=name) for name, _ in wanted if name not in bundles}
    names, dependencies = [*bundles, *missing], {**dependencies, **dict.fromkeys(missing, ())}
    return make_plan(deployment.target, names, dependencies, bundles, deployed, problems=missing), bundles
