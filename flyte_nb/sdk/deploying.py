"""Deploying one environment to a cluster: its tasks, and nothing of what it depends on."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flyte
import flyte.remote
from connectrpc.code import Code
from flyte.syncify import syncify

from flyte_nb.errors import ClusterError, RefusedBySdkError
from flyte_nb.masking import error_text
from flyte_nb.sdk.cluster import using
from flyte_nb.sdk.failures import code_of, patiently, what_it_says
from flyte_nb.sdk.modules import Loaded, forget, write_code
from flyte_nb.sdk.stubs import ImageStub
from flyte_nb.sdk.telling import told_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.sdk.cluster import Cluster

__all__ = ["deploy_bundle", "tasks_there", "tasks_there_now", "version_of"]

_VERSION_CHARACTERS = 32
# How many questions are under way at once.
_AT_ONCE = 32


def version_of(fingerprint: str) -> str:
    """Return what the cluster calls the version of that fingerprint."""
    return fingerprint[:_VERSION_CHARACTERS]


async def deploy_bundle(
    bundle: Bundle, cluster: Cluster, secrets: Mapping[str, str], log: Callable[[str], None]
) -> None:
    """Deploy the tasks of `bundle`, which is linked, each of them once; what is there already is not sent again.

    Args:
        bundle: One environment, with all that its tasks call.
        cluster: Where to.
        secrets: Environment variables that its modules read in the place of what is not written.
        log: Takes lines for people to read.

    Raises:
        RefusedBySdkError: The SDK refuses what the environment says, or its module cannot be imported.
        ClusterError: The cluster refuses it, or an image cannot be built; or it stays out of reach.
    """
    with tempfile.TemporaryDirectory(prefix="flyte_nb-") as name:
        folder = await asyncio.to_thread(write_code, [bundle], Path(name))
        with using(cluster, folder), told_to(log):
            try:
                await patiently(lambda: _deploy(bundle, folder, cluster, secrets, log), log)
            except (RefusedBySdkError, ClusterError):
                raise
            except Exception as error:
                raise ClusterError(bundle.name, what_it_says(error)) from error


def tasks_there_now(tasks: Iterable[tuple[str, str]], cluster: Cluster) -> set[tuple[str, str]]:
    """Return what `tasks_there` does, and wait for it in this thread.

    Raises:
        ClusterError: The cluster does not say.
    """
    asked = list(tasks)
    if not asked:
        return set()
    with using(cluster):
        try:
            there: set[tuple[str, str]] = _tasks_there(asked, cluster)
        except Exception as error:
            raise ClusterError(str(cluster), what_it_says(error)) from error
    return there


async def tasks_there(tasks: Iterable[tuple[str, str]], cluster: Cluster) -> set[tuple[str, str]]:
    """Return those of `tasks`, full names and versions, that the cluster has."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def is_there(name: str, version: str) -> bool:
        async with gate:
            return await _is_there(name, version, cluster)

    asked = list(tasks)
    answers = await asyncio.gather(*(is_there(*task) for task in asked))
    return {task for task, answer in zip(asked, answers, strict=True) if answer}


_tasks_there = syncify(tasks_there)


async def _is_there(name: str, version: str, cluster: Cluster) -> bool:
    try:
        await flyte.remote.Task.get(name, project=cluster.project, domain=cluster.domain, version=version).fetch.aio()
    except flyte.errors.RemoteTaskNotFoundError:
        return False
    except Exception as error:
        if code_of(error) is Code.NOT_FOUND:
            return False
        raise
    return True


async def _deploy(
    bundle: Bundle, folder: Path, cluster: Cluster, secrets: Mapping[str, str], log: Callable[[str], None]
) -> None:
    version, named = version_of(bundle.fingerprint), list(bundle.specification["tasks"])
    there = await tasks_there([(task, version) for task in named], cluster)
    if len(there) == len(named):
        log(f"version {version[:12]} is there already" if named else "has no tasks: nothing is sent")
        return
    loaded = await asyncio.to_thread(_loaded, bundle, folder, secrets)
    try:
        own = loaded.environments[bundle.module_name]
        for task, _ in there:
            own.tasks.pop(task, None)
        log(f"sends version {version[:12]} of {', '.join(own.tasks)}")
        await _send(own, [each for each in loaded.environments.values() if each is not own], version)
    finally:
        loaded.close()


async def _send(environment: Any, called: Iterable[Any], version: str) -> None:
    # A task that is called runs in the image of its own environment: the caller brings along which that is.
    images = [ImageStub(name=other.name, image=other.image) for other in called]
    environment.depends_on = images
    try:
        await flyte.deploy.aio(environment, version=version, copy_style="all")
    finally:
        forget(images)


def _loaded(bundle: Bundle, folder: Path, secrets: Mapping[str, str]) -> Loaded:
    try:
        return Loaded(folder, bundle.modules, secrets)
    except Exception as error:
        raise RefusedBySdkError(bundle.name, error_text(error)) from error
