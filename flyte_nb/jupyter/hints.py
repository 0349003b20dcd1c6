"""What to do about errors of Python's own that environments with packages of their own bring about."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from flyte_nb.execution.call import AROSE
from flyte_nb.model.image import Image

if TYPE_CHECKING:
    from flyte_nb.definitions.registry import Registry
    from flyte_nb.model.spec import EnvironmentSpec

__all__ = ["give_hint"]


def give_hint(error: BaseException, registry: Registry) -> None:
    """Note with a module that the kernel lacks that environments with packages may have it, where they run."""
    if not isinstance(error, ModuleNotFoundError) or not error.name or hasattr(error, "__notes__"):
        return
    package = error.name.partition(".")[0]
    if hasattr(error, AROSE) or package in sys.modules:
        return  # a task has imported it, or it is a part of a package that is missing
    specs = map(registry.require, registry.names())
    if find_spec(package) is None and any(map(_has_packages, specs)):
        hint = f"{package!r} is not installed in the kernel. Import what only an environment has inside of its tasks."
        error.__notes__ = [hint]  # type: ignore[attr-defined,unused-ignore]  # before Python 3.11, IPython shows it alone


def _has_packages(spec: EnvironmentSpec) -> bool:
    return isinstance(spec.image, Image) and bool(spec.image.pip_packages or spec.image.requirements)
