"""What is kept in the files of a folder."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def files_with(text: str, folder: Path) -> list[Path]:
    """Return the files anywhere in `folder` that contain `text`; that there are files at all is asserted."""
    contents = {path: _content(path) for path in folder.rglob("*") if path.is_file()}
    assert contents
    return [path for path, content in contents.items() if text.encode() in content]


def _content(path: Path) -> bytes:
    # Databases remove their files of shared memory when the last connection closes, which may be now.
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return b""
