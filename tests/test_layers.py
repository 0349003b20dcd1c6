"""Arrows point down: no module imports from a layer above its own, not even inside a function or for its types."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import flyte_nb

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(flyte_nb.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))

# From the bottom to the top; what shares a line does not import each other.
LAYERS = [
    {"errors"},
    {"database", "libraries", "listeners", "liveness", "masking", "settings"},
    {"model"},
    {"crossing", "graph", "machine", "venvs"},
    {"definitions"},
    {"bundle"},
    {"execution"},
    {"workers"},
    {"sdk"},
    {"targets"},
    {"deployment"},
    {"places"},
    {"project"},
    {"embedded", "on_cluster", "sdk_cells"},
    {"session"},
    {"functions"},
    {"as_flyte", "view"},
    {"jupyter", "worker"},
    {"__init__"},
]
HEIGHT = {part: height for height, layer in enumerate(LAYERS) for part in layer}

# Where else than nowhere a package may be imported.
HOMES = {
    "_typeshed": ("",),  # exists for mypy only
    "IPython": ("jupyter/", "__init__.py"),  # __init__: for the type of load_ipython_extension
    "anywidget": ("view/widgets/",),
    "flyte": ("as_flyte/__init__.py", "sdk/"),  # as_flyte: what it does not have itself
    "cloudpickle": ("execution/caching/pickling.py",),
    "ipykernel": ("jupyter/",),
    "ipywidgets": ("jupyter/", "view/widgets/"),
    "connectrpc": ("sdk/",),
    "flyteidl2": ("sdk/",),
    "httpx": ("sdk/",),
    "filelock": ("venvs/",),
    "platformdirs": ("settings.py",),
    "msgpack": ("sdk/",),
    "numpy": ("crossing/installed.py",),
    "pandas": ("crossing/installed.py",),
    "polars": ("crossing/installed.py",),
    "psutil": ("machine/", "workers/"),
    "pydantic": ("execution/inputs.py",),
    "pyarrow": ("crossing/installed.py",),
    "sqlite3": ("database.py",),
    "tblib": ("crossing/",),
    "traitlets": ("jupyter/", "view/widgets/"),
    "typing_extensions": ("",),
    "uv": ("venvs/",),
}


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of each module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            if node.module == "flyte_nb":
                yield from (f"flyte_nb.{alias.name}" for alias in node.names)
            elif node.module:
                yield node.module


def part_of(module: str) -> str:
    """Return the part of the house that a module of flyte_nb belongs to."""
    part = [*module.split("."), ""][1]
    return part if part in HEIGHT else "__init__"


def label(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_arrows_point_down(path: Path) -> None:
    """A module imports its own part of the house and those below."""
    own = path.relative_to(ROOT).parts[0].removesuffix(".py")
    assert own in HEIGHT, f"{own} has no layer: add it to LAYERS"
    for module in imports(path):
        if module.partition(".")[0] == "flyte_nb":
            other = part_of(module)
            assert other == own or HEIGHT[other] < HEIGHT[own], f"{own} must not import {module}"


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_packages_stay_where_they_belong(path: Path) -> None:
    """What is not of the standard library, and the database, are imported in their places only."""
    for module in imports(path):
        package = module.partition(".")[0]
        if package in HOMES:
            assert label(path).startswith(HOMES[package]), f"{package} is imported by {label(path)}"
        else:
            assert package == "flyte_nb" or package in sys.stdlib_module_names, (
                f"{package} has no home: add it to HOMES"
            )


def test_views_know_no_session() -> None:
    """Views draw what they are given."""
    for path in (ROOT / "view").rglob("*.py"):
        assert not {module for module in imports(path) if module.startswith("flyte_nb.session")}, label(path)


def test_imports_can_be_read() -> None:
    """No module imports by a computed name, which these tests could not see; modules of the user have other names."""
    for path in MODULES:
        if label(path) in (
            "execution/caching/imports.py",
            "project/adopting.py",
            "venvs/smoke.py",
            "worker/loading.py",
            "workers/names.py",
        ):
            continue
        calls = (
            node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
        )
        names = {getattr(function, "id", getattr(function, "attr", "")) for function in calls}
        assert not names & {"__import__", "import_module"}, label(path)


def test_a_deployment_is_planned_then_applied_then_kept() -> None:
    """Plans know no engine, the engine knows no database, and what keeps deployments does not deploy."""
    order = ["origin", "planning", "applying", "watching", "telling", "keeping", "rollback", "deployments"]
    for path in (ROOT / "deployment").rglob("*.py"):
        own = path.relative_to(ROOT / "deployment").parts[0].removesuffix(".py")
        for module in imports(path):
            if module.startswith("flyte_nb.deployment.") and own != "__init__":
                other = module.split(".")[2]
                assert order.index(other) <= order.index(own), f"{label(path)} must not import {module}"
