"""What modules do not say because it is secret: they read an environment variable in its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flyte_nb.bundle.writing import call, literal
from flyte_nb.masking import says_secret, without_credentials

if TYPE_CHECKING:
    from flyte_nb.bundle.writing import Group

__all__ = ["Withheld", "is_secret", "variable_name"]


def is_secret(name: str, value: object) -> bool:
    """Say whether a value is secret, by what it is called or by what it says."""
    return says_secret(name) or (isinstance(value, str) and without_credentials(value) != value)


def variable_name(environment: str, *place: str) -> str:
    """Return the environment variable that a module reads in the place of what is secret: the "image", for example."""
    return re.sub(r"\W", "_", "_".join([environment, *place])).upper()


class Withheld:
    """The values that one declaration does not say, by the environment variable that is read in the place of each.

    A variable is named after the environment, the task if it is of one, and the place of the value in the declaration.

    Attributes:
        values: The values by the names of variables.

    Args:
        owner: The environment, or the environment and the task.
        taken: Names of variables that other declarations of the module have; those of this one are added.
    """

    def __init__(self, *owner: str, taken: set[str] | None = None) -> None:
        self.values: dict[str, str] = {}
        self._owner = owner
        self._taken: set[str] = set() if taken is None else taken

    def variable(self, value: str, *place: str) -> Group:
        """Return what reads a variable, which may be unset, in the place of `value`."""
        wanted = name = variable_name(*self._owner, *place)
        number = 1
        while name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        return self._noted(name, value)

    def environment_variable(self, name: str, value: str, *place: str) -> Group:
        """Return what reads the variable `name` itself in the place of the value that is declared for it."""
        if self.values.get(name) == value or name not in self._taken:
            return self._noted(name, value)
        return self.variable(value, *place, name)

    def _noted(self, name: str, value: str) -> Group:
        self._taken.add(name)
        self.values[name] = value
        return call("os.environ.get", literal(name), literal(""))
