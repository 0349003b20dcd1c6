"""What pip is asked to install: single requirements, and files of them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from flyte_nb.errors import InvalidTypeError, InvalidValueError
from flyte_nb.masking import without_credentials

__all__ = ["RequirementsFile", "check_packages", "read_requirements"]

_PACKAGES_EXAMPLE = '"pandas", "numpy>=2"'
_FILE_EXAMPLE = '"requirements.txt"'


@dataclass(frozen=True, slots=True)
class RequirementsFile:
    """A requirements file as it was when it was read.

    Attributes:
        path: Where it was, as the user wrote it. Makes no difference to equality.
        text: What it held, whatever line ends and byte order mark the file had.
    """

    path: str = field(compare=False)
    text: str = field(repr=False)


def check_packages(field: str, packages: object) -> tuple[str, ...]:
    """Return requirements such as "pandas>=2", trimmed and without repetitions.

    Args:
        field: Where they were given, as the user writes it.
        packages: A tuple of requirements, as pip takes them.

    Raises:
        InvalidTypeError: If it is not a tuple of strings.
        InvalidValueError: If one is empty, an option, or holds a line break or another control character.
    """
    if not isinstance(packages, tuple):
        raise InvalidTypeError(field, packages, "a tuple of strings", f"({_PACKAGES_EXAMPLE})", hidden=True)
    return tuple(dict.fromkeys(_check_package(field, package) for package in packages))


def read_requirements(field: str, path: object) -> RequirementsFile:
    """Return a requirements file as it is now.

    Args:
        field: Where the path was given, as the user writes it.
        path: The file, relative to the working directory.

    Raises:
        InvalidTypeError: If `path` is not a path in text.
        InvalidValueError: If there is no such file, it cannot be read, or it is not text in UTF-8.
    """
    name = os.fspath(path) if isinstance(path, (str, os.PathLike)) else path
    if not isinstance(name, str):
        raise InvalidTypeError(field, path, "a path in text", _FILE_EXAMPLE)
    # Reading a pipe or a device might never end.
    if not os.path.isfile(name):
        raise InvalidValueError(field, name, "is not a file", _FILE_EXAMPLE)
    try:
        with open(name, encoding="utf-8-sig") as file:
            return RequirementsFile(name, file.read())
    except OSError as error:
        raise InvalidValueError(field, name, f"cannot be read ({error.strerror})", _FILE_EXAMPLE) from error
    except UnicodeDecodeError as error:
        raise InvalidValueError(field, name, "is not text in UTF-8", _FILE_EXAMPLE) from error


def _check_package(field: str, package: object) -> str:
    if not isinstance(package, str):
        raise InvalidTypeError(field, package, "given strings", _PACKAGES_EXAMPLE, hidden=True)
    requirement = package.strip()
    problem = None
    if not requirement:
        problem = "is empty"
    elif requirement.startswith("-"):
        problem = "is an option, not a package"
    elif not requirement.isprintable():
        problem = "holds a line break or another control character"
    if problem:
        raise InvalidValueError(field, without_credentials(package), problem, _PACKAGES_EXAMPLE)
    return requirement
