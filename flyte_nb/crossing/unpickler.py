"""Bytes to values."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

from flyte_nb.crossing import markers, stand_ins
from flyte_nb.libraries import is_of_python

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from io import BytesIO

    from flyte_nb.crossing.definitions import Definitions

__all__ = ["Opener", "UndefinedError"]


class UndefinedError(Exception):
    """A name of the user's means nothing on this side.

    Attributes:
        name: The name.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Opener(pickle.Unpickler):
    """Reads one value."""

    def __init__(
        self,
        file: BytesIO,
        definitions: Definitions,
        chunks: Sequence[memoryview] = (),
        lent: Sequence[memoryview] = (),
        libraries: Collection[str] = (),
    ) -> None:
        super().__init__(file, buffers=lent)
        self.definitions, self.chunks, self.libraries = definitions, chunks, libraries

    def find_class(self, module: str, name: str) -> Any:
        """Return what a pickle names: of Python, of flyte_nb, and of libraries that it says it needs."""
        if module == markers.__name__:
            return {"chunk": self._chunk, "defined": self._defined, "overridden": _overridden}[name]
        package = module.partition(".")[0]
        if package == "flyte_nb" or is_of_python(package) or package in self.libraries:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it refers to {module}.{name}, of a library that is not named")

    def _chunk(self, number: int) -> memoryview:
        return self.chunks[number]

    def _defined(self, module: str, name: str, shape: tuple[Any, ...] | None) -> Any:
        try:
            return self.definitions.find(module, name)
        except LookupError:
            if shape is None:
                raise UndefinedError(name) from None
            return stand_ins.stand_in(module, name, shape)


def _overridden(task: Any, policies: dict[str, Any]) -> Any:
    return task.override(**policies)
