"""The container image a task runs in."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flyte_nb.errors import InvalidTypeError, InvalidValueError
from flyte_nb.masking import without_credentials
from flyte_nb.model.names import check_env_vars
from flyte_nb.model.requirements import RequirementsFile, check_packages, read_requirements

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from typing import TypeGuard

__all__ = ["Image", "check_image"]

_LONGEST_URI = 4096
_SHOWN_ITEMS = 5
_PYTHON_VERSION = re.compile(r"3\.[1-9][0-9](?![0-9])")
_URI_EXAMPLE = '"python:3.12-slim"'


@dataclass(frozen=True, slots=True, repr=False)
class Image:
    """An image: a base, and what is added to it. Start with `from_base` or `from_debian_base`.

    Attributes:
        uri: The image it starts from, or None if it starts from Flyte's Debian image.
        python: The Python of Flyte's Debian image as "MAJOR.MINOR", or None if it starts from `uri`.
        pip_packages: Requirements to install, as pip takes them.
        requirements: Requirements files to install.
        env_vars: Environment variables as (name, value) pairs, in order of their names.
    """

    uri: str | None = None
    python: str | None = None
    pip_packages: tuple[str, ...] = ()
    requirements: tuple[RequirementsFile, ...] = ()
    env_vars: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if (self.uri is None) == (self.python is None):
            problem = "must be set when python is not, and only then"
            raise InvalidValueError("Image.uri", self.uri, problem, f"Image.from_base({_URI_EXAMPLE})")
        if self.uri is not None:
            _check_uri("Image.uri", self.uri)
        else:
            object.__setattr__(self, "python", _python_version("Image.python", self.python))
        object.__setattr__(self, "pip_packages", check_packages("Image.pip_packages", self.pip_packages))
        object.__setattr__(self, "requirements", _requirements("Image.requirements", self.requirements))
        object.__setattr__(self, "env_vars", _variables("Image.env_vars", self.env_vars))

    @classmethod
    def from_base(cls, uri: str) -> Image:
        """Return the image that a reference such as "python:3.12-slim" names.

        Raises:
            InvalidTypeError: If `uri` is not a string.
            InvalidValueError: If it is empty, too long, or holds white space or control characters.
        """
        return cls(uri=_check_uri("Image.from_base", uri))

    @classmethod
    def from_debian_base(
        cls, python: str | tuple[int, int] | None = None, *, python_version: tuple[int, int] | None = None
    ) -> Image:
        """Return Flyte's own Debian image.

        Args:
            python: The Python in it, such as "3.12" or (3, 12); None is the version that runs now.
            python_version: The same, as Flyte names it.

        Raises:
            InvalidTypeError: If `python` is neither; a number is refused because 3.10 is 3.1.
            InvalidValueError: If it is not 3.10 or a later minor version, or both are given.
        """
        if python is not None and python_version is not None:
            problem = "is given beside python, which means the same"
            raise InvalidValueError("Image.from_debian_base", python_version, problem, 'python="3.12"')
        python = python if python_version is None else python_version
        version = sys.version_info[:2] if python is None else python
        return cls(python=_python_version("Image.from_debian_base", version))

    def with_pip_packages(self, *packages: str) -> Image:
        """Return this image with more packages, each as pip takes it: "pandas>=2".

        Raises:
            InvalidTypeError: If a package is not a string.
            InvalidValueError: If one is empty, an option, or holds a line break or another control character.
        """
        added = check_packages("Image.with_pip_packages", packages)
        return replace(self, pip_packages=(*self.pip_packages, *added))

    def with_requirements(self, path: str | os.PathLike[str]) -> Image:
        """Return this image with the packages of a requirements file, which is read now.

        Raises:
            InvalidTypeError: If `path` is not a path.
            InvalidValueError: If there is no such file, or it is not text in UTF-8.
        """
        return replace(self, requirements=(*self.requirements, read_requirements("Image.with_requirements", path)))

    def with_env_vars(self, env_vars: Mapping[str, str]) -> Image:
        """Return this image with more environment variables; one that is set already gets the new value.

        Raises:
            InvalidTypeError: If it is not a dictionary of strings to strings.
            InvalidValueError: If a name is no variable name, or a value holds a NUL.
        """
        added = check_env_vars("Image.with_env_vars", env_vars)
        return replace(self, env_vars=tuple({**dict(self.env_vars), **added}.items()))

    def __str__(self) -> str:
        parts = [self.uri if self.uri is not None else f"debian, python {self.python}"]
        for label, items in (
            ("pip", [without_credentials(package) for package in self.pip_packages]),
            ("requirements", [file.path for file in self.requirements]),
            ("env", [name for name, _ in self.env_vars]),
        ):
            if items:
                more = f" and {len(items) - _SHOWN_ITEMS} more" if len(items) > _SHOWN_ITEMS else ""
                parts.append(f"{label}: {' '.join(items[:_SHOWN_ITEMS])}{more}")
        return ", ".join(parts)

    def __repr__(self) -> str:
        return f"<Image {self}>"


def check_image(value: object, field: str = "TaskEnvironment.image") -> str | Image:
    """Return `value` if it is "auto", an image reference or an Image.

    Args:
        value: What the user gave.
        field: What the image is for, as the user writes it.

    Raises:
        InvalidTypeError: If it is neither a string nor an Image.
        InvalidValueError: If it is empty, too long, or holds white space or control characters.
    """
    if isinstance(value, Image):
        return value
    if not isinstance(value, str):
        raise InvalidTypeError(field, value, 'an image reference, an Image or "auto"', _URI_EXAMPLE)
    return _check_uri(field, value)


def _check_uri(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidTypeError(field, value, "an image reference", _URI_EXAMPLE)
    if not value:
        raise InvalidValueError(field, value, "is empty", _URI_EXAMPLE)
    if len(value) > _LONGEST_URI:
        raise InvalidValueError(field, value, f"is longer than {_LONGEST_URI} characters", _URI_EXAMPLE)
    if " " in value or not value.isprintable():
        raise InvalidValueError(field, value, "holds white space or control characters", _URI_EXAMPLE)
    return value


def _python_version(field: str, value: object) -> str:
    version = ".".join(map(str, value)) if _is_small_pair(value) else value
    if not isinstance(version, str):
        raise InvalidTypeError(field, value, "a string or a pair of integers", '"3.12"')
    if not _PYTHON_VERSION.fullmatch(version):
        nearest = _PYTHON_VERSION.match(version)
        problem = 'is not "MAJOR.MINOR" of Python 3.10 or newer'
        raise InvalidValueError(field, value, problem, f'"{nearest[0] if nearest else "3.12"}"')
    return version


def _is_small_pair(value: object) -> TypeGuard[tuple[int, int]]:
    return isinstance(value, tuple) and len(value) == 2 and all(type(part) is int and 0 <= part < 100 for part in value)


def _requirements(field: str, files: object) -> tuple[RequirementsFile, ...]:
    if not isinstance(files, tuple) or not all(isinstance(file, RequirementsFile) for file in files):
        example = 'Image.from_debian_base().with_requirements("requirements.txt")'
        raise InvalidTypeError(field, files, "a tuple of RequirementsFile", example)
    return files


def _variables(field: str, variables: object) -> tuple[tuple[str, str], ...]:
    if isinstance(variables, tuple) and all(_is_named(pair) for pair in variables):
        variables = dict(variables)
    return tuple(check_env_vars(field, variables).items())


def _is_named(pair: object) -> bool:
    return isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str)
