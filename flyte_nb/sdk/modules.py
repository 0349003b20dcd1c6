"""The modules of a deployment, in this process for as long as it takes to say to the SDK what they define."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from importlib.util import module_from_spec, spec_from_file_location
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Any

from flyte._environment import list_loaded_environments

from flyte_nb.bundle.module_names import ENVIRONMENT, PACKAGE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from flyte_nb.bundle.content import Bundle

__all__ = ["Loaded", "forget", "write_code"]

_numbers = count(1)
_importing = Lock()


class Loaded:
    """Modules of the package of environments, imported until they are closed.

    Each has a name of its own here, so that versions do not meet, nor what the user has imported; the SDK goes by the
    file.

    Attributes:
        environments: The SDK's environment that each of them defines, by module.
        errors: What the others have raised, by module.

    Args:
        folder: What the package lies in.
        modules: Names of modules in it.
        secrets: Environment variables that they read in the place of what is not written.
        every: Whether to go on when one raises something, rather than to raise it.
    """

    def __init__(
        self, folder: Path, modules: Collection[str], secrets: Mapping[str, str], *, every: bool = False
    ) -> None:
        self.environments: dict[str, Any] = {}
        self.errors: dict[str, Exception] = {}
        self._broken: list[Any] = []
        self._names = {module: f"_{PACKAGE}_{next(_numbers)}.{module}" for module in modules}
        try:
            with _importing, _importable(folder), _variables(secrets):
                for module, name in self._names.items():
                    try:
                        imported = _imported(name, folder / PACKAGE / f"{module}.py")
                        self.environments[module] = getattr(imported, ENVIRONMENT)
                    except Exception as error:
                        self._broken.append(getattr(sys.modules.get(name), ENVIRONMENT, None))
                        if not every:
                            raise
                        self.errors[module] = error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let nothing be left of them."""
        for name in self._names.values():
            sys.modules.pop(name, None)
        forget([*self.environments.values(), *self._broken])


def write_code(bundles: Iterable[Bundle], folder: Path) -> Path:
    """Write the code of `bundles` into `folder`, and return it as the SDK compares it with the files of modules."""
    folder = folder.resolve()
    texts: dict[str, str] = {}
    for bundle in bundles:
        texts |= {**bundle.files, f"{PACKAGE}/{bundle.module_name}.py": bundle.module}
    for path, text in {**texts, f"{PACKAGE}/__init__.py": ""}.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def forget(environments: Collection[Any]) -> None:
    """Take environments out of the SDK's list of those that were constructed, which would keep them for ever."""
    gone, loaded = set(map(id, environments)), list_loaded_environments()
    loaded[:] = [each for each in loaded if id(each) not in gone]


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let `folder` be looked in for modules; what the body has imported from the package is gone afterwards."""
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == PACKAGE}
    for name in before:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]
        sys.modules.update(before)


@contextmanager
def _variables(given: Mapping[str, str]) -> Iterator[None]:
    """Let environment variables be there that are not; what a child of this process gets in this moment has them."""
    new = {name: value for name, value in given.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)


def _imported(name: str, file: Path) -> Any:
    spec = spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None  # noqa: S101, PT018 - it is a .py file
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
