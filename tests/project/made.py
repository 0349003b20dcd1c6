"""Bundles of what the session holds, made the plain way: tasks as they stand, imports as the test gives them."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.content import Bundle
from flyte_nb.bundle.declarations import environment_declaration, task_decorator
from flyte_nb.bundle.module_names import PACKAGE, module_names
from flyte_nb.graph import ordered
from flyte_nb.masking import masked
from flyte_nb.project.files import project_files
from flyte_nb.session import session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyte_nb import Task


def made_project(title: str, imports: str = "", files: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the files of a project of all that the session holds.

    Args:
        title: What it is called.
        imports: Lines that stand in each module after its `import flyte`.
        files: The modules of the user.
    """
    registry = session().registry
    names = ordered(registry.names(), registry.edges)
    modules = module_names(names)
    bundles = {name: _bundle(name, modules, imports, files or {}) for name in names}
    return project_files(bundles, modules, title)


def _bundle(name: str, modules: Mapping[str, str], imports: str, files: Mapping[str, str]) -> Bundle:
    registry = session().registry
    spec, tasks = registry.require(name), registry.tasks(name)
    needed = {dependency: f"{modules[dependency]}.env" for dependency in registry.dependencies(name)}
    declaration = environment_declaration(spec, needed)
    parts = [_source(task) for task in tasks.values()]
    lines = sorted({*declaration.imports, *(line for part in parts for line in part[0])})
    siblings = [f"from {PACKAGE} import {modules[dependency]}" for dependency in needed]
    head = "\n".join([*lines, "import flyte", *([imports] if imports else []), *siblings])
    module = "\n\n\n".join(["\n\n".join([head, declaration.text]), *(text for _, text in parts)]) + "\n"
    beside = {f"{PACKAGE}/{file}": text for file, text in declaration.files.items()}
    image = spec.image if isinstance(spec.image, str) else {"pip_packages": [*spec.image.pip_packages]}
    specification = {
        "name": name,
        "image": image,
        "depends_on": [*registry.dependencies(name)],
        "env_vars": masked(dict(spec.env_vars)),
        "tasks": {task: {} for task in sorted(tasks)},
    }
    return Bundle(name, specification, {}, "", module, {**beside, **files})


def _source(task: Task[..., Any]) -> tuple[tuple[str, ...], str]:
    source = textwrap.dedent(inspect.getsource(task.function))
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    declared = task_decorator(task)
    body = "".join(source.splitlines(keepends=True)[function.lineno - 1 :]).rstrip("\n")
    return declared.imports, f"{declared.text}\n{body}"
