"""Bringing the environments of a module, a package or a project into the session."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import shlex
import sys
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from flyte_nb.bundle.module_names import PACKAGE
from flyte_nb.errors import AdoptError
from flyte_nb.libraries import is_library_file, names_of
from flyte_nb.masking import error_text
from flyte_nb.project.loading import AdoptingLoader, finder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from flyte_nb.definitions.registry import Registry

__all__ = ["Adopted", "adopt", "import_again"]

_EXAMPLE = "Give an importable name, a .py file, a package, or the folder of an exported project"


@dataclass(frozen=True, slots=True)
class Adopted:
    """What was adopted.

    Attributes:
        modules: The modules that are adopted, in the order of their import.
        environments: What they define, by module.
    """

    modules: tuple[str, ...]
    environments: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Source:
    """What is to be adopted.

    Attributes:
        text: As the user wrote it.
        folder: Where its modules are imported from.
        modules: The modules to import.
        whole: Whether all that the folder holds is adopted.
    """

    text: str
    folder: Path
    modules: tuple[str, ...]
    whole: bool = False

    @property
    def key(self) -> str:
        """What tells it from other sources."""
        return str(self.folder) if self.whole else f"{self.folder}:{self.modules[0]}"


def adopt(text: str, registry: Registry) -> Adopted:
    """Import what `text` names so that its environments are defined in `registry`.

    What was adopted before is imported anew, and replaces what it defined.

    Args:
        text: An importable name, a .py file, the folder of a package, or that of an exported project.
        registry: Where environments are defined.

    Raises:
        AdoptError: It does not exist, or cannot be imported. The session is as it was, and so is what is imported.
    """
    importlib.invalidate_caches()
    source = _found(text)
    _check_free(source)
    with _all_or_nothing(source), registry.atomic():
        earlier = _earlier(source)
        registry.forget_modules(earlier)
        for name in earlier:
            sys.modules.pop(name, None)
        others = set(sys.modules)
        for name in source.modules:
            importlib.import_module(name)
        adopted = [name for name, module in list(sys.modules.items()) if name not in others and _is_adopted(module)]
        finder.modules.update(dict.fromkeys(adopted, source.key))
        defined = {name: tuple(registry.defined_by_module(name)) for name in adopted}
    return Adopted(tuple(adopted), {name: names for name, names in defined.items() if names})


def import_again(name: str) -> None:
    """Import a module by its name, anew if it is imported and not adopted.

    Raises:
        AdoptError: It cannot be imported.
    """
    loaded = sys.modules.get(name)
    try:
        if loaded is None:
            importlib.import_module(name)
        elif not _is_adopted(loaded):
            importlib.reload(loaded)
    except (Exception, SystemExit) as error:
        raise AdoptError(name, " ".join(error_text(error).split()).rstrip("."), "Mend it and adopt again") from error


def _found(text: str) -> _Source:
    path = Path(text).expanduser()
    if path.suffix == ".py" and path.is_file():
        return _file(text, path.resolve())
    if path.is_dir() and (path / PACKAGE).is_dir():
        folder = path.resolve()
        return _Source(text, folder, _in_order(folder / PACKAGE), whole=True)
    if path.is_dir() and (path / "__init__.py").is_file():
        return _file(text, path.resolve() / "__init__.py")
    if path.is_dir():
        raise AdoptError(text, f"this folder is no package, and holds none called {PACKAGE!r}", _advice(path))
    if not all(part.isidentifier() for part in text.split(".")):
        raise AdoptError(text, "there is no such file or folder, and it is not the name of a module", _EXAMPLE)
    return _named(text)


def _advice(folder: Path) -> str:
    """Return what to adopt in place of a folder that is no project of ours: projects are often a single file."""
    for file in sorted(folder.glob("*.py")):
        if file.is_file() and b"TaskEnvironment" in file.read_bytes():
            return f"Adopt a file of it: %flyte_adopt {shlex.quote(str(file))}"
    return _EXAMPLE


def _file(text: str, file: Path) -> _Source:
    """Return the module that a file is, under the name it has from the folder above its packages."""
    parts = [] if file.name == "__init__.py" else [file.stem]
    folder = file.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    name = ".".join(parts)
    if not all(part.isidentifier() for part in parts):
        raise AdoptError(text, f"{name!r} is not a name that Python can import", "Rename the file")
    return _Source(text, folder, (name, *_submodules(name, file)))


def _named(name: str) -> _Source:
    """Return a module by its name, found without running anything."""
    top, *rest = name.split(".")
    spec, found = _top_spec(top), top
    for part in rest:
        found = f"{found}.{part}"
        spec = PathFinder.find_spec(found, spec.submodule_search_locations or []) if spec else None
    if spec is None:
        raise AdoptError(name, "there is no module, file or folder of this name", _EXAMPLE)
    if not spec.origin or not spec.origin.endswith(".py"):
        raise AdoptError(name, "it has no source", _EXAMPLE)
    file = Path(spec.origin).resolve()
    folder = file.parents[len(name.split(".")) - (file.name != "__init__.py")]
    return _Source(name, folder, (name, *_submodules(name, file)))


def _top_spec(name: str) -> ModuleSpec | None:
    try:
        return find_spec(name)
    except ValueError:
        return None  # a module that was made by hand


def _submodules(name: str, file: Path) -> Iterator[str]:
    """Yield the modules of a package of the user's; all of a library is too much to import."""
    if file.name == "__init__.py" and not is_library_file(str(file)):
        yield from (found.name for found in pkgutil.walk_packages([str(file.parent)], f"{name}."))


def _in_order(package: Path) -> tuple[str, ...]:
    """Return the modules of an exported project in the order of its deployment, which its package names."""
    names = sorted(file.stem for file in package.glob("*.py") if file.stem != "__init__" and file.stem.isidentifier())
    listed = [name for name in _listed(package / "__init__.py") if name in names]
    return tuple(f"{PACKAGE}.{name}" for name in dict.fromkeys([*listed, *names]))


def _listed(file: Path) -> list[str]:
    try:
        body = ast.parse(file.read_bytes()).body
        lists = [
            node.value for node in body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        ]
        return [*map(str, ast.literal_eval(lists[-1]))] if lists else []
    except (OSError, SyntaxError, ValueError):
        return []  # the import tells what is wrong


def _check_free(source: _Source) -> None:
    """Refuse where a module of another folder has the name of one that would be imported."""
    for name in {module.partition(".")[0] for module in source.modules}:
        loaded = sys.modules.get(name)
        place = loaded and _place(loaded)
        own = (source.folder / f"{name}.py", source.folder / name, source.folder / name / "__init__.py")
        if place and place not in own:
            problem = f"another module called {name!r} is imported, from {place.parent}"
            raise AdoptError(source.text, problem, "Restart the kernel to adopt this one in its place")


def _earlier(source: _Source) -> list[str]:
    """Return the modules to import anew: those of `source`, and what they brought with them the last time."""
    brought = [name for name, key in finder.modules.items() if key == source.key]
    return list(dict.fromkeys([*brought, *source.modules]))


def _is_adopted(module: object) -> bool:
    return isinstance(getattr(names_of(module).get("__spec__"), "loader", None), AdoptingLoader)


def _place(module: object) -> Path | None:
    """Return the file of a module, or the folder of a package that has none."""
    names = names_of(module)
    place = names.get("__file__") or next(iter(names.get("__path__") or ()), None)
    return Path(place).resolve() if isinstance(place, str) else None


@contextmanager
def _all_or_nothing(source: _Source) -> Iterator[None]:
    """Leave what is imported as it was if the body fails, and one clear line about why."""
    modules, path = dict(sys.modules), list(sys.path)
    adopted, folders, packages = dict(finder.modules), finder.folders, finder.packages
    finder.install()
    finder.folders = folders | {source.folder}
    finder.packages = packages | {source.modules[0].partition(".")[0]}
    if str(source.folder) not in sys.path:
        sys.path.insert(0, str(source.folder))
    try:
        yield
    except BaseException as error:
        sys.path[:] = path
        _restore(source, modules)
        finder.modules, finder.folders, finder.packages = adopted, folders, packages
        if isinstance(error, (Exception, SystemExit)) and not isinstance(error, AdoptError):
            raise AdoptError(source.text, _reason(source, error), "Mend it and adopt again") from error
        raise
    finder.packages = packages
    if not source.whole:
        finder.folders = folders


def _restore(source: _Source, before: dict[str, ModuleType]) -> None:
    """Put the modules of `source` back; libraries that were imported meanwhile stay, as after any import."""
    for name, module in list(sys.modules.items()):
        place = _place(module)
        if name not in before and place and source.folder in place.parents and not is_library_file(str(place)):
            del sys.modules[name]
    sys.modules.update(before)


def _reason(source: _Source, error: BaseException) -> str:
    """Return what is wrong, in one line, and where in the modules of `source`."""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} ({error.filename}, line {error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    where = [frame for frame in frames if source.folder in Path(frame.filename).parents]
    at = f" ({where[-1].filename}, line {where[-1].lineno})" if where else ""
    return f"{' '.join(error_text(error).split()).rstrip('.')}{at}"
