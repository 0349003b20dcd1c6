"""Asking a target what it has: a target is the code of others, and may be out of reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.errors import FlyteNbError, TargetError
from flyte_nb.masking import error_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyte_nb.targets.protocol import Deployed, Target

__all__ = ["observed"]


def observed(target: Target) -> Mapping[str, Deployed]:
    """Return what `target` has now.

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
