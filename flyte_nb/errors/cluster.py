"""Errors of a Flyte cluster, and of the SDK that talks to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.errors.base import FlyteNbError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ClusterError", "MissingSdkError", "NotConnectedError", "RefusedBySdkError", "UnwrittenOptionError"]


class MissingSdkError(FlyteNbError):
    """Something needs the Flyte SDK, which is not installed.

    Attributes:
        what: What needs it.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"{what} needs the Flyte SDK. Install it: pip install 'flyte_nb[flyte]'")


class NotConnectedError(FlyteNbError):
    """The SDK is connected to no cluster, or knows no project and domain there.

    Attributes:
        problem: What is missing.
    """

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"{problem}. Connect first: flyte.init_from_config() or flyte.init(endpoint=..., ...)")


class RefusedBySdkError(FlyteNbError, ValueError):
    """The SDK does not take what an environment, or a task of it, says.

    Attributes:
        what: The environment or the task.
        reason: What the SDK says.
    """

    def __init__(self, what: str, reason: str) -> None:
        self.what, self.reason = what, reason
        super().__init__(f"{what}: the Flyte SDK refuses this: {reason}")


class UnwrittenOptionError(FlyteNbError, ValueError):
    """What an environment says to Flyte cannot be written into the module that its pods import.

    Attributes:
        environment: The environment.
        options: The type of each such option, by its name.
    """

    def __init__(self, environment: str, options: Mapping[str, str]) -> None:
        self.environment, self.options = environment, dict(options)
        named = ", ".join(f"{name} ({kind})" for name, kind in options.items())
        super().__init__(
            f"{environment!r} cannot be deployed to a cluster: {named} cannot be written as source. Say it with "
            "literals and objects of the Flyte SDK."
        )


class UnreadableObjectError(FlyteNbError, ValueError):
    """What a cell has constructed with the Flyte SDK cannot be taken into the session.

    Attributes:
        reason: Why.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"What this cell says with the Flyte SDK cannot be taken into the session: {reason}. Nothing of it counts."
        )


class ClusterError(FlyteNbError):
    """The cluster does not do what it was asked for.

    Attributes:
        what: What it was asked for.
        reason: What it says.
    """

    def __init__(self, what: str, reason: str) -> None:
        self.what, self.reason = what, reason
        super().__init__(f"{what}: {reason}")
