"""Node and the packages that tests of the front end use: only for tests, nothing of it is shipped."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

_FOLDER = Path(__file__).parent / "frontend"
_SECONDS = 300


@dataclass(frozen=True)
class NodePackages:
    """Where they are.

    Attributes:
        node: The program.
        folder: The folder node_modules.
    """

    node: str
    folder: Path


def installed() -> NodePackages:
    """Return the packages of tests/frontend/package-lock.json, installed if need be; skips where they cannot be."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("needs node 20 or newer and npm: apt-get install nodejs npm")
    lock, folder = _FOLDER / "package-lock.json", _FOLDER / "node_modules"
    noted = folder / ".package-lock.json"  # npm notes there what it has installed
    with FileLock(_FOLDER / ".installing.lock"):  # tests run in several processes
        if not noted.exists() or noted.stat().st_mtime < lock.stat().st_mtime:
            done = subprocess.run([npm, "ci"], cwd=_FOLDER, capture_output=True, text=True, timeout=_SECONDS)
            if done.returncode:
                pytest.skip(f"needs the packages of {lock.name}: npm ci --prefix tests/frontend")
    return NodePackages(node, folder)
