"""Which cluster the SDK is connected to; the connection, and who may use it, are the SDK's own."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

# Nothing public says what the SDK was initialised with, nor sets the folder of the code for one deployment only.
from flyte._initialize import get_init_config, init_config_context
from flyte.errors import InitializationError

from flyte_nb.errors import NotConnectedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Cluster", "connected_cluster", "using"]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A project and domain of a cluster.

    Attributes:
        endpoint: Where the cluster is, without what kind of connection it is.
        project: The project.
        domain: The domain.
    """

    endpoint: str
    project: str
    domain: str

    def __str__(self) -> str:
        return f"{self.project}/{self.domain}@{self.endpoint}"


def connected_cluster(project: str = "", domain: str = "", endpoint: str = "") -> Cluster:
    """Return the cluster that the SDK is connected to.

    Args:
        project: The project, or nothing for the one with which the SDK was initialised.
        domain: The domain, likewise.
        endpoint: Where it must be, or nothing for wherever it is.

    Raises:
        NotConnectedError: The SDK is connected to no cluster, or to another, or knows no project or domain.
    """
    try:
        config: Any = get_init_config()
    except InitializationError:
        raise NotConnectedError("The Flyte SDK is not initialised") from None
    if config.client is None:
        raise NotConnectedError("The Flyte SDK was initialised without a cluster")
    where = _plain(config.client.endpoint)
    if endpoint and where != endpoint:
        raise NotConnectedError(f"The Flyte SDK is connected to {where}, and this is about {endpoint}")
    found = Cluster(where, project or config.project or "", domain or config.domain or "")
    for what in ("project", "domain"):
        if not getattr(found, what):
            raise NotConnectedError(f"No {what} is known: give --{what}, or initialise the Flyte SDK with one")
    return found


@contextmanager
def using(cluster: Cluster, code: Path | None = None) -> Iterator[None]:
    """Let the SDK work in `cluster`, in this context and no other.

    Args:
        cluster: One that the SDK is connected to.
        code: The folder that is deployed; by default the one with which the SDK was initialised.
    """
    config: Any = get_init_config()
    changes: dict[str, Any] = {"project": cluster.project, "domain": cluster.domain}
    if code is not None:
        # The paths of this machine mean nothing to code that was written for its own folder.
        changes |= {"root_dir": code, "sync_local_sys_paths": False}
    with init_config_context(config.replace(**changes)):
        yield


def _plain(endpoint: str) -> str:
    return endpoint.partition("://")[2].strip("/") or endpoint
