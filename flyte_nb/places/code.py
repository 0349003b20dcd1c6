"""The code of deployed versions as files that a worker can import."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from flyte_nb.bundle.module_names import PACKAGE
from flyte_nb.errors import StateError
from flyte_nb.workers.starting import CHILDREN

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from flyte_nb.places.versions import DeployedVersion

__all__ = ["PACKAGE_TEXT", "collect_code", "unpacked"]

_CHARACTERS = 32
_ASIDE = ".unpacking-"
# Unpacking takes moments: what is still aside after so long is of a process that was killed.
_ABANDONED_SECONDS = 3_600.0
PACKAGE_TEXT = f"""\
import json, os, runpy

if "{CHILDREN}" in os.environ:  # a task has started this process, to run something of the task's module
    runpy.run_path(json.loads(os.environ["{CHILDREN}"])["boot"])["join"](os.environ["{CHILDREN}"])
"""
"""The package of environments, which processes that tasks start import as well."""


def unpacked(version: DeployedVersion, folder: Path) -> Path:
    """Return the folder with the code of `version`, to be put on `sys.path`; it is made if it is not there.

    It holds the package of environments, with the module of this one and no other, and what goes along with it. It
    appears all at once, whoever else does the same and whenever this process is killed, and is for its owner alone.

    Args:
        version: The version.
        folder: Where the code of all versions is kept.

    Raises:
        StateError: A path of what is stored leads out of the folder, or the folder cannot be written.
    """
    place = folder / version.fingerprint[:_CHARACTERS]
    if place.is_dir():
        with suppress(OSError):
            os.utime(place)  # it is used
        return place
    files = _files(version)
    for path in files:
        if not _stays_inside(path):
            raise StateError(str(place), f"what is stored holds {path!r}, which is no path inside of it")
    aside = folder / f"{_ASIDE}{os.getpid()}-{secrets.token_hex(4)}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            _write(aside, files)
            _settle(aside, place)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise StateError(str(place), str(error)) from error
    return place


def collect_code(folder: Path, keep: Collection[str], unused_for: float) -> list[str]:
    """Remove the code of versions that are not to be kept, and what killed processes have left.

    Args:
        folder: Where the code of all versions is kept.
        keep: The fingerprints of those to keep: whatever is deployed.
        unused_for: Seconds since workers began to run it last; what is used since then is kept.

    Returns:
        The names of the folders that were removed.
    """
    kept = {fingerprint[:_CHARACTERS] for fingerprint in keep}
    gone = []
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        is_aside = place.name.startswith(_ASIDE)
        if place.name not in kept and _is_older(place, _ABANDONED_SECONDS if is_aside else unused_for):
            shutil.rmtree(place, ignore_errors=True)
            gone.append(place.name)
    return gone


def _files(version: DeployedVersion) -> dict[str, str]:
    own = {f"{PACKAGE}/__init__.py": PACKAGE_TEXT, f"{PACKAGE}/{version.module_name}.py": version.module}
    return {**version.files, **own}


def _stays_inside(path: str) -> bool:
    parts = path.split("/")
    return not any(part in ("", ".", "..") or "\\" in part or ":" in part or "\0" in part for part in parts)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(mode=0o700)
    for path, text in files.items():
        file = folder / path
        for parent in reversed(file.relative_to(folder).parents):  # `parents=True` forgets the mode
            (folder / parent).mkdir(mode=0o700, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(text.encode())
            opened.flush()
            os.fsync(opened.fileno())  # the folder must not outlive what it holds when the power fails


def _settle(aside: Path, place: Path) -> None:
    try:
        aside.rename(place)
    except OSError:
        if not place.is_dir():  # or else another process was faster
            raise


def _is_older(place: Path, seconds: float) -> bool:
    with suppress(OSError):
        return time.time() - place.stat().st_mtime >= seconds
    return False
