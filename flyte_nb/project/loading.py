"""Modules in which `import flyte` means this session: their finder and their loader.

Lines keep their numbers, and the source that Python shows is that of the file.
"""

from __future__ import annotations

import ast
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flyte_nb.libraries import is_library_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType

__all__ = ["AdoptingFinder", "AdoptingLoader", "finder"]

_STAND_IN = "flyte_nb.as_flyte"
_UNUSED = "_flyte_nb_imported"


class AdoptingLoader(SourceFileLoader):
    """Loads a module from its file, in the eyes of which this session is Flyte.

    Attributes:
        adopted: True, which tells such modules from others.
    """

    adopted = True

    def get_code(self, fullname: str) -> CodeType:
        """Compile the file; what was compiled before, or is compiled here, is another's `import flyte`."""
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code

    def source_to_code(self, data: Any, path: Any, **options: Any) -> Any:  # type: ignore[override]  # as it is called
        """Return the code of a module's source."""
        tree = ast.fix_missing_locations(self.adapted(ast.parse(data, path)))
        return super().source_to_code(tree, path, **options)

    def adapted(self, tree: ast.Module) -> ast.Module:
        """Return the syntax of a module in which `flyte` is this session."""
        adapted: ast.Module = _StandIn().visit(tree)
        return adapted


class _StandIn(ast.NodeTransformer):
    """Lets imports of `flyte` bring in what stands in for it."""

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        """Replace `import flyte`; `import flyte.io` also imports that, of the SDK."""
        inner = [alias for alias in node.names if _binds_flyte(alias) and alias.name != "flyte"]
        names = [_stand_in(alias) if _binds_flyte(alias) else alias for alias in node.names]
        lines: list[ast.stmt] = []
        if inner:
            lines = [ast.Import([ast.alias(alias.name, _UNUSED) for alias in inner])]
            lines += [ast.Delete([ast.Name(_UNUSED, ast.Del())])]
        return [ast.copy_location(line, node) for line in [*lines, ast.Import(names)]]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        if node.module == "flyte" and node.level == 0:
            node.module = _STAND_IN
        return node


def _stand_in(alias: ast.alias) -> ast.alias:
    return ast.alias(_STAND_IN, alias.asname or "flyte")


def _binds_flyte(alias: ast.alias) -> bool:
    # `import flyte.io` binds "flyte", as `import flyte` does; `import flyte.io as io` binds a module of the SDK.
    return alias.name == "flyte" or (alias.asname is None and alias.name.startswith("flyte."))


class AdoptingFinder:
    """Finds modules as Python does, and gives those that are adopted their loader.

    Attributes:
        modules: The modules that are adopted: each with what it was adopted as a part of.
        folders: Folders of which every module is adopted, but for libraries.
        packages: Packages of which every module is adopted, libraries or not.
        loader: The loader of modules that are adopted.
    """

    def __init__(self) -> None:
        self.modules: dict[str, str] = {}
        self.folders: frozenset[Path] = frozenset()
        self.packages: frozenset[str] = frozenset()
        self.loader = AdoptingLoader

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module that is adopted, or None."""
        by_name = name in self.modules or _top(name) in self.packages
        if not by_name and not any(_may_hold(folder, _top(name)) for folder in self.folders):
            return None
        spec = self._found_by_others(name, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader or not spec.origin:
            return None
        if not by_name and not self._is_inside(Path(spec.origin).resolve()):
            return None
        spec.loader = self.loader(name, spec.origin)
        spec.cached = None
        return spec

    def _found_by_others(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        finders = (finder for finder in sys.meta_path if finder is not self)
        return next(filter(None, (finder.find_spec(name, path, target) for finder in finders)), None)

    def _is_inside(self, file: Path) -> bool:
        return not is_library_file(str(file)) and any(folder in file.parents for folder in self.folders)

    def install(self) -> None:
        """Let Python ask this finder first; it stays, because modules are reloaded and functions import."""
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)


def _top(name: str) -> str:
    return name.partition(".")[0]


def _may_hold(folder: Path, package: str) -> bool:
    return (folder / package).is_dir() or (folder / f"{package}.py").is_file()


finder = AdoptingFinder()
"""The one finder of this process."""
