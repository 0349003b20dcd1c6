"""Where virtual environments are on the disk: those that are whole, what is under construction, and who uses them.

KEY/                    one environment, whole; made aside and then renamed
KEY/flyte_nb.json       what it holds; written last
KEY/flyte_nb.used       its time is when it was last used
aside/KEY.XXXX/         one under construction, or being removed
locks/KEY               locked by who builds or removes it
locks/leases            locked for a moment by who takes a lease or looks for them
leases/KEY.XXXX         locked as long as a process uses it
"""

from __future__ import annotations

import json
import os
import shutil
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Place", "interpreter", "remove"]

_RECORD, _USED = "flyte_nb.json", "flyte_nb.used"


def interpreter(folder: Path) -> Path:
    """Return the Python of the virtual environment in `folder`."""
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


class Place:
    """The folder of virtual environments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._aside, self._locks, self._leases = folder / "aside", folder / "locks", folder / "leases"

    def prepare(self) -> None:
        """Make the folders."""
        for folder in (self._aside, self._locks, self._leases):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def venv(self, key: str) -> Path:
        """Return where the environment of that key is, once it is whole."""
        return self.folder / key

    def lock(self, key: str) -> Path:
        """Return the file that is locked by who builds or removes it."""
        return self._locks / key

    @property
    def leases_lock(self) -> Path:
        """The file that is locked for a moment by who takes a lease or looks for them."""
        return self._locks / "leases"

    def new_lease(self, key: str) -> Path:
        """Return a new file for a process that uses it."""
        return self._leases / f"{key}.{uuid4().hex}"

    def leases(self, key: str = "") -> list[Path]:
        """Return the files of processes that use it, or did when they were killed; by default of all."""
        return sorted(self._leases.glob(f"{key or '*'}.*"))

    def new_aside(self, key: str) -> Path:
        """Return a new folder for it while it is not whole; the folder does not exist yet."""
        return self._aside / f"{key}.{uuid4().hex}"

    def asides(self, key: str = "") -> list[Path]:
        """Return what of it was left aside; by default of all."""
        return sorted(self._aside.glob(f"{key or '*'}.*"))

    def is_whole(self, key: str) -> bool:
        """Say whether it is there, and its Python too: that belongs to the machine and may be gone."""
        venv = self.venv(key)
        return (venv / _RECORD).is_file() and interpreter(venv).exists()

    def built(self) -> list[str]:
        """Return the keys of all that are there."""
        return sorted(record.parent.name for record in self.folder.glob(f"*/{_RECORD}"))

    def record(self, key: str) -> dict[str, Any]:
        """Return what is recorded of it."""
        told: dict[str, Any] = json.loads((self.venv(key) / _RECORD).read_text(encoding="utf-8"))
        return told

    def touch(self, key: str) -> None:
        """Note that it is used now."""
        (self.venv(key) / _USED).touch()

    def unused_seconds(self, key: str) -> float:
        """Return how long ago it was last used."""
        try:
            return time.time() - (self.venv(key) / _USED).stat().st_mtime
        except FileNotFoundError:
            return float("inf")

    def finish(self, aside: Path, record: dict[str, Any]) -> None:
        """Make what was built aside the environment, with a record of it: from here on it is whole."""
        key = record["key"]
        (aside / _USED).touch()
        with (aside / _RECORD).open("w", encoding="utf-8") as file:
            json.dump(record, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        if self.venv(key).exists():
            self.put_aside(key)  # it has lost its Python
        aside.rename(self.venv(key))
        _sync(self.folder)

    def put_aside(self, key: str) -> Path:
        """Take the environment away in one step, and return where it is; to remove it takes longer."""
        aside = self.new_aside(key)
        self.venv(key).rename(aside)
        return aside


def remove(folder: Path) -> None:
    """Remove `folder` with all in it, as far as it can be."""
    shutil.rmtree(folder, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Make the names in `folder` durable, where folders can be opened."""
    if os.name != "nt":
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
