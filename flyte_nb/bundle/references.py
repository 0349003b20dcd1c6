"""Which modules of environments one of them imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyte_nb.bundle.module_names import PACKAGE
from flyte_nb.bundle.statements import imported_modules
from flyte_nb.bundle.user_modules import syntax_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flyte_nb.bundle.slicing import Slice

__all__ = ["imported_environments"]


def imported_environments(
    dependencies: Iterable[str], slice_: Slice, files: Mapping[str, str], modules: Mapping[str, str]
) -> dict[str, str]:
    """Return the environments that belong to an environment's module: itself, and those whose modules it imports.

    Args:
        dependencies: What the environment depends on.
        slice_: What its module has.
        files: The modules of the user that it imports: text by path.
        modules: The name of each environment's module.

    Returns:
        The name of each environment by the name of its module, in alphabetical order.
    """
    meanings = [*slice_.foreign.values(), *(each for part in slice_.parts.values() for each in part.foreign.values())]
    named = {slice_.environment, *dependencies, *(meaning.refers_to.partition(".")[0] for meaning in meanings)}
    found = {modules[name]: name for name in named if name in modules}
    written = set(_written(slice_, files)) - found.keys()
    if written:  # an import that the user wrote, as in a project
        found |= {module: name for name, module in modules.items() if module in written}
    return dict(sorted(found.items()))


def _written(slice_: Slice, files: Mapping[str, str]) -> Iterator[str]:
    """Yield what the source imports of the package of environments: `from environments.ml import train` is "ml"."""
    imported = [module for part in slice_.parts.values() for module in part.statement.modules]
    for path, text in files.items():
        if PACKAGE in text and (syntax := syntax_of(text)):
            imported += imported_modules([syntax], path.rpartition("/")[0].replace("/", "."))
    for module in imported:
        package, _, rest = module.partition(".")
        if package == PACKAGE and rest:
            yield rest.partition(".")[0]
