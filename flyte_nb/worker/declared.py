"""Declarations as a worker reads them: what counts for calls, and no more than can be evaluated where it runs.

A virtual environment need not have the Flyte SDK, nor what options for a cluster are made of.
"""

from __future__ import annotations

import ast
from collections import Counter
from contextlib import suppress
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.module_names import ENVIRONMENT
from flyte_nb.model.spec import EnvironmentSpec
from flyte_nb.model.task import POLICIES
from flyte_nb.project.loading import AdoptingLoader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["WorkerLoader", "given"]

_DECLARING = ("flyte.TaskEnvironment", f"{ENVIRONMENT}.task")  # as modules of environments are written
_READ = {field.name for field in fields(EnvironmentSpec)} | {*POLICIES, "docs"}
_GIVEN = "_flyte_nb_given"


class WorkerLoader(AdoptingLoader):
    """Loads the module of an environment in its worker."""

    def adapted(self, tree: ast.Module) -> ast.Module:
        """Leave out of declarations what no call depends on, and let the rest be left out where it fails."""
        declaring = [call for call in _top_calls(tree) if ast.unparse(call.func) in _DECLARING]
        if declaring:
            before = _names_in(tree)
            inside = sum((_names_in(call) for call in declaring), Counter[str]())
            for call in declaring:
                call.keywords = [_guarded(one) for one in call.keywords if one.arg in _READ]
            tree.body = [_import_guarded(line, inside, before) for line in tree.body]
            at = next((i for i, line in enumerate(tree.body) if not _is_from(line, "__future__")), 0)
            tree.body.insert(at, ast.ImportFrom(__name__, [ast.alias("given", _GIVEN)], 0))
        return super().adapted(tree)


def given(name: str, evaluate: Callable[[], Any]) -> dict[str, Any]:
    """Return a keyword, or nothing if it cannot be evaluated here."""
    with suppress(Exception):
        return {name: evaluate()}
    return {}


def _top_calls(tree: ast.Module) -> Iterator[ast.Call]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            yield node.value
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from (each for each in node.decorator_list if isinstance(each, ast.Call))


def _names_in(node: ast.AST) -> Counter[str]:
    return Counter(part.id for part in ast.walk(node) if isinstance(part, ast.Name))


def _guarded(keyword: ast.keyword) -> ast.keyword:
    """Return a keyword that is left out if it cannot be evaluated."""
    if isinstance(keyword.value, ast.Constant):
        return keyword
    nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    evaluate = ast.Lambda(nothing, keyword.value)
    call = ast.Call(ast.Name(_GIVEN, ast.Load()), [ast.Constant(keyword.arg), evaluate], [])
    return ast.keyword(None, call)


def _import_guarded(line: ast.stmt, inside: Counter[str], everywhere: Counter[str]) -> ast.stmt:
    """Return an import that may fail, if only declarations use what it binds."""
    if not isinstance(line, ast.Import):
        return line
    bound = [alias.asname or alias.name.partition(".")[0] for alias in line.names]
    if "flyte" in bound or any(everywhere[name] > inside[name] or not inside[name] for name in bound):
        return line
    handler = ast.ExceptHandler(ast.Name("ImportError", ast.Load()), None, [ast.Pass()])
    return ast.copy_location(ast.Try([line], [handler], [], []), line)


def _is_from(line: ast.stmt, module: str) -> bool:
    return isinstance(line, ast.ImportFrom) and line.module == module
