"""Flyte's multiple task environments, native to the notebook.

`import flyte_nb as flyte` gives the names of the Flyte SDK that define environments; `%load_ext flyte_nb` adds the
magics. Importing this package needs nothing but the standard library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.errors import (
    AdoptError,
    CannotCrossError,
    CircularDependencyError,
    ClusterError,
    CredentialInSourceError,
    DeployedFunctionError,
    DeploymentBlockedError,
    DeploymentFailedError,
    DeploymentLockedError,
    EnvironmentInUseError,
    ExportError,
    FlyteNbError,
    HiddenDependencyError,
    InvalidArgumentsError,
    InvalidExpressionError,
    InvalidInputError,
    InvalidTypeError,
    InvalidValueError,
    MissingSdkError,
    MissingSecretError,
    NotATaskError,
    NotConnectedError,
    NotDeployedError,
    OversizeError,
    PlanOutdatedError,
    RefusedBySdkError,
    RemoteError,
    SavedPlanError,
    SourceTooDeepError,
    SourceUnavailableError,
    StateError,
    TargetError,
    TaskMemoryError,
    TaskTimeoutError,
    UncacheableGlobalError,
    UncacheableInputError,
    UnknownDeploymentError,
    UnknownEnvironmentError,
    UnknownPlaceError,
    UnknownRunError,
    UnknownTargetError,
    UnknownTaskError,
    UnknownVersionError,
    UnreadableObjectError,
    UnwrittenOptionError,
    VenvError,
    WorkerDiedError,
    WorkerStartError,
)
from flyte_nb.functions import (
    adopt,
    attach,
    deploy,
    deployed,
    deployment_order,
    deployments,
    export,
    map,  # noqa: A004 - as in Flyte
    plan,
    registry,
    reset,
    rollback,
    run,
    runs,
)
from flyte_nb.model import (
    Backoff,
    Cache,
    Image,
    Resources,
    RetryStrategy,
    Secret,
    Task,
    TaskEnvironment,
    Timeout,
)

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from flyte_nb.deployment.applying.status import Deployment
    from flyte_nb.deployment.keeping.recorded import RecordedDeployment
    from flyte_nb.deployment.planning.plan import Plan
    from flyte_nb.execution.history.records import RecordedRun
    from flyte_nb.execution.node import Run

__version__ = "0.1.0"

__all__ = [
    "AdoptError",
    "Backoff",
    "Cache",
    "CannotCrossError",
    "CircularDependencyError",
    "ClusterError",
    "CredentialInSourceError",
    "DeployedFunctionError",
    "Deployment",
    "DeploymentBlockedError",
    "DeploymentFailedError",
    "DeploymentLockedError",
    "EnvironmentInUseError",
    "ExportError",
    "FlyteNbError",
    "HiddenDependencyError",
    "Image",
    "InvalidArgumentsError",
    "InvalidExpressionError",
    "InvalidInputError",
    "InvalidTypeError",
    "InvalidValueError",
    "MissingSdkError",
    "MissingSecretError",
    "NotATaskError",
    "NotConnectedError",
    "NotDeployedError",
    "OversizeError",
    "Plan",
    "PlanOutdatedError",
    "RecordedDeployment",
    "RecordedRun",
    "RefusedBySdkError",
    "RemoteError",
    "Resources",
    "RetryStrategy",
    "Run",
    "SavedPlanError",
    "Secret",
    "SourceTooDeepError",
    "SourceUnavailableError",
    "StateError",
    "TargetError",
    "Task",
    "TaskEnvironment",
    "TaskMemoryError",
    "TaskTimeoutError",
    "Timeout",
    "UncacheableGlobalError",
    "UncacheableInputError",
    "UnknownDeploymentError",
    "UnknownEnvironmentError",
    "UnknownPlaceError",
    "UnknownRunError",
    "UnknownTargetError",
    "UnknownTaskError",
    "UnknownVersionError",
    "UnreadableObjectError",
    "UnwrittenOptionError",
    "VenvError",
    "WorkerDiedError",
    "WorkerStartError",
    "adopt",
    "attach",
    "deploy",
    "deployed",
    "deployment_order",
    "deployments",
    "export",
    "map",
    "plan",
    "registry",
    "reset",
    "rollback",
    "run",
    "runs",
]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> object:
    """Import what plan, deploy and run return when asked for: users name them in annotations only."""
    if name == "Deployment":
        from flyte_nb.deployment.applying.status import Deployment

        return Deployment
    if name == "Plan":
        from flyte_nb.deployment.planning.plan import Plan

        return Plan
    if name == "RecordedDeployment":
        from flyte_nb.deployment.keeping.recorded import RecordedDeployment

        return RecordedDeployment
    if name == "Run":
        from flyte_nb.execution.node import Run

        return Run
    if name == "RecordedRun":
        from flyte_nb.execution.history.records import RecordedRun

        return RecordedRun
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Serve `%load_ext flyte_nb`."""
    from flyte_nb.jupyter.extension import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Serve `%unload_ext flyte_nb`."""
    from flyte_nb.jupyter.extension import unload

    unload(shell)
