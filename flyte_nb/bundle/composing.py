"""The text of an environment's module: imports, the declaration of the environment, definitions, tasks."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.declarations import declarations
from flyte_nb.bundle.module_names import ENVIRONMENT, PACKAGE
from flyte_nb.bundle.origins import imported
from flyte_nb.bundle.statement_text import own_name, reference_lines, statement_text
from flyte_nb.bundle.statements import FUNCTIONS, absolute_module
from flyte_nb.graph import ordered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flyte_nb.bundle.slicing import Part, Slice
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.model.task import Task

__all__ = ["Composed", "compose", "import_lines", "in_order"]


@dataclass(frozen=True, slots=True)
class Composed:
    """The module of one environment.

    Attributes:
        text: Its text.
        sources: The source of each part by its label.
        files: What it reads beside its module when it is imported: text by name.
        unwritten: What of the environment could not be written as source: the option, and the type of its value.
    """

    text: str
    sources: Mapping[str, str]
    files: Mapping[str, str]
    unwritten: Mapping[str, str]


def compose(
    spec: EnvironmentSpec,
    dependencies: Sequence[str],
    tasks: Mapping[str, Task[..., Any]],
    slice_: Slice,
    modules: Mapping[str, str],
) -> Composed:
    """Return the module that defines the environment `spec` and all that its tasks need.

    Args:
        spec: The environment.
        dependencies: What it depends on.
        tasks: Its tasks by full name.
        slice_: What they need.
        modules: The name of each environment's module.
    """
    known = [name for name in dependencies if name in modules]
    needed = {name: f"{modules[name]}.{ENVIRONMENT}" for name in known}
    declaration, decorators = declarations(spec, needed, tasks, ENVIRONMENT)
    imports = dict.fromkeys(["import flyte", *declaration.imports])
    unwritten = dict(declaration.unwritten)
    blocks: list[tuple[str, bool]] = []  # with whether blank lines go around it
    sources: dict[str, str] = {}
    counts: Counter[str] = Counter()
    parts = in_order(slice_)
    ambiguous = _ambiguous(parts)
    for part in parts:
        if isinstance(part.node, ast.Import | ast.ImportFrom):
            lines = list(import_lines(part))
            sources.update({line: line for line in lines})
            if ambiguous.isdisjoint(part.names):
                imports.update(dict.fromkeys(lines))
            else:
                blocks += [(line, False) for line in lines]
            continue
        text = statement_text(part, modules)
        if part.task:
            decorator = decorators[part.task]
            imports.update(dict.fromkeys(decorator.imports))
            unwritten |= decorator.unwritten
            text = f"{decorator.text}\n{text}"
        blocks.append((text, isinstance(part.node, (*FUNCTIONS, ast.ClassDef))))
        sources[_label(part, counts)] = text
    own = reference_lines(slice_.foreign, modules)
    imports.update(dict.fromkeys(f"from {PACKAGE} import {modules[name]}" for name in known))
    imports.update(dict.fromkeys(own))
    blocks += [
        (f"{name} = {own_name(meaning)}", False)
        for name, meaning in sorted(slice_.aliases.items())
        if name != own_name(meaning)
    ]
    future = "from __future__ import annotations\n\n" if _is_lazy(slice_) else ""
    head = "\n".join(sorted(imports, key=_import_rank))
    text = f"{future}{head}\n\n{declaration.text}\n{_joined(blocks)}"
    return Composed(text, sources, declaration.files, unwritten)


def _ambiguous(parts: Sequence[Part]) -> set[str]:
    """Return the names that imports and other statements give one after the other: what they mean depends on where."""
    given: dict[str, set[str | None]] = {}
    for part in parts:
        is_import = isinstance(part.node, ast.Import | ast.ImportFrom)
        for name in part.names if is_import else part.statement.binds:
            given.setdefault(name, set()).add(imported(part.statement, name))
    return {name for name, origins in given.items() if len(origins) > 1}


def in_order(slice_: Slice) -> list[Part]:
    """Return the parts of a slice as a clean run would execute them; what is needed comes before what needs it."""
    namespaces = list(dict.fromkeys(part.namespace for part in slice_.parts.values()))
    rank = {namespace: number for number, namespace in enumerate(namespaces)}
    parts = sorted(
        slice_.parts.values(),
        key=lambda part: (rank[part.namespace], part.namespace.place[part.statement], part.node.lineno),
    )
    by_name = {str(number): part for number, part in enumerate(parts)}
    names = {part.statement: name for name, part in by_name.items()}
    needs = {
        name: [names[statement] for statement in part.needs if statement in names and names[statement] != name]
        for name, part in by_name.items()
    }
    try:
        order = ordered(list(by_name), needs)
    except ValueError:  # two definitions that need each other: as the notebook has them
        order = list(by_name)
    return [by_name[name] for name in order]


def _is_lazy(slice_: Slice) -> bool:
    return any(part.statement.source.is_lazy for part in slice_.parts.values())


def _import_rank(line: str) -> int:
    """Put `import flyte` first and environments last; the rest stays as it came."""
    if line == "import flyte":
        return 0
    return 2 if line.startswith((f"from {PACKAGE} ", f"from {PACKAGE}.")) else 1


def import_lines(part: Part) -> Iterator[str]:
    """Yield an import statement for each name that is used of one; flyte_nb is flyte there."""
    node = part.node
    if isinstance(node, ast.Import):
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            if bound in part.names:
                module = "flyte" if alias.name == "flyte_nb" else alias.name
                asname = alias.asname or ("flyte_nb" if alias.name == "flyte_nb" else None)
                yield ast.unparse(ast.Import([ast.alias(module, None if asname == module else asname)]))
    elif isinstance(node, ast.ImportFrom):
        module = absolute_module(node, part.statement.source.package)
        module = "flyte" if module == "flyte_nb" else module
        for alias in node.names:
            if alias.name == "*" or (alias.asname or alias.name) in part.names:
                yield ast.unparse(ast.ImportFrom(module, [alias], 0))


def _label(part: Part, counts: Counter[str]) -> str:
    label = part.task or ", ".join(part.statement.binds) or ", ".join(part.statement.changes)
    counts[label] += 1
    return label if counts[label] == 1 else f"{label} ({counts[label]})"


def _joined(blocks: Sequence[tuple[str, bool]]) -> str:
    text, after_definition = "", True
    for block, is_definition in blocks:
        text += ("\n\n" if is_definition or after_definition else "") + f"{block}\n"
        after_definition = is_definition
    return text
