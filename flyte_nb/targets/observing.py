"""Asking a target what it has, and what it makes of definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from flyte_nb.errors import FlyteNbError, TargetError
from flyte_nb.masking import error_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from flyte_nb.bundle.content import Bundle
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.targets.protocol import Deployed, Target

T = TypeVar("T")

__all__ = ["observed", "refusals_of", "remarks_of"]


def observed(target: Target) -> Mapping[str, Deployed]:
    """Return what `target` has now; a target is the code of others, and may be out of reach.

    Raises:
        TargetError: It does not say.
        FlyteNbError: It is one of ours, and says why.
    """
    return _told(target, target.observe)


def refusals_of(target: Target, bundles: Collection[Bundle]) -> Mapping[str, FlyteNbError]:
    """Return why `target` refuses some of `bundles`, which it does not have yet, by name.

    Raises:
        TargetError: It does not say.
        FlyteNbError: It is one of ours, and says why.
    """
    return _told(target, lambda: target.refusals(bundles)) if bundles else {}


def _told(target: Target, ask: Callable[[], T]) -> T:
    try:
        return ask()
    except FlyteNbError:
        raise
    except Exception as error:
        raise TargetError(target.name, error_text(error)) from error


def remarks_of(
    target: Target, specs: Iterable[EnvironmentSpec]
) -> tuple[dict[str, tuple[str, ...]], dict[str, FlyteNbError]]:
    """Return what `target` remarks on those of `specs` on which it does, and why it refuses some, by name."""
    remarks: dict[str, tuple[str, ...]] = {}
    refused: dict[str, FlyteNbError] = {}
    for spec in specs:
        try:
            if said := target.remarks(spec):
                remarks[spec.name] = said
        except FlyteNbError as error:
            refused[spec.name] = error
    return remarks, refused
