"""What is deployed, and every version that ever was, as a place needs it that runs tasks of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from flyte_nb.errors import NotDeployedError, UnknownVersionError
from flyte_nb.model.policies import Cache
from flyte_nb.places.task_facts import task_facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.deployment.keeping.state import DeploymentState
    from flyte_nb.places.task_facts import DeployedTaskFacts

__all__ = ["DeployedVersion", "KeptVersions", "Versions"]

_LEAST_CHARACTERS = 6


@dataclass(frozen=True)  # without slots: its tasks are worked out when somebody asks, and kept
class DeployedVersion:
    """One version of an environment; equal to any other of the same environment and fingerprint.

    Attributes:
        environment: The environment.
        fingerprint: Which version, as in `Bundle`.
        specification: As in `Bundle`; secrets are masked.
        module_name: What its module is called in the package of environments.
        module: The text of its module.
        files: What goes along with it: text by path, relative to the folder that holds the package of environments.
        modules: The environment of each module that it imports, and its own, by the name of the module.
    """

    environment: str
    fingerprint: str
    specification: Mapping[str, Any] = field(repr=False, compare=False)
    module_name: str = field(repr=False, compare=False)
    module: str = field(repr=False, compare=False)
    files: Mapping[str, str] = field(repr=False, compare=False)
    modules: Mapping[str, str] = field(repr=False, compare=False)

    @cached_property
    def cache(self) -> Cache:
        """When results of its tasks are reused, unless a task says otherwise."""
        return Cache(**self.specification["cache"])

    @cached_property
    def tasks(self) -> Mapping[str, DeployedTaskFacts]:
        """Its tasks by full name."""
        return task_facts(self)


class Versions(Protocol):
    """What is deployed to targets, and was."""

    def current(self, target: str) -> Mapping[str, str]:
        """Return the fingerprint of what is deployed to `target` now, by environment: cheap."""

    def version(self, target: str, environment: str, fingerprint: str) -> DeployedVersion | None:
        """Return a version, or None if it is not kept.

        Raises:
            NotDeployedError: An earlier flyte_nb has deployed it, and it cannot be run.
        """

    def find(self, target: str, environment: str, version: str | None) -> DeployedVersion:
        """Return the version that begins with `version`, or with None what is deployed now.

        Raises:
            NotDeployedError: Nothing is deployed, or what an earlier flyte_nb has deployed and cannot be run.
            UnknownVersionError: There is no such version, or there are several.
        """


class KeptVersions:
    """The versions in the database of deployments.

    Args:
        state: The database. Every method raises StateError if it cannot be read.
    """

    def __init__(self, state: DeploymentState) -> None:
        self._state = state

    def current(self, target: str) -> Mapping[str, str]:
        """Return the fingerprint of what is deployed to `target` now, by environment."""
        return self._state.fingerprints(target)

    def version(self, target: str, environment: str, fingerprint: str) -> DeployedVersion | None:
        """Return a version, or None if it is not kept.

        Raises:
            NotDeployedError: An earlier flyte_nb has deployed it, and it cannot be run.
        """
        bundle = self._state.versions(target, [(environment, fingerprint)]).get(environment)
        if bundle is None:
            return None
        if not bundle.module_name:
            raise NotDeployedError(environment, target, former=fingerprint)
        return _version(bundle)

    def find(self, target: str, environment: str, version: str | None) -> DeployedVersion:
        """Return the version that begins with `version`, or with None what is deployed now.

        Args:
            target: The name of the target.
            environment: The environment.
            version: The beginning of a fingerprint, at least 6 characters; of a version that a deployment had, whether
                it succeeded or not.

        Raises:
            NotDeployedError: Nothing is deployed, or what an earlier flyte_nb has deployed and cannot be run.
            UnknownVersionError: There is no such version, or there are several.
        """
        if version is None:
            fingerprint = self.current(target).get(environment)
        else:
            fingerprint = self._begins(target, environment, version)
        found = self.version(target, environment, fingerprint) if fingerprint else None
        if found is None:
            raise NotDeployedError(environment, target, self.current(target))
        return found

    def _begins(self, target: str, environment: str, version: object) -> str | None:
        """Return the fingerprint that begins with `version`; None if the environment never had any."""
        kept = self._state.kept_fingerprints(target, environment)
        if not kept:
            return None
        found = [each for each in kept if isinstance(version, str) and each.startswith(version.lower())]
        problem = ""
        if not isinstance(version, str):
            problem = "is not a version: give the first characters of one as text"
        elif len(version) < _LEAST_CHARACTERS:
            problem = f"is too short for a version: give its first {_LEAST_CHARACTERS} characters or more"
        elif len(found) > 1:
            problem = "is the beginning of several versions: give more characters"
        if problem or not found:
            raise UnknownVersionError(environment, version, found or kept, problem)
        return found[0]


def _version(bundle: Bundle) -> DeployedVersion:
    return DeployedVersion(
        bundle.name,
        bundle.fingerprint,
        bundle.specification,
        bundle.module_name,
        bundle.module,
        bundle.files,
        bundle.modules,
    )
