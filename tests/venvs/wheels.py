"""Packages made for a test: they install in a moment, and need no network."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["make_slow_source", "make_wheel"]

_BACKEND = """
import pathlib, time
def build_wheel(folder, settings=None, metadata=None):
    pathlib.Path({begun!r}).touch(exist_ok=False)
    time.sleep(600)
"""
_PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "slow"
version = "1.0"
"""


def make_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    files: Mapping[str, str] | None = None,
    requires: str = "",
    python: str = ">=3.8",
    scripts: Mapping[str, str] | None = None,
) -> Path:
    """Write a wheel into `folder`, by default with one module of its name, and return its path.

    The format is https://packaging.python.org/en/latest/specifications/binary-distribution-format.
    """
    about = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: {python}\n"
    content = dict(files if files is not None else {f"{name}.py": f"version = {version!r}\n"})
    content[f"{about}/METADATA"] = metadata + (f"Requires-Dist: {requires}\n" if requires else "")
    content[f"{about}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if scripts:
        lines = [f"{script} = {function}\n" for script, function in scripts.items()]
        content[f"{about}/entry_points.txt"] = "[console_scripts]\n" + "".join(lines)
    content[f"{about}/RECORD"] = "".join(f"{path},,\n" for path in [*content, f"{about}/RECORD"])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in content.items():
            wheel.writestr(file, text)
    return path


def make_slow_source(folder: Path, begun: Path) -> Path:
    """Write the source of a package that takes ten minutes to build, and return it.

    Before, it makes the file `begun`; built once more, it fails.
    """
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(_PROJECT)
    (folder / "backend.py").write_text(_BACKEND.format(begun=str(begun)))
    return folder
