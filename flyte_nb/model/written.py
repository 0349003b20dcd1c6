"""Values of the Flyte SDK for which the model has no field: kept as the calls that construct them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Constructed", "Name", "Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """One call: the first of a value names a function of the SDK, the others methods of what the one before gave.

    Attributes:
        name: "flyte.Image.from_debian_base", or "with_apt_packages".
        args: What is given by position.
        options: What is given by name.
    """

    name: str
    args: tuple[Any, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        given = [*map(repr, self.args), *(f"{name}={value!r}" for name, value in self.options)]
        return f"{self.name}({', '.join(given)})"


@dataclass(frozen=True, slots=True, repr=False)
class Constructed:
    """A value as the calls that construct it: `flyte.Image.from_debian_base().with_apt_packages("git")`."""

    steps: tuple[Step, ...]

    def __repr__(self) -> str:
        return ".".join(map(str, self.steps))


@dataclass(frozen=True, slots=True, repr=False)
class Name:
    """What the SDK has under a name, where it is not installed: to be called, or to be given as it is.

    Attributes:
        path: "flyte.ReusePolicy", or "flyte.Trigger.daily".
    """

    path: str

    def __call__(self, *args: Any, **options: Any) -> Constructed:
        """Return what this constructs."""
        return Constructed((Step(self.path, args, tuple(options.items())),))

    def __getattr__(self, name: str) -> Name:
        if name.startswith("_"):
            raise AttributeError(f"{self.path} has no attribute {name!r}")
        return Name(f"{self.path}.{name}")

    def __or__(self, other: object) -> Any:
        return self  # in annotations, which are evaluated

    __ror__ = __or__

    def __repr__(self) -> str:
        return self.path
