"""The user's modules that code uses as a whole, by their source, with those that they import in turn.

Nothing is imported to find that out. The source of a loaded module is read once for each time that it was loaded: a
file that was edited since says what will run after a reload, not what runs now.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from hashlib import sha256
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import resolve_name
from pathlib import Path
from typing import TYPE_CHECKING

from flyte_nb.execution.caching.encoding import UnhashableError
from flyte_nb.execution.caching.libraries import is_library, is_library_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["imported_modules", "source_digests"]


@dataclass(frozen=True, slots=True)
class _Source:
    """The digest of a module's source, and the full names of what it may import."""

    digest: bytes
    imports: tuple[str, ...]


_loaded: dict[str, tuple[ModuleSpec, _Source]] = {}


def source_digests(names: Iterable[str]) -> list[tuple[str, bytes]]:
    """Return the digests of those of `names`, and of what they import, that are modules of the user.

    Raises:
        UnhashableError: The source of one of them cannot be found.
    """
    found: dict[str, bytes] = {}
    waiting = sorted(names)
    while waiting:
        name = waiting.pop()
        source = None if name in found or is_library(name) else _source(name)
        if source:
            found[name] = source.digest
            waiting += source.imports
    return sorted(found.items())


def imported_modules(level: int, module: str, names: Iterable[str], package: str | None) -> Iterator[str]:
    """Yield the full names of what an import statement may import: names taken from a package may be modules."""
    try:
        base = resolve_name("." * level + module, package)
    except (ImportError, ValueError):  # it cannot be imported, as will be seen when it is tried
        return
    parts = base.split(".")
    yield from (".".join(parts[: index + 1]) for index in range(len(parts)))
    yield from (f"{base}.{name}" for name in names if name != "*")


def _source(name: str) -> _Source | None:
    """Return the source of a module of the user, or None if that is no such module."""
    spec = getattr(sys.modules.get(name), "__spec__", None) or _find(name)
    if not isinstance(spec, ModuleSpec) or (spec.origin and is_library_file(spec.origin)):
        return None
    if name not in sys.modules:
        return _read(spec)
    known = _loaded.get(name)
    if known is None or known[0] is not spec:
        known = _loaded[name] = (spec, _read(spec))
    return known[1]


def _find(name: str) -> ModuleSpec | None:
    """Find a module as an import would, without importing its packages."""
    path, spec = None, None
    parts = name.split(".")
    for index in range(len(parts)):
        spec = PathFinder.find_spec(".".join(parts[: index + 1]), path)
        if spec is None:
            return None
        path = spec.submodule_search_locations or []
    return spec


def _read(spec: ModuleSpec) -> _Source:
    if spec.origin is None:
        return _Source(b"", ())  # a folder without __init__.py
    try:
        content = Path(spec.origin).read_bytes()
    except OSError:
        raise UnhashableError("module", f"the source of {spec.name} cannot be read") from None
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):  # it is compiled from another language
        return _Source(sha256(content).digest(), ())
    package = spec.name if spec.submodule_search_locations is not None else spec.parent
    imports = {name for node in ast.walk(tree) for name in _imports(node, package)}
    return _Source(sha256(ast.dump(tree).encode("utf-8", "surrogatepass")).digest(), tuple(sorted(imports)))


def _imports(node: ast.AST, package: str | None) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from imported_modules(0, alias.name, (), package)
    elif isinstance(node, ast.ImportFrom):
        yield from imported_modules(node.level, node.module or "", [alias.name for alias in node.names], package)
