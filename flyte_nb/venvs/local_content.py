"""What local files and folders hold, in short: requirements may name them, and they change under their names."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["digest_of"]

# What tools leave in a folder of sources. It is not installed, and building from the folder changes it.
_LEFT_BY_TOOLS = frozenset({"__pycache__", "build", "dist", "node_modules"})
_LEFT_BY_TOOLS_ENDS = (".egg-info", ".pyc")


def digest_of(path: str) -> str:
    """Return a digest of the file or folder at `path`; of what cannot be read, that it is missing."""
    try:
        if not os.path.isdir(path):
            return _file_digest(path)
        total = hashlib.sha256()
        for name, file in _files(path):
            total.update(f"{name}\0{_file_digest(file)}\0".encode(errors="surrogateescape"))
        return total.hexdigest()
    except OSError:
        return "missing"


def _files(folder: str) -> Iterator[tuple[str, str]]:
    """Yield the path of each file, as seen from the folder, and as it is, in one order everywhere."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _left_by_tools(name))
        for name in sorted(names):
            file = os.path.join(place, name)
            if not _left_by_tools(name) and os.path.isfile(file):
                yield os.path.relpath(file, folder), file


def _left_by_tools(name: str) -> bool:
    return name.startswith(".") or name in _LEFT_BY_TOOLS or name.endswith(_LEFT_BY_TOOLS_ENDS)


def _file_digest(path: str) -> str:
    total = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            total.update(part)
    return total.hexdigest()
