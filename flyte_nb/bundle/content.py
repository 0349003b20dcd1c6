"""One environment as it would be deployed, as a frozen fact that can be stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Bundle"]


@dataclass(frozen=True, slots=True)
class Bundle:
    """One environment as it would be deployed now.

    Attributes:
        name: The environment.
        specification: Its fields, and the policies of its tasks, as JSON values; secrets are masked.
        sources: The source of each part by its label: tasks by their full names, other definitions by the names they
            bind, modules of the user by their paths.
        fingerprint: SHA-256 in hex of specification (unmasked) and sources; comments and blank lines do not count.
        module: The text of the importable module that defines it all for Flyte.
        files: The modules of the user that it imports: text by path, relative to the folder it is imported from.
        unwritten: What of the environment the module could not say: the option, and the type of its value.
        module_name: What the module is called in the package of environments: "ml_training".
        modules: What that module and those of other environments that it imports are called: the name of each
            environment by the name of its module.
    """

    name: str
    specification: Mapping[str, Any]
    sources: Mapping[str, str]
    fingerprint: str
    module: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    unwritten: Mapping[str, str] = field(default_factory=dict)
    module_name: str = ""
    modules: Mapping[str, str] = field(default_factory=dict)
