"""Runs the commands that build a virtual environment, without holding up the loop, and ends them for certain."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence

__all__ = ["Ended", "finished", "run"]

_LEASH = Path(__file__).with_name("leash.py")
_CHUNK = 2**16
_LONGEST_LINE = 10_000
_KEPT_LINES = 400

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    Attributes:
        code: Its exit code; 128 and the signal's number if a signal ended it, as a shell tells it.
        lines: The last of what it said, on both its outputs.
    """

    code: int
    lines: tuple[str, ...]


async def run(
    command: Sequence[str | os.PathLike[str]],
    *,
    environment: Mapping[str, str],
    folder: Path,
    said: Callable[[str], None] = lambda line: None,
    text: str = "",
) -> Ended:
    """Run `command`; if this is cancelled, or this process ends, so do the command and all that it started.

    Args:
        command: The program and its arguments, which everybody on this machine can see.
        environment: Its environment variables.
        folder: Its working directory.
        said: Is given each line that it says, as it comes.
        text: Its standard input.

    Raises:
        OSError: Nothing can be started here.
    """
    given = text.encode()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", _LEASH, str(len(given)), *command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
        cwd=folder,
        start_new_session=True,  # an interrupt of the kernel is for the kernel
    )
    try:
        return await _followed(process, given, said)
    finally:
        await finished(_ended(process))


async def _followed(process: asyncio.subprocess.Process, given: bytes, said: Callable[[str], None]) -> Ended:
    assert process.stdin  # noqa: S101 - for mypy: it is a pipe
    assert process.stdout  # noqa: S101 - for mypy: it is a pipe
    with suppress(ConnectionError):  # it has ended already; what it said tells why
        process.stdin.write(given)
        await process.stdin.drain()
    lines: list[str] = []
    async for line in _lines(process.stdout):
        said(line)
        lines = [*lines[1 - _KEPT_LINES :], line]
    return Ended(await process.wait(), tuple(lines))


async def _lines(output: asyncio.StreamReader) -> AsyncIterator[str]:
    """Yield the lines of `output` that are not empty; of a very long one, its end."""
    rest = b""
    while chunk := await output.read(_CHUNK):
        *whole, rest = (rest[-_LONGEST_LINE:] + chunk).split(b"\n")
        for raw in whole:
            if line := _text(raw):
                yield line
    if line := _text(rest):
        yield line


def _text(raw: bytes) -> str:
    return raw[-_LONGEST_LINE:].decode(errors="replace").strip("\r\n")


async def _ended(process: asyncio.subprocess.Process) -> None:
    """End `process`, unless it has ended."""
    assert process.stdin  # noqa: S101 - for mypy: it is a pipe
    process.stdin.close()
    await process.wait()


async def finished(work: Coroutine[None, None, T]) -> T:
    """Return what `work` gives. A cancellation goes on when it has ended: it takes a moment, and must be done."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    result = task.result()
    if cancelled:
        raise cancelled
    return result
