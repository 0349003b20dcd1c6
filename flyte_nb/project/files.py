"""The files of a Flyte project, as text: nothing is written here."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from flyte_nb.bundle.module_names import PACKAGE
from flyte_nb.bundle.writing import Group, layout, literal
from flyte_nb.errors import ExportError
from flyte_nb.project.pyproject import pyproject
from flyte_nb.project.readme import readme

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyte_nb.bundle.content import Bundle

__all__ = ["MANIFEST", "project_files"]

MANIFEST = ".flyte_nb.json"
"""Which files were generated, and what was in them."""

_INIT = '''\
"""The environments of this project, a module each, in the order of deployment."""

{names}
'''
_RESERVED = frozenset({"README.md", "pyproject.toml", MANIFEST, f"{PACKAGE}.py"})


def project_files(bundles: Mapping[str, Bundle], modules: Mapping[str, str], title: str) -> dict[str, str]:
    """Return an ordinary Flyte project: text by path, relative to its folder.

    Args:
        bundles: What is exported, by environment.
        modules: The module of each environment, in the order of deployment.
        title: What the project is called; its folder, by custom.

    Raises:
        ExportError: A module of the user's has the place of one of these files.
    """
    listed = Group("[", tuple(("", literal(module)) for module in modules.values()), "]")
    files = {f"{PACKAGE}/__init__.py": _INIT.format(names=f"__all__ = {layout(listed, len('__all__ = '))}")}
    for name, module in modules.items():
        for option, kind in bundles[name].unwritten.items():
            raise ExportError(f"{name}: {option}", f"a {kind} cannot be written as source", "Give it as plain values")
        files[f"{PACKAGE}/{module}.py"] = bundles[name].module
    own = {path.partition("/")[0].removesuffix(".py") for bundle in bundles.values() for path in bundle.files}
    for name, module in modules.items():
        if module in own:
            problem = f"the module of environment {name!r} would have the same name"
            raise ExportError(module, problem, "Rename one of them")
        for path, text in bundles[name].files.items():
            _check_free(path, text, files)
            files[path] = text
    python = {path: text for path, text in files.items() if path.endswith(".py")}
    files["pyproject.toml"] = pyproject(bundles, modules, python, title)
    files["README.md"] = readme(bundles, modules, title)
    return files


def _check_free(path: str, text: str, files: Mapping[str, str]) -> None:
    parts = PurePosixPath(path).parts
    if path.startswith("/") or "\\" in path or ".." in parts:
        raise ExportError(path, "it lies outside of the project", "Import it from a folder that is on sys.path")
    in_package = parts[0] == PACKAGE and path.endswith(".py")
    if path in _RESERVED or in_package or files.get(path, text) != text:
        raise ExportError(path, "the project has another file of that name", "Rename yours")
