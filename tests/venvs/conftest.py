"""A folder of packages that both installers look into, and virtual environments of the test's own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from flyte_nb.model.image import Image
from flyte_nb.venvs.specification import VenvSpec, venv_spec
from flyte_nb.venvs.venvs import Venvs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Build = Callable[..., Path]


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which packages are found, and nowhere else; pip is told, as a company's machine would be."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "venvs"


@pytest.fixture
def venvs(home: Path) -> Venvs:
    return Venvs(home)


@pytest.fixture
def said() -> list[str]:
    """What builds have said."""
    return []


@pytest.fixture
def build(venvs: Venvs, said: list[str]) -> Build:
    """Build a virtual environment with packages and the Python of the test, and return its interpreter."""
    return lambda *packages: asyncio.run(venvs.ensure(spec_of(*packages), said.append))


def spec_of(*packages: str, python: str | None = None) -> VenvSpec:
    """Return the specification of an image with `packages`."""
    spec = venv_spec(Image.from_debian_base(python).with_pip_packages(*packages))
    assert spec
    return spec
