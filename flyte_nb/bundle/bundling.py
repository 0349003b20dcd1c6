"""From the session's definitions to bundles: finds where tasks are written, and takes out what they need."""

from __future__ import annotations

import inspect
import linecache
import sys
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.composing import compose
from flyte_nb.bundle.content import Bundle
from flyte_nb.bundle.credentials import refuse_credentials
from flyte_nb.bundle.fingerprints import fingerprint
from flyte_nb.bundle.module_names import PACKAGE, module_names
from flyte_nb.bundle.namespace import Kind, Meaning, Namespace
from flyte_nb.bundle.references import imported_environments
from flyte_nb.bundle.slicing import Located, slice_of
from flyte_nb.bundle.specification import specification, storable
from flyte_nb.bundle.statements import SourceText
from flyte_nb.bundle.user_modules import user_files
from flyte_nb.errors import FlyteNbError, HiddenDependencyError, SourceTooDeepError, SourceUnavailableError
from flyte_nb.libraries import installed_packages
from flyte_nb.masking import without_credentials

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from types import FunctionType

    from flyte_nb.bundle.secret_digests import SecretDigests
    from flyte_nb.bundle.slicing import Slice
    from flyte_nb.definitions.registry import Registry
    from flyte_nb.definitions.sources import CellSource, CellSources
    from flyte_nb.model.task import Task

__all__ = ["Bundler"]


_NOTHING: Mapping[str, str] = MappingProxyType({})
# How many environments are looked at before the syntax of their cells, which is large, is let go.
_MANY = 250


class Bundler:
    """Makes the bundles of a session, and keeps those that cannot have changed.

    Args:
        registry: What is defined.
        cells: Where.
        digests: What stands for secrets in fingerprints.
        says_order: Whether modules say what their environments depend on, and so import it. Fingerprints do not tell.
    """

    def __init__(
        self, registry: Registry, cells: CellSources, digests: SecretDigests, *, says_order: bool = True
    ) -> None:
        self._registry, self._cells, self._digests = registry, cells, digests
        self._says_order = says_order
        self._parsed = _Parsed()
        self._kept: dict[str, tuple[_State, Bundle]] = {}
        self._surroundings: tuple[object, ...] = ()

    def bundles(
        self, names: Collection[str], known: Mapping[str, str] = _NOTHING
    ) -> tuple[dict[str, Bundle], dict[str, FlyteNbError]]:
        """Return what would be deployed of each of `names`, and why of some nothing can be.

        Args:
            names: Environments.
            known: Fingerprints by name. Of an environment that has this one, nothing else is worked out.
        """
        look = _Look(self._registry, self._cells, self._parsed, self._digests, says_order=self._says_order)
        found: dict[str, Bundle] = {}
        refused: dict[str, FlyteNbError] = {}
        if look.surroundings != self._surroundings:
            self._kept, self._surroundings = {}, look.surroundings
        for number, name in enumerate(names, 1):
            state = look.state(name)
            before = self._kept.pop(name, None)
            try:
                if before and before[0] == state and (before[1].module or before[1].fingerprint == known.get(name)):
                    found[name] = before[1]
                else:
                    found[name] = look.bundle(name, known.get(name))
            except FlyteNbError as error:
                refused[name] = error
            except RecursionError:
                refused[name] = SourceTooDeepError(name)
            else:
                if not found[name].files:
                    self._kept[name] = (state, found[name])
            if number % _MANY == 0:
                self._parsed.forget_syntax()
        self._parsed.forget_syntax()
        return found, refused

    def module_names(self, names: Collection[str]) -> dict[str, str]:
        """Return the name of the module of each of `names`."""
        every = module_names(self._registry.names(), installed_packages())
        return {name: every[name] for name in names}


class _State:
    """What the bundle of an environment depends on; equal only to one of the very same objects."""

    def __init__(self, dependencies: tuple[str, ...], *objects: object) -> None:
        self._dependencies, self._objects = dependencies, objects

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _State)
            and self._dependencies == other._dependencies
            and len(self._objects) == len(other._objects)
            and all(mine is its for mine, its in zip(self._objects, other._objects, strict=True))
        )

    __hash__ = None  # type: ignore[assignment]


class _Parsed:
    """The cells and files that were parsed so far."""

    def __init__(self) -> None:
        self._cells: dict[CellSource, SourceText] = {}
        self._files: dict[str, Namespace] = {}
        self._notebook: tuple[list[SourceText], Namespace] | None = None

    def cells(self, cells: Collection[CellSource]) -> list[SourceText]:
        """Return the text of each of `cells`."""
        self._cells = {cell: self._cells.get(cell) or SourceText(cell.text, cell.title) for cell in cells}
        return list(self._cells.values())

    def forget_syntax(self) -> None:
        """Let go of what is large and can be had again."""
        for text in [*self._cells.values(), *(namespace.sources[0] for namespace in self._files.values())]:
            text.forget_syntax()

    def notebook(self, texts: list[SourceText], names: Mapping[str, Any]) -> Namespace:
        """Return the names that `texts`, the cells of a notebook, share."""
        known = self._notebook
        if known is None or known[0] != texts or known[1].values is not names:
            known = self._notebook = (texts, Namespace(texts, names))
        return known[1]

    def file(self, filename: str, names: Mapping[str, Any]) -> Namespace:
        """Return the names of the module, or the script, in a file."""
        linecache.checkcache(filename)
        text = "".join(linecache.getlines(filename))
        known = self._files.get(filename)
        if known is None or known.sources[0].text != text or known.values is not names:
            package = names.get("__package__") or ""
            known = self._files[filename] = Namespace([SourceText(text, Path(filename).name, package)], names)
        return known


class _Look:
    """One look at the session: what is written where, as it is now."""

    def __init__(
        self, registry: Registry, cells: CellSources, parsed: _Parsed, digests: SecretDigests, *, says_order: bool
    ) -> None:
        self._registry, self._parsed, self._digests = registry, parsed, digests
        self._says_order = says_order
        self._names, self._version = cells.names, cells.version
        self._cells = cells.in_order(registry.cell_order())
        self._texts = dict(zip((cell.filename for cell in self._cells), parsed.cells(self._cells), strict=True))
        self._files_seen: dict[tuple[str, int], Namespace] = {}
        environments = registry.names()
        self._modules = module_names(environments, installed_packages())
        self._tasks = {task.name: task for name in environments for task in registry.tasks(name).values()}

    @cached_property
    def surroundings(self) -> tuple[object, ...]:
        """What the bundle of any environment depends on."""
        order = tuple(cell.key for cell in self._cells)
        modules, elsewhere = tuple(self._modules.items()), tuple(self._elsewhere.items())
        return (self._version, order, modules, elsewhere, self._digests.path)

    def state(self, name: str) -> _State:
        """Return what else the bundle of `name` depends on, but for modules of the user that are imported."""
        tasks = tuple(self._registry.tasks(name).values())
        places = (self._place(task)[0] for task in tasks)
        return _State(self._registry.dependencies(name), self._registry.require(name), *tasks, *places)

    def bundle(self, name: str, known: str | None) -> Bundle:
        """Return what would be deployed of `name`; if its fingerprint is `known`, no more of it than that.

        Raises:
            SourceUnavailableError: The source of a task cannot be found.
            HiddenDependencyError: A task uses what no definition gives.
            CredentialInSourceError: What would be deployed holds a password or the like.
        """
        spec, dependencies = self._registry.require(name), self._registry.dependencies(name)
        tasks = self._registry.tasks(name)
        found = slice_of(name, [self._locate(task) for task in tasks.values()], self._environment, self._elsewhere)
        if found.problems:
            raise HiddenDependencyError(name, found.problems)
        files = self._files(found)
        refuse_credentials(name, found, files)
        said = specification(spec, dependencies, tasks)
        kept = storable(said)
        seen = fingerprint(self._digests.sealed(said, kept), found, files, self._modules)
        if seen == known:
            return Bundle(name, {}, {}, seen, files=files)
        order = dependencies if self._says_order else ()
        composed = compose(spec, order, tasks, found, self._modules)
        modules = imported_environments(order, found, files, self._modules)
        files |= {f"{PACKAGE}/{file}": without_credentials(text) for file, text in composed.files.items()}
        sources = {**composed.sources, **files}
        return Bundle(name, kept, sources, seen, composed.text, files, composed.unwritten, self._modules[name], modules)

    def _files(self, found: Slice) -> dict[str, str]:
        modules = {module for part in found.parts.values() for module in part.statement.modules}
        return user_files(sorted(modules), self._is_taken_apart)

    def _is_taken_apart(self, module: str) -> bool:
        return module in self._elsewhere or module.partition(".")[0] == PACKAGE

    def _environment(self, meaning: Meaning) -> str:
        """Return the environment that a reference leads to, or nothing if it is not defined."""
        name = meaning.refers_to.partition(".")[0]
        is_there = meaning.kind is Kind.ENVIRONMENT or meaning.refers_to in self._tasks
        return name if is_there and self._registry.spec(name) else ""

    # Where tasks are written

    def _locate(self, task: Task[..., Any]) -> Located:
        code = _code(task)
        namespace, text = self._place(task)
        found = text.function(code.co_name, code.co_firstlineno) if text else None
        if found is None:
            raise SourceUnavailableError(task.name)
        node, statement = found
        return Located(task.name, namespace, statement, node, code.co_freevars)

    def _place(self, task: Task[..., Any]) -> tuple[Namespace, SourceText | None]:
        names, filename = _function(task).__globals__, _code(task).co_filename
        if names is self._names:
            return self._notebook, self._texts_and_loose.get(filename)
        key = (filename, id(names))  # it lives as long as the task
        if key not in self._files_seen:
            self._files_seen[key] = self._parsed.file(filename, names)
        namespace = self._files_seen[key]
        return namespace, namespace.sources[0]

    @cached_property
    def _texts_and_loose(self) -> dict[str, SourceText]:
        """The cells by file, with what else ran among them: a cell that is not over yet, code of a magic."""
        files = {_code(task).co_filename for task in self._tasks.values() if _function(task).__globals__ is self._names}
        loose = {file: "".join(linecache.getlines(file)) for file in sorted(files - self._texts.keys())}
        return {**self._texts, **{file: SourceText(text, "this cell") for file, text in loose.items() if text}}

    @cached_property
    def _notebook(self) -> Namespace:
        return self._parsed.notebook(list(self._texts_and_loose.values()), self._names)

    @cached_property
    def _elsewhere(self) -> dict[str, Namespace]:
        """The modules, by name, whose definitions are taken out of them: those that define tasks."""
        found: dict[str, Namespace] = {}
        for task in self._tasks.values():
            names = _function(task).__globals__
            module = names.get("__name__")
            if names is not self._names and isinstance(module, str) and module != "__main__" and module in sys.modules:
                found[module] = self._place(task)[0]
        return found


def _function(task: Task[..., Any]) -> FunctionType:
    """Return the function that was written, inside of what decorators have made of it."""
    function: FunctionType = inspect.unwrap(task.function)
    return function


def _code(task: Task[..., Any]) -> Any:
    return _function(task).__code__
