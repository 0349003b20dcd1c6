"""What became of the environments of a deployment whose kernel ended in the middle of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flyte_nb.deployment.applying.status import State
from flyte_nb.deployment.planning.plan import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flyte_nb.deployment.keeping.recorded import RecordedEnvironment
    from flyte_nb.targets.protocol import Deployed

__all__ = ["resolved"]


def resolved(
    environments: Iterable[RecordedEnvironment], deployed: Mapping[str, Deployed] | None
) -> tuple[RecordedEnvironment, ...]:
    """Return `environments` as they are known to be: what had not ended is looked for among what is `deployed`.

    Args:
        environments: As they are recorded. The record may be behind the target by a moment.
        deployed: What the target has; None if that cannot be told.
    """
    return tuple(one if one.state.is_final else _resolved(one, deployed) for one in environments)


def _resolved(one: RecordedEnvironment, deployed: Mapping[str, Deployed] | None) -> RecordedEnvironment:
    had_begun = one.state is not State.PENDING
    there = deployed.get(one.name) if deployed is not None else None
    if there and there.fingerprint == one.fingerprint:
        if one.action == Action.UNCHANGED.value:
            return replace(one, state=State.UNCHANGED)
        return replace(one, state=State.SUCCEEDED, started=one.started or there.deployed_at, ended=there.deployed_at)
    if one.action == Action.REMOVE.value and deployed is not None and not there:
        return replace(one, state=State.REMOVED)
    if had_begun:
        return replace(one, state=State.LOST, error="the kernel ended while it was deployed")
    # The record is written while the work begins: it may have begun in the last moment, and done nothing that is seen.
    return replace(one, state=State.CANCELLED, error="the kernel ended before it had started, as far as was recorded")
