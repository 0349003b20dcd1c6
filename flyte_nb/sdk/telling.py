"""What the SDK tells while it works, for the log of what it works for; otherwise it goes where the SDK sends it.

What asyncio tells of requests of the SDK's that were cancelled is told to nobody.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from connectrpc.code import Code
from connectrpc.errors import ConnectError
from flyte._logging import logger
from flyte._status import status  # nothing public says where these lines go

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["told_to"]

_listener: ContextVar[Callable[[str], None] | None] = ContextVar("flyte_nb_sdk_listener", default=None)


@contextmanager
def told_to(listener: Callable[[str], None]) -> Iterator[None]:
    """Tell `listener` what the SDK tells in this context, and show it nowhere else."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


class _ToListener(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        listener = _listener.get()
        if listener is not None:
            listener(record.getMessage())
        return listener is None


class _NotOfCancelled(logging.Filter):
    """Drops what asyncio tells of requests that were cancelled: these end as failed, and nobody asks why."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, ConnectError) or error.code is not Code.CANCELED:
            return True
        return not isinstance(error.__cause__, asyncio.CancelledError)


def _install() -> None:
    emit = status._emit  # noqa: SLF001

    def emit_or_tell(level: str, message: str) -> Any:
        listener = _listener.get()
        return emit(level, message) if listener is None else listener(message)

    status._emit = emit_or_tell  # noqa: SLF001
    logger.addFilter(_ToListener())
    logging.getLogger("asyncio").addFilter(_NotOfCancelled())


_install()
