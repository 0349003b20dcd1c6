"""Where one environment stands: what its last deployment was, and what the next would change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flyte_nb.deployment.keeping.recorded import RecordedDeployment, RecordedEnvironment
    from flyte_nb.deployment.planning.plan import Step

__all__ = ["Standing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one environment stands.

    Attributes:
        name: The environment.
        target: The target that is told of: the one it was last deployed to, or else the default.
        deployment: The last deployment that it was part of; None if there was none.
        environment: What became of it there.
        step: What a deployment to the target would do with it now; None if that is not known without asking a cluster.
    """

    name: str
    target: str
    deployment: RecordedDeployment | None = None
    environment: RecordedEnvironment | None = None
    step: Step | None = None
