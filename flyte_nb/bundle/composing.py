"""The text of an environment's module: imports, the declaration of the environment, definitions, tasks."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.declarations import environment_declaration, task_decorator
from flyte_nb.bundle.module_names import PACKAGE
from flyte_nb.bundle.namespace import Kind, is_task_decorator
from flyte_nb.bundle.slicing import outermost_functions
from flyte_nb.bundle.statements import FUNCTIONS, absolute_module, first_line
from flyte_nb.graph import ordered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flyte_nb.bundle.namespace import Meaning
    from flyte_nb.bundle.slicing import Part, Slice
    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.model.task import Task

__all__ = ["ENVIRONMENT", "Composed", "compose", "import_lines", "in_order"]

ENVIRONMENT = "env"
"""The variable that holds the environment in its module."""


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
    declaration = environment_declaration(spec, {name: f"{modules[name]}.{ENVIRONMENT}" for name in known})
    imports = dict.fromkeys(["import flyte", *declaration.imports])
    blocks: list[tuple[str, bool]] = []  # with whether blank lines go around it
    sources: dict[str, str] = {}
    for part in in_order(slice_):
        if isinstance(part.node, ast.Import | ast.ImportFrom):
            lines = import_lines(part)
            imports.update(dict.fromkeys(lines))
            sources.update({line: line for line in lines})
            continue
        text = _text(part, tasks, modules)
        if part.task:
            decorator = task_decorator(tasks[part.task], ENVIRONMENT)
            imports.update(dict.fromkeys(decorator.imports))
            text = f"{decorator.text}\n{text}"
        blocks.append((text, isinstance(part.node, (*FUNCTIONS, ast.ClassDef))))
        sources[_label(part, sources)] = text
    own = _references(slice_.foreign, modules)
    imports.update(dict.fromkeys(f"from {PACKAGE} import {modules[name]}" for name in known))
    imports.update(dict.fromkeys(own))
    blocks += [
        (f"{name} = {_own_name(meaning)}", False)
        for name, meaning in sorted(slice_.aliases.items())
        if name != _own_name(meaning)
    ]
    future = "from __future__ import annotations\n\n" if _is_lazy(slice_) else ""
    head = "\n".join(sorted(imports, key=_import_rank))
    text = f"{future}{head}\n\n{declaration.text}\n{_joined(blocks)}"
    return Composed(text, sources, declaration.files, declaration.unwritten)


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


def _label(part: Part, taken: Mapping[str, str]) -> str:
    label = part.task or ", ".join(part.statement.binds) or ", ".join(part.statement.changes)
    number, name = 1, label
    while name in taken:
        number += 1
        name = f"{label} ({number})"
    return name


def _own_name(meaning: Meaning) -> str:
    return ENVIRONMENT if meaning.kind is Kind.ENVIRONMENT else meaning.refers_to.partition(".")[2]


def _references(foreign: Mapping[str, Meaning], modules: Mapping[str, str]) -> list[str]:
    """Return the lines that import tasks and environments of other modules."""
    lines = []
    for name, meaning in sorted(foreign.items()):
        environment = meaning.refers_to.partition(".")[0]
        original = _own_name(meaning)
        alias = "" if original == name else f" as {name}"
        lines.append(f"from {PACKAGE}.{modules[environment]} import {original}{alias}")
    return lines


def _joined(blocks: Sequence[tuple[str, bool]]) -> str:
    text, after_definition = "", True
    for block, is_definition in blocks:
        text += ("\n\n" if is_definition or after_definition else "") + f"{block}\n"
        after_definition = is_definition
    return text


# The text of a statement, as it was written but for what has to change


@dataclass(frozen=True, slots=True)
class _Edit:
    """What replaces the text between two places; lines count from 0, columns in characters."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str


def _text(part: Part, tasks: Mapping[str, Task[..., Any]], modules: Mapping[str, str]) -> str:
    """Return the text of a statement; of a task, from the decorators that are not the task's own."""
    lines, node = part.statement.source.lines, part.node
    edits = [*_imports_inside(part, modules), *_absolute_imports(part)]
    first = _first_line(part)
    shares = _shares_lines(part)
    if shares:
        return ast.get_source_segment(part.statement.source.text, node) or ast.unparse(node)
    text_lines = list(lines[first : (node.end_lineno or node.lineno)])
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        _apply(text_lines, edit, first)
    if part.task:
        text_lines = _without_task_decorator(text_lines, part, first)
    return _dedented("".join(text_lines)).rstrip()


def _first_line(part: Part) -> int:
    """Return the line, from 0, where a statement begins, with its decorators and the comments right above."""
    first = first_line(part.node) - 1
    lines = part.statement.source.lines
    while not part.task and first > 0 and lines[first - 1].startswith("#"):
        first -= 1
    return first


def _shares_lines(part: Part) -> bool:
    """Say whether another statement stands on one of the lines of this one."""
    shared = part.statement.source.shared_lines
    return bool(shared) and not shared.isdisjoint({part.node.lineno, part.node.end_lineno})


def _apply(lines: list[str], edit: _Edit, first: int) -> None:
    (start, column), (end, end_column) = edit.start, edit.end
    head, tail = lines[start - first][:column], lines[end - first][end_column:]
    lines[start - first : end - first + 1] = (head + edit.text + tail).splitlines(keepends=True)


def _without_task_decorator(lines: list[str], part: Part, first: int) -> list[str]:
    gone: set[int] = set()
    for decorator in getattr(part.node, "decorator_list", []):
        if is_task_decorator(decorator):
            gone.update(range(decorator.lineno - 1 - first, (decorator.end_lineno or decorator.lineno) - first))
    return [line for number, line in enumerate(lines) if number not in gone]


def _dedented(text: str) -> str:
    """Return `text` moved to the left margin; what is inside of strings that go over lines stays as it is."""
    import textwrap

    return text if text[:1] not in " \t" else textwrap.dedent(text)


def _imports_inside(part: Part, modules: Mapping[str, str]) -> Iterator[_Edit]:
    """Yield edits that import, inside of the functions that use them, what other environments' modules define.

    So modules of environments whose tasks call each other can be imported in any order.
    """
    for function in outermost_functions(part.node) if part.foreign else ():
        names = {node.id for statement in function.body for node in ast.walk(statement) if isinstance(node, ast.Name)}
        used = {name: meaning for name, meaning in part.foreign.items() if name in names}
        if used:
            yield _at_the_top(function, _references(used, modules), part.statement.source.lines)


def _at_the_top(function: ast.FunctionDef | ast.AsyncFunctionDef, imports: list[str], lines: list[str]) -> _Edit:
    body = function.body
    at = body[1] if ast.get_docstring(function, clean=False) is not None and len(body) > 1 else body[0]
    row = first_line(at) - 1
    before = lines[row].encode()[: at.col_offset].decode()
    if before.strip() in ("", "@"):
        indent = before[: len(before) - len(before.lstrip())]
        column, text = 0, "".join(f"{indent}{line}\n" for line in imports)
    else:  # def f(): return g()
        column, text = len(before), "".join(f"{line}; " for line in imports)
    return _Edit((row, column), (row, column), text)


def _absolute_imports(part: Part) -> Iterator[_Edit]:
    """Yield edits that make imports inside of functions mean the same from another folder, and without flyte_nb."""
    source = part.statement.source
    for node in ast.walk(part.node) if "import" in source.text else ():
        if isinstance(node, ast.ImportFrom) and (node.level or node.module == "flyte_nb"):
            module = absolute_module(node, source.package)
            new = ast.ImportFrom("flyte" if module == "flyte_nb" else module, node.names, 0)
        elif isinstance(node, ast.Import) and any(alias.name == "flyte_nb" for alias in node.names):
            names = [
                ast.alias("flyte", alias.asname if alias.asname != "flyte" else None)
                if alias.asname
                else ast.alias("flyte", "flyte_nb")
                if alias.name == "flyte_nb"
                else alias
                for alias in node.names
            ]
            new = ast.Import(names)  # type: ignore[assignment]
        else:
            continue
        start, end = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        columns = [
            len(source.lines[row].encode()[:offset].decode())
            for row, offset in ((start, node.col_offset), (end, node.end_col_offset or 0))
        ]
        yield _Edit((start, columns[0]), (end, columns[1]), ast.unparse(new))
