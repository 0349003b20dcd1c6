"""What flyte_nb refuses is one line in a notebook, without a traceback."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from IPython.core.error import UsageError

from flyte_nb.errors import FlyteNbError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["one_line_errors", "one_line_errors_awaited"]

P = ParamSpec("P")
R = TypeVar("R")


def one_line_errors(magic: Callable[P, R]) -> Callable[P, R]:
    """Turn errors of flyte_nb that `magic` raises into UsageError."""

    @functools.wraps(magic)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        __tracebackhide__ = True
        try:
            return magic(*args, **kwargs)
        except FlyteNbError as error:
            raise UsageError(str(error)) from None

    return wrapped


def one_line_errors_awaited(work: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Turn errors of flyte_nb that are raised while `work` is awaited into UsageError."""

    @functools.wraps(work)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        __tracebackhide__ = True
        try:
            return await work(*args, **kwargs)
        except FlyteNbError as error:
            raise UsageError(str(error)) from None

    return wrapped
