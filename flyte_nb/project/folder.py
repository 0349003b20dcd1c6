"""A folder that a project is exported to: what of it was generated before, and may be replaced.

The manifest is a file of JSON: {"version": 1, "files": {path: hashes}}, where hashes are SHA-256 in hex of what may
stand there. It is one, but for the time in which files are replaced: then the old one counts as well as the new one.
So a process that is killed leaves every file whole, either old or new, and the next export goes on from there.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from flyte_nb.errors import ExportError
from flyte_nb.liveness import SessionRecord
from flyte_nb.project.files import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Exported", "export"]

_VERSION = 1
# What a folder may hold and still count as empty.
_NOTHING = frozenset({".git"})
_STAGING = ".flyte_nb-"
_FORCE = "Add --force to replace it, or choose another folder"
_SHOWN = 3
_DIGITS = 12  # of a hash that stands for a machine


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did to the files of a folder.

    Attributes:
        folder: The folder.
        written: The files that are new or different now.
        unchanged: The files that were there already.
        removed: The files that were generated before and are no longer.
    """

    folder: Path
    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]


def export(folder: Path, files: Mapping[str, str], *, force: bool = False) -> Exported:
    """Write `files` into `folder`, in the place of what an earlier export wrote; all else there is left alone.

    Args:
        folder: Where to; it is created.
        files: Text by path, relative to the folder.
        force: Also replace what is not, or no longer, what an export wrote.

    Raises:
        ExportError: The folder holds something else, generated files were edited, or it cannot be written. Nothing
            was changed.
    """
    try:
        return _export(folder, {path: text.encode() for path, text in files.items()}, force)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ExportError(str(folder), f"it cannot be written ({reason})", "Choose another folder") from error


def _export(folder: Path, files: Mapping[str, bytes], force: bool) -> Exported:
    generated = _generated(folder)
    _check_inside(folder, (*files, *generated))
    stale = [path for path in generated if path not in files and _read(folder, path) is not None]
    before = {path: _read(folder, path) for path in (*files, *stale)}
    if not force:
        _check_ours(folder, before, files, generated)
    for staging in folder.glob(f"{_STAGING}*"):
        if _is_left_behind(staging):
            shutil.rmtree(staging, ignore_errors=True)
    changed = [path for path, content in files.items() if before[path] != content]
    if not changed and not stale and generated == _hashes(files):
        return Exported(folder, (), tuple(files), ())
    _replace(folder, files, changed, stale, before)
    unchanged = tuple(path for path in files if path not in changed)
    return Exported(folder, tuple(changed), unchanged, tuple(stale))


def _generated(folder: Path) -> dict[str, list[str]]:
    """Return what the manifest of the folder says; nothing if there is none that can be read."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        return {_checked(path): [*map(str, hashes)] for path, hashes in manifest["files"].items()}
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _checked(path: str) -> str:
    """Return `path`, unless no export could have written it: the manifest may be anybody's."""
    if "\0" in path or Path(path).is_absolute() or ".." in Path(path).parts:
        raise ValueError(path)
    return path


def _read(folder: Path, path: str) -> bytes | None:
    place = folder / path
    if place.is_file():
        return place.read_bytes()
    if place.exists():  # a folder, or a device, which might be read for ever
        raise ExportError(str(place), "it is not a file, and a file is to be there", "Move it away")
    return None


def _check_inside(folder: Path, paths: Iterable[str]) -> None:
    """Refuse links in the folder that lead out of it."""
    if folder.exists() and not folder.is_dir():
        raise ExportError(str(folder), "it is not a folder", "Choose another name")
    root = folder.resolve()
    for path in paths:
        parent = (folder / path).parent
        if root != parent.resolve() and root not in parent.resolve().parents:
            raise ExportError(str(parent), "it leads to another folder", "Move it away, or choose another folder")


def _check_ours(
    folder: Path,
    before: Mapping[str, bytes | None],
    files: Mapping[str, bytes],
    generated: Mapping[str, list[str]],
) -> None:
    """Refuse to lose what is not, or no longer, what an export wrote."""
    if not generated and folder.is_dir():
        names = {entry.name for entry in folder.iterdir() if not entry.name.startswith(_STAGING)}
        others = sorted(names - _NOTHING)
        if others:
            raise ExportError(str(folder), f"it holds {_some(others)}, which no export wrote", _FORCE)
    lost = [path for path, content in before.items() if content not in (None, files.get(path))]
    edited = [path for path in lost if _hash(before[path] or b"") not in generated.get(path, ())]
    if edited:
        raise ExportError(str(folder), f"{_some(edited)} changed since the last export", _FORCE)


def _staging_prefix() -> str:
    """Return what the names of this process's folders for new files begin with: whose they are."""
    here = SessionRecord.of_this_process("")
    return f"{_STAGING}{here.pid}-{here.began}-{_hash(here.machine.encode())[:_DIGITS]}-"


def _is_left_behind(staging: Path) -> bool:
    """Say whether the process that made `staging` has ended; where nobody knows, it has after days."""
    here = SessionRecord.of_this_process("")
    pid, began, machine, *_ = [*staging.name.removeprefix(_STAGING).split("-"), "", ""]
    is_here = pid.isdecimal() and machine == _hash(here.machine.encode())[:_DIGITS]
    try:
        changed = staging.stat().st_mtime
    except OSError:
        return False  # it has just been removed
    owner = (here.machine, int(pid), began) if is_here else ("", 0, "")
    return SessionRecord("", *owner, changed).may_be_forgotten


def _replace(
    folder: Path,
    files: Mapping[str, bytes],
    changed: Iterable[str],
    stale: Iterable[str],
    before: Mapping[str, bytes | None],
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    manifest_before = _read(folder, MANIFEST)
    with tempfile.TemporaryDirectory(prefix=_staging_prefix(), dir=folder) as staging:
        for path in changed:
            _write(Path(staging, "new", path), files[path])
        either = {path: _hashes_of(before.get(path), files.get(path)) for path in (*files, *stale)}
        done: list[str] = []
        try:
            _put(Path(staging), folder, MANIFEST, _manifest(either))
            for path in changed:
                done.append(path)
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                os.replace(Path(staging, "new", path), folder / path)
            for path in stale:
                done.append(path)
                (folder / path).unlink()
            _put(Path(staging), folder, MANIFEST, _manifest(_hashes(files)))
        except BaseException:
            _undo(Path(staging), folder, {**{path: before[path] for path in done}, MANIFEST: manifest_before})
            raise
    _remove_empty_folders(folder, stale)


def _undo(staging: Path, folder: Path, before: Mapping[str, bytes | None]) -> None:
    for path, content in before.items():
        if content is not None:
            _put(staging, folder, path, content)
        else:
            (folder / path).unlink(missing_ok=True)
    _remove_empty_folders(folder, before)


def _put(staging: Path, folder: Path, path: str, content: bytes) -> None:
    aside = staging / "aside"
    _write(aside, content)
    os.replace(aside, folder / path)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _remove_empty_folders(folder: Path, removed: Iterable[str]) -> None:
    """Remove the folders of removed files that nothing is left in but what Python compiled."""
    for path in removed:
        for parent in (folder / path).relative_to(folder).parents:
            place = folder / parent
            if place == folder or not place.is_dir():
                continue
            if {entry.name for entry in place.iterdir()} <= {"__pycache__"}:
                for compiled in place.glob("__pycache__/*.pyc"):
                    compiled.unlink()
                with suppress(OSError):
                    (place / "__pycache__").rmdir()
                with suppress(OSError):
                    place.rmdir()


def _manifest(hashes: Mapping[str, list[str]]) -> bytes:
    return (json.dumps({"version": _VERSION, "files": hashes}, indent=2, sort_keys=True) + "\n").encode()


def _hashes(files: Mapping[str, bytes]) -> dict[str, list[str]]:
    return {path: [_hash(content)] for path, content in files.items()}


def _hashes_of(*contents: bytes | None) -> list[str]:
    return [_hash(content) for content in contents if content is not None]


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()


def _some(paths: list[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more
