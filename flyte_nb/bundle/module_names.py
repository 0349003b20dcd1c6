"""What the module of each environment is called in a Flyte project."""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING

from flyte_nb.libraries import is_of_python

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["PACKAGE", "module_names"]

PACKAGE = "environments"
"""The package that holds them."""


def module_names(environments: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """Return the name of a module for each of `environments`, given in the order of registration.

    It is the environment's own with "_" for "-", where that can be imported and is nobody else's. The `flyte` command
    loads a file under its bare name, and so would put an environment called "json" in the place of Python's module.

    Args:
        environments: Their names.
        taken: Names of other modules: those of the user, and of libraries.
    """
    names: dict[str, str] = {}
    used = {PACKAGE, *taken}
    for environment in environments:
        plain = environment.replace("-", "_")
        plain = plain if plain.isidentifier() else f"env_{plain}"
        name, number = plain, 1
        while name in used or keyword.iskeyword(name) or is_of_python(name):
            name, number = f"{plain}_env{number if number > 1 else ''}", number + 1
        used.add(name)
        names[environment] = name
    return names
