"""What flyte_nb refuses is one line in a notebook, without a traceback."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from IPython.core.error import UsageError

from flyte_nb.errors import FlyteNbError
from flyte_nb.view.escape import inert

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["one_line_errors", "usage_error"]

_LONGEST = 4_000

P = ParamSpec("P")
R = TypeVar("R")


def one_line_errors(magic: Callable[P, R]) -> Callable[P, R]:
    """Have what `magic` refuses be one line that is safe to print."""

    @functools.wraps(magic)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        __tracebackhide__ = True
        try:
            return magic(*args, **kwargs)
        except (FlyteNbError, UsageError) as error:
            raise usage_error(error) from None

    return wrapped


def usage_error(error: FlyteNbError | UsageError) -> UsageError:
    """Return what IPython shows as one line. It may quote a target, a module or what was typed: these say anything."""
    return UsageError(inert(str(error), _LONGEST))
