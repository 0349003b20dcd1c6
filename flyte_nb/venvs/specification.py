"""What a virtual environment holds: a Python and packages, from the image of an environment."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import sysconfig
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flyte_nb.masking import without_credentials
from flyte_nb.model.image import Image
from flyte_nb.venvs.local_content import digest_of
from flyte_nb.venvs.requirements import file_lines, local_path, package_line, unique

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["VenvSpec", "venv_spec", "venv_spec_of_json"]

# Increased when environments that were built before would not do any more.
_SCHEME = 1
_KEY_DIGITS = 32


@dataclass(frozen=True, slots=True)
class VenvSpec:
    """What a virtual environment holds.

    Attributes:
        python: Its Python as "MAJOR.MINOR".
        packages: Requirements as pip takes them, options of requirements files among them, sorted, each once.
            Credentials are in them, if the image was at hand.
        local: For each of `packages` that names a file or folder here, a digest of what that held.
    """

    python: str
    packages: tuple[str, ...] = ()
    local: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What tells it from others, in 32 hexadecimal digits; credentials make no difference."""
        packages = unique(map(without_credentials, self.packages))
        parts = [_SCHEME, self.python, sysconfig.get_platform(), packages, self.local]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_KEY_DIGITS]

    def __str__(self) -> str:
        return ", ".join([f"python {self.python}", *map(without_credentials, self.packages)])

    def __repr__(self) -> str:
        return f"<VenvSpec {self}>"


def venv_spec(image: str | Image) -> VenvSpec | None:
    """Return what the virtual environment for `image` holds, or None if its tasks run in the Python of the kernel.

    That is so for every image that names neither a Python nor packages: a container cannot be had here.
    """
    if not isinstance(image, Image):
        return None
    return _spec(image.python, image.pip_packages, ((file.path, file.text) for file in image.requirements))


def venv_spec_of_json(image: Any) -> VenvSpec | None:
    """Return the same from the image as it is in the specification of a bundle, in which credentials are masked.

    The key is that of `venv_spec`, but what needs the credentials cannot be installed.
    """
    if not isinstance(image, dict):
        return None
    files: Iterable[Mapping[str, str]] = image.get("requirements") or ()
    return _spec(image.get("python"), image.get("pip_packages") or (), ((file["path"], file["text"]) for file in files))


def _spec(python: str | None, packages: Iterable[str], files: Iterable[tuple[str, str]]) -> VenvSpec | None:
    lines = [package_line(package) for package in packages]
    for file, text in files:
        lines += file_lines(text, os.path.dirname(file))
    if python is None and not lines:
        return None
    own = "{}.{}".format(*sys.version_info[:2])
    sorted_lines = unique(lines)
    paths = (path for line in sorted_lines if (path := local_path(line)))
    return VenvSpec(python or own, sorted_lines, tuple(map(digest_of, paths)))
