"""What a plan takes away from the target, and after what."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from flyte_nb.deployment.planning.plan import Action, Step
from flyte_nb.errors import CircularDependencyError
from flyte_nb.graph import ordered

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from flyte_nb.targets.protocol import Deployed

__all__ = ["removal_steps"]


def removal_steps(
    steps: Collection[Step],
    dependencies: Mapping[str, Collection[str]],
    deployed: Mapping[str, Deployed],
    removable: Collection[str],
) -> list[Step]:
    """Return a step for each of `removable` that the target has and that the session does not define, in order.

    What depends on others is removed before them, and what is deployed anew without depending on them, before that.
    What something needs that stays as it is cannot be removed.

    Args:
        steps: Those of the session.
        dependencies: What each environment of the session depends on, whether it has a step or not.
        deployed: What the target has.
        removable: What may be removed.
    """
    planned = {step.name for step in steps}
    gone = {name for name in deployed if name in removable and name not in planned and name not in dependencies}
    users = _users(gone, deployed, dependencies)
    staying: set[str] = set()
    found = []
    for name in _users_first([name for name in deployed if name in gone], users):
        keepers = [user for user in users[name] if user in staying or (user not in gone and user not in planned)]
        if keepers:
            staying.add(name)
            found.append(_refused(deployed[name], keepers[0]))
        else:
            before = tuple(user for user in users[name] if user in planned or user in gone)
            found.append(Step(name, Action.REMOVE, before, deployed=deployed[name].fingerprint))
    return found


def _users(
    names: Collection[str], deployed: Mapping[str, Deployed], dependencies: Mapping[str, Collection[str]]
) -> dict[str, list[str]]:
    """Return what depends on each of `names`, as it is deployed or as the session defines it, each user once."""
    users: dict[str, dict[str, None]] = {name: {} for name in deployed if name in names}
    needs = ((user.name, user.specification.get("depends_on", ())) for user in deployed.values())
    for user, needed in chain(needs, dependencies.items()):
        for dependency in needed:
            if dependency in users:
                users[dependency][user] = None
    return {name: list(found) for name, found in users.items()}


def _users_first(names: list[str], users: dict[str, list[str]]) -> list[str]:
    try:
        return ordered(names, users)
    except CircularDependencyError:
        # Each was deployed when the other did not yet depend on it: any of them may go first.
        going = set(names)
        for name in names:
            users[name] = [user for user in users[name] if user not in going]
        return names


def _refused(deployed: Deployed, keeper: str) -> Step:
    problem = f"cannot be removed: {keeper!r} stays and needs it. Remove that too, or deploy without pruning."
    return Step(deployed.name, Action.BLOCKED, (), problem=problem, deployed=deployed.fingerprint)
