"""Async magics: a cell that uses one is rewritten to await it, so that it runs on the kernel's own loop.

IPython turns `x = %flyte_run f()` into `x = get_ipython().run_line_magic('flyte_run', 'f()')`. This turns that into
`x = await get_ipython().flyte_nb.awaited('flyte_run', 'f()')`, which makes the cell an async cell. Where a cell
cannot be awaited, nothing is rewritten and the magic itself runs the same work in a thread.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import io
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import FrameType

__all__ = ["AwaitMagics"]

# As IPython writes it; anything else is the user's own call.
_CALL, _AWAITED = b"get_ipython().run_line_magic(", b"await get_ipython().flyte_nb.awaited("


class AwaitMagics:
    """An input transformer that awaits calls of `magics`; pure, because IPython transforms some cells twice."""

    has_side_effects = False

    def __init__(self, magics: Collection[str]) -> None:
        self._magics = frozenset(magics)

    def __call__(self, lines: list[str]) -> list[str]:
        """Return `lines` with the calls awaited that can be."""
        source = "".join(lines)
        if not any(f"run_line_magic('{magic}'" in source for magic in self._magics):
            return lines
        try:
            tree = compile(source, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return lines  # IPython reports it
        finder = _Calls(self._magics, can_await=_cell_can_await())
        finder.visit(tree)
        # Rows of syntax trees end where Python's lines do, which is not where str.splitlines splits; columns count
        # bytes. From the end, so that earlier positions stay true.
        rows = [line.encode() for line in io.StringIO(source, newline="")]
        for row, column, old, new in sorted(finder.edits, reverse=True):
            head, tail = rows[row - 1][:column], rows[row - 1][column:]
            if tail.startswith(old):
                rows[row - 1] = head + new + tail.removeprefix(old)
        return [row.decode() for row in rows]


class _Calls(ast.NodeVisitor):
    """Finds the statements that are calls of magics, and what to change there: row, column, old and new text."""

    def __init__(self, magics: Collection[str], *, can_await: bool) -> None:
        self._magics, self._can_await = magics, can_await
        self.edits: list[tuple[int, int, bytes, bytes]] = []

    def _enter(self, node: ast.AST, *, can_await: bool) -> None:
        around, self._can_await = self._can_await, can_await
        self.generic_visit(node)
        self._can_await = around

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._enter(node, can_await=False)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._enter(node, can_await=False)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._enter(node, can_await=True)

    def _visit_statement(self, node: ast.Expr | ast.Assign | ast.AnnAssign) -> None:
        match node.value:
            case (
                ast.Call(
                    func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr="run_line_magic"),
                    args=[ast.Constant(value=str(magic)), ast.Constant(value=str(line))],
                    keywords=[],
                ) as call
            ) if magic in self._magics:
                self._edit(call, hide=isinstance(node, ast.Expr) and line.endswith(";"))

    def _edit(self, call: ast.Call, *, hide: bool) -> None:
        if self._can_await:
            self.edits.append((call.lineno, call.col_offset, _CALL, _AWAITED))
        if hide and call.end_col_offset:
            # The semicolon that hides the value of a cell has become part of the magic's line.
            self.edits.append((call.lineno, call.end_col_offset, b"", b";"))

    visit_Expr = visit_Assign = visit_AnnAssign = _visit_statement  # noqa: N815 - the names ast asks for


def _cell_can_await() -> bool:
    """Say whether the cell being transformed will be awaited, from who asked for the transformation.

    A kernel transforms the cell in a coroutine and awaits it there. Terminal IPython transforms it in `_run_cell` with
    no loop running, and starts one. A cell run by a magic (%%time, %%capture) inside a running loop cannot be awaited.
    """
    caller = _caller_of_transform_cell(sys._getframe(1))  # noqa: SLF001 - the documented way to walk the stack
    if caller is None:
        return False
    if caller.f_code.co_flags & inspect.CO_COROUTINE:
        return True
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        shell = caller.f_locals.get("self")
        return caller.f_code.co_name == "_run_cell" and bool(getattr(shell, "autoawait", False))
    return False


def _caller_of_transform_cell(frame: FrameType | None) -> FrameType | None:
    inside = False
    while frame is not None:
        if frame.f_code.co_name == "transform_cell":
            inside = True
        elif inside:
            return frame
        frame = frame.f_back
    return None
