"""Which libraries a value needs in the same version on the other side: those that pickle their own objects."""

from __future__ import annotations

import platform
import sys
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, NamedTuple

from flyte_nb.crossing.definitions import KERNEL
from flyte_nb.crossing.parts import find_part
from flyte_nb.crossing.refusing import kind_of
from flyte_nb.errors import CannotCrossError
from flyte_nb.libraries import distributions, library_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["Need", "check", "needs_of", "other_python"]


class Need(NamedTuple):
    """A library that a value needs. Pickled as it is, so it holds plain data.

    Attributes:
        package: The name under which it is imported.
        version: Its version where the value comes from.
        where: Which value, or part of it, was the first to need it.
        kind: The type of that.
        side: Where the value comes from.
        python: The version of Python there.
    """

    package: str
    version: str
    where: str
    kind: str
    side: str
    python: str


def needs_of(libraries: Mapping[str, Any], named: Callable[[], Iterable[tuple[str, Any]]], side: str) -> list[Need]:
    """Return what a value needs, given the packages and what was the first to need each."""
    return [
        Need(package, library_version(package), *_first(package, first, named()), side, platform.python_version())
        for package, first in libraries.items()
    ]


def _first(package: str, first: Any, named: Iterable[tuple[str, Any]]) -> tuple[str, str]:
    def is_of_package(part: Any) -> bool:
        kind = part if part is first else type(part)
        return kind is first or str(getattr(kind, "__module__", "")).partition(".")[0] == package

    named = list(named)
    for what, value in named:
        found = find_part(value, is_of_package)
        if found:
            path, part = found
            return (f"{what}, at {path}" if path else what), kind_of(part)
    return " and ".join(what for what, _ in named), kind_of(first)


def check(needs: Sequence[Need], side: str) -> None:
    """See that this side has what a value needs.

    Raises:
        CannotCrossError: It lacks a library, or has another version of it.
    """
    for need in needs:
        own = _own_version(need.package)
        if own == need.version:
            continue
        name = next(iter(distributions(need.package)), need.package)
        there = f"{name} {need.version.removeprefix(f'{name} ')} in {need.side}"
        if own is None:
            advice = f"Install it: %pip install {name}" if side == KERNEL else "Add it to that image"
            reason = f"it needs {there}, which is not installed in {side}. {advice}, or send plain data"
        else:
            advice = "Pin the same version in both images, or send plain data"
            reason = f"it is pickled by {there}, and {side} has {own.removeprefix(f'{name} ')}. {advice}"
        raise CannotCrossError(need.where, need.kind, reason)


def other_python(needs: Sequence[Need], side: str, problem: str) -> CannotCrossError | None:
    """Return the error for a value that a library cannot put together here, if Python is of another version there."""
    for need in needs:
        if need.python.split(".")[:2] != platform.python_version().split(".")[:2]:
            reason = (
                f"it is pickled with Python {need.python} in {need.side}, and {side} has {platform.python_version()}: "
                f"{problem}. Use the same Python in both images, or send plain data"
            )
            return CannotCrossError(need.where, need.kind, reason)
    return None


def _own_version(package: str) -> str | None:
    if sys.modules.get(package) is None:
        try:
            resolve_name(package)
        except Exception:  # noqa: BLE001 - importing a library may do anything
            return None
    return library_version(package)
