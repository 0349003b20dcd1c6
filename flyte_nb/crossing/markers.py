"""What a pickle says of things that only its reader has: the reader puts its own functions in the place of these."""

from __future__ import annotations

from typing import Any

__all__ = ["Chunk", "Defined", "chunk", "defined", "overridden"]


class Chunk:
    """A buffer that travels beside the pickle.

    Attributes:
        view: Its bytes.
    """

    __slots__ = ("view",)

    def __init__(self, view: memoryview) -> None:
        self.view = view


def chunk(number: int) -> memoryview:
    """Return the buffer with that number."""
    raise NotImplementedError


class Defined:
    """Stands for what the user calls by a name.

    Attributes:
        module: The module, as `Definitions.name_of` gives it.
        name: The qualified name.
    """

    __slots__ = ("module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


def defined(module: str, name: str, shape: tuple[Any, ...] | None) -> Any:
    """Return what the user calls by that name; if nothing is, a class of that shape."""
    raise NotImplementedError


def overridden(task: Any, policies: dict[str, Any]) -> Any:
    """Return a task with other policies."""
    raise NotImplementedError
