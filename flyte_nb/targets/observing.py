"""Asking a target what it has, and what it makes of definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.errors import FlyteNbError, TargetError
from flyte_nb.masking import error_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.targets.protocol import Deployed, Target

__all__ = ["observed", "remarks_of"]


def observed(target: Target) -> Mapping[str, Deployed]:
    """Return what `target` has now; a target is the code of others, and may be out of reach.

    Raises:
        TargetError: It does not say.
        FlyteNbError: It is one of ours, and says why.
    """
    try:
        return target.observe()
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
