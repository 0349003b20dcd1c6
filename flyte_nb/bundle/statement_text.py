"""The text of one statement in a module: as it was written, but for what would mean something else there."""

from __future__ import annotations

import ast
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flyte_nb.bundle.bindings import is_task_decorator
from flyte_nb.bundle.function_nodes import outermost_functions
from flyte_nb.bundle.module_names import ENVIRONMENT, PACKAGE
from flyte_nb.bundle.namespace import Kind
from flyte_nb.bundle.statements import absolute_module, decorator_row, first_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flyte_nb.bundle.namespace import Meaning
    from flyte_nb.bundle.slicing import Part

__all__ = ["own_name", "reference_lines", "statement_text"]


def own_name(meaning: Meaning) -> str:
    """Return what a task or an environment is called in its module."""
    return ENVIRONMENT if meaning.kind is Kind.ENVIRONMENT else meaning.refers_to.partition(".")[2]


def reference_lines(foreign: Mapping[str, Meaning], modules: Mapping[str, str]) -> list[str]:
    """Return the lines that import tasks and environments of other modules."""
    lines = []
    for name, meaning in sorted(foreign.items()):
        environment = meaning.refers_to.partition(".")[0]
        original = own_name(meaning)
        alias = "" if original == name else f" as {name}"
        lines.append(f"from {PACKAGE}.{modules[environment]} import {original}{alias}")
    return lines


@dataclass(frozen=True, slots=True)
class _Edit:
    """What replaces the text between two places; lines count from 0, columns in characters."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str


def statement_text(part: Part, modules: Mapping[str, str]) -> str:
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
    text = "".join(text_lines)
    return (_dedented(text) if node.col_offset else text).rstrip()


def _first_line(part: Part) -> int:
    """Return the line, from 0, where a statement begins, with its decorators and the comments right above."""
    lines = part.statement.source.lines
    first = first_row(part.node, lines)
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
    decorators: list[ast.expr] = getattr(part.node, "decorator_list", [])
    rows = [decorator_row(decorator, part.statement.source.lines) for decorator in decorators]
    below = [*rows[1:], part.node.lineno - 1][: len(rows)]
    for decorator, begin, end in zip(decorators, rows, below, strict=True):
        if is_task_decorator(decorator):
            gone.update(range(begin - first, _end_of_code(lines, end - first)))
    return [line for number, line in enumerate(lines) if number not in gone]


def _end_of_code(lines: list[str], end: int) -> int:
    """Return where the code before line `end` is over: below it are only comments and blank lines."""
    while lines[end - 1].lstrip()[:1] in ("", "#"):
        end -= 1
    return end


def _dedented(text: str) -> str:
    """Return `text` moved to the left margin; what is inside of strings that go over lines stays as it is."""
    block = f"if True:\n{text}"
    lines = list(io.StringIO(block, newline=""))
    node = ast.parse(block).body[0].body[0]  # type: ignore[attr-defined]  # of the `if`
    indent = lines[node.lineno - 1].encode()[: node.col_offset].decode()
    in_texts = {
        line
        for part in ast.walk(node)
        if isinstance(part, ast.JoinedStr | ast.Constant)
        for line in range(part.lineno, part.end_lineno or part.lineno)
    }
    return "".join(
        line if number in in_texts else line.removeprefix(indent) if line.startswith(indent) else line.lstrip(" \t")
        for number, line in enumerate(lines)
        if number
    )


def _imports_inside(part: Part, modules: Mapping[str, str]) -> Iterator[_Edit]:
    """Yield edits that import, inside of the functions that use them, what other environments' modules define.

    So modules of environments whose tasks call each other can be imported in any order.
    """
    for function in outermost_functions(part.node) if part.foreign else ():
        names = {node.id for statement in function.body for node in ast.walk(statement) if isinstance(node, ast.Name)}
        used = {name: meaning for name, meaning in part.foreign.items() if name in names}
        if used:
            yield _at_the_top(function, reference_lines(used, modules), part.statement.source.lines)


def _at_the_top(function: ast.FunctionDef | ast.AsyncFunctionDef, imports: list[str], lines: list[str]) -> _Edit:
    body = function.body
    at = body[1] if ast.get_docstring(function, clean=False) is not None and len(body) > 1 else body[0]
    row = first_row(at, lines)
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
    for node in ast.walk(part.node) if source.may_import else ():
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
