"""The pyproject.toml of an exported project: what its modules import, and what its images install.

The format is that of https://packaging.python.org/en/latest/specifications/pyproject-toml/.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from flyte_nb.libraries import distributions, is_of_python
from flyte_nb.project.reading import imported_packages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flyte_nb.bundle.content import Bundle

__all__ = ["project_name", "pyproject"]

_PYTHON = ">=3.10"  # as the SDK asks
# A name, and what may follow it; anything else, such as a bare URL, does not fit into a pyproject.toml.
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:[\[<>=!~;(@].*)?")


def pyproject(bundles: Mapping[str, Bundle], modules: Mapping[str, str], files: Mapping[str, str], title: str) -> str:
    """Return the text of pyproject.toml.

    Args:
        bundles: What is exported.
        modules: The module of each environment.
        files: The Python files of the project: text by path.
        title: What the project is called.
    """
    extras = {modules[name].replace("_", "-"): _packages(bundles[name]) for name in modules}
    own = {path.partition("/")[0].removesuffix(".py") for path in files}
    installed = {_plain(_name(package)) for packages in extras.values() for package in packages}
    dependencies, unknown = _dependencies(files.values(), own, installed)
    lines = [
        "[build-system]",
        'requires = ["hatchling"]',
        'build-backend = "hatchling.build"',
        "",
        "[project]",
        f"name = {_text(project_name(title))}",
        'version = "0.1.0"',
        f"requires-python = {_text(_PYTHON)}",
        *([f"# Imported too, from distributions that are not known: {', '.join(unknown)}"] if unknown else []),
        *_array("dependencies", dependencies),
        "",
    ]
    if any(extras.values()):
        lines.append("[project.optional-dependencies]")
        for extra, packages in extras.items():
            lines += _array(extra, packages) if packages else []
        lines.append("")
    lines.append("[tool.hatch.build.targets.wheel]")
    lines += _array("include", sorted({_first_part(path) for path in files}))
    return "\n".join(lines) + "\n"


def project_name(title: str) -> str:
    """Return `title` as the name of a distribution."""
    return re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-").lower() or "flyte-project"


def _packages(bundle: Bundle) -> list[str]:
    """Return what the image installs by name; what holds a password is masked, and left out."""
    image: Any = bundle.specification.get("image")
    packages = image.get("pip_packages", []) if isinstance(image, dict) else []
    return [package for package in packages if _REQUIREMENT.fullmatch(package) and "***" not in package]


def _dependencies(sources: Iterable[str], own: set[str], installed: set[str]) -> tuple[list[str], list[str]]:
    """Return the distributions that `sources` import, and the names for which none is known."""
    imported = {name for source in sources for name in imported_packages(source)} - own - {"flyte"}
    found, unknown = {"flyte"}, []
    for package in sorted(imported):
        if is_of_python(package) or _plain(package) in installed:
            continue
        known = distributions(package)  # several share a namespace such as "google"
        if {_plain(name) for name in known} & installed:
            continue
        if len(known) == 1:
            found.update(known)
        else:
            unknown.append(package)
    return sorted(found, key=str.lower), unknown


def _name(requirement: str) -> str:
    match = _REQUIREMENT.fullmatch(requirement)
    return match["name"] if match else requirement


def _plain(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _first_part(path: str) -> str:
    return path.partition("/")[0]


def _array(key: str, values: list[str]) -> list[str]:
    return [f"{key} = [", *(f"  {_text(value)}," for value in values), "]"] if values else [f"{key} = []"]


def _text(value: str) -> str:
    return json.dumps(value).replace("\x7f", "\\u007f")
