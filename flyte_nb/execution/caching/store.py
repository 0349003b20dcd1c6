"""Where results are kept: a folder with a file for each, which several kernels may use at once.

A file is written aside and renamed, and carries the digest of its content, so that it is whole or not there: whoever
is killed while writing leaves nothing that would be read. What cannot be read is as good as missing. Files that were
not used for the longest time go first when the folder grows too large; the time of a file is that of its last use.
"""

from __future__ import annotations

import os
import struct
import time
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from flyte_nb.execution.caching.pickling import pickled, unpickled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta
    from pathlib import Path

__all__ = ["Kept", "ResultStore"]

_MAGIC = b"flyte_nb result 1\n"
# When it was stored, in seconds since 1970; and the SHA-256 of that and of what follows.
_HEAD = struct.Struct(">d32s")
_ASIDE = ".tmp"
_ABANDONED_SECONDS = 3600.0
# A file takes up this much of a disk at least.
_BLOCK = 4096
# Old files are looked for each time that this part of the limit was written.
_STEP = 20


class Kept(NamedTuple):
    """A result that was kept."""

    value: Any


class _File(NamedTuple):
    used: float
    size: int
    path: str


class ResultStore:
    """Results by key, in a folder that is only the user's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: int | None = None  # since old files were last looked for

    def get(self, key: str, max_age: timedelta | None) -> Kept | None:
        """Return the result of `key`, unless there is none, or none that can be read, or it is too old.

        Args:
            key: Hexadecimal digits.
            max_age: None or zero for any age.
        """
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        head, body = len(_MAGIC) + _HEAD.size, memoryview(content)
        if not content.startswith(_MAGIC) or len(content) < head:
            return None
        stored, digest = _HEAD.unpack(body[len(_MAGIC) : head])
        if _digest(stored, body[head:]) != digest:
            return None
        if max_age and time.time() - stored > max_age.total_seconds():
            return None
        try:
            kept = Kept(unpickled(body[head:]))
        except Exception:  # noqa: BLE001 - its class may be gone or be another, and may then raise anything
            return None
        with suppress(OSError):
            os.utime(path)
        return kept

    def put(self, key: str, value: Any, limit: int) -> None:
        """Keep the result of `key` in place of an earlier one, as long as all take up no more than `limit` bytes.

        Raises:
            Exception: The value cannot be pickled, or the file not be written; nothing was changed.
        """
        body = pickled(value)
        stored = time.time()
        size = _size(len(_MAGIC) + _HEAD.size + len(body))
        if size > limit:
            raise OverflowError(f"it takes up {size:,} bytes of the {limit:,} that all results may")
        if self._written is None or self._written + size > limit // _STEP:
            self._make_room(limit - max(size, limit // _STEP))
            self._written = 0
        self._written += size
        path = self._path(key)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        _write(path, [_MAGIC, _HEAD.pack(stored, _digest(stored, body)), body])

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key[2:]

    def _make_room(self, limit: int) -> None:
        """Remove what was not used for the longest time until the rest takes up no more than `limit` bytes."""
        files = sorted(self._files())
        size = sum(file.size for file in files)
        abandoned = time.time() - _ABANDONED_SECONDS
        for file in files:
            if size > limit or (file.path.endswith(_ASIDE) and file.used < abandoned):
                with suppress(OSError):  # another kernel may remove it, too
                    os.unlink(file.path)
                size -= file.size

    def _files(self) -> Iterator[_File]:
        with suppress(OSError):
            for part in os.scandir(self._folder):
                with suppress(OSError):
                    for entry in os.scandir(part):
                        with suppress(OSError):
                            known = entry.stat(follow_symlinks=False)
                            yield _File(known.st_mtime, _size(known.st_size), entry.path)


def _size(length: int) -> int:
    return -(-length // _BLOCK) * _BLOCK


def _digest(stored: float, body: bytes | memoryview) -> bytes:
    digest = sha256(struct.pack(">d", stored))
    digest.update(body)
    return digest.digest()


def _write(path: Path, parts: list[bytes]) -> None:
    aside = f"{path}.{os.urandom(6).hex()}{_ASIDE}"
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.writelines(parts)
        os.replace(aside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(aside)
        raise
