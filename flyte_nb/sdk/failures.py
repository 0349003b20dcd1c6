"""What the SDK raises: which of it passes by itself, and what it says."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

import httpx
from connectrpc.code import Code
from connectrpc.errors import ConnectError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

__all__ = ["PATIENCE_SECONDS", "code_of", "is_passing", "patiently", "what_it_says"]

PATIENCE_SECONDS = 120.0
"""How long a cluster may be out of reach before work for it is given up."""

T = TypeVar("T")

_PASSING = frozenset({Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.CANCELED, Code.ABORTED, Code.RESOURCE_EXHAUSTED})
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.5, 8.0


def is_passing(error: BaseException) -> bool:
    """Say whether `error` is of a connection, so that the same may succeed when it is back."""
    for each in _chain(error):
        if isinstance(each, ConnectError):
            return each.code in _PASSING
        if isinstance(each, (ConnectionError, TimeoutError, httpx.TransportError)):
            return True
    return False


def code_of(error: BaseException) -> Code | None:
    """Return the code with which the cluster has answered, or None if it has not."""
    return next((each.code for each in _chain(error) if isinstance(each, ConnectError)), None)


def what_it_says(error: BaseException) -> str:
    """Return what the cluster says, or else the SDK, without what the SDK puts around it."""
    for each in _chain(error):
        if isinstance(each, ConnectError):
            return f"{each.message} ({each.code.value})" if each.message else str(each.code.value)
    return str(error) or type(error).__name__


async def patiently(attempt: Callable[[], Awaitable[T]], say: Callable[[str], None]) -> T:
    """Await `attempt`, again and again while the cluster is out of reach, for PATIENCE_SECONDS.

    Args:
        attempt: Does something that may be done twice.
        say: Is told why it is done again, and when.
    """
    began, wait = monotonic(), _FIRST_WAIT_SECONDS
    while True:
        try:
            return await attempt()
        except Exception as error:
            if not is_passing(error) or monotonic() - began + wait > PATIENCE_SECONDS:
                raise
            say(f"the cluster is out of reach ({what_it_says(error)}): trying again in {wait:g} s")
        await asyncio.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT_SECONDS)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and what has caused it."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__
