"""Definitions in modules: they belong to the module, because importing it again does not run it again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

__all__ = ["module_being_imported"]


def module_being_imported() -> ModuleSpec | None:
    """Return the spec of the module whose body is calling, or None if a cell or a script is.

    Each execution of a module has a spec of its own: an import the first, each reload another.
    """
    frame = sys._getframe(1)  # noqa: SLF001 - the documented way to walk the stack
    while frame is not None:
        if frame.f_code.co_name == "<module>":
            is_program = frame.f_globals.get("__name__") == "__main__"
            spec: ModuleSpec | None = frame.f_globals.get("__spec__")
            return None if is_program else spec
        frame = frame.f_back  # type: ignore[assignment]
    return None
