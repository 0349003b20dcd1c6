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
        if not any(f"run_line_magic('{magic}'" in source for magic in self._magics) or not _cell_can_await():
            return lines
        try:
            tree = compile(source, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return lines  # IPython reports it
        finder = _Calls(self._magics)
        finder.visit(tree)
        # Rows of syntax trees end where Python's lines do, which is not where str.splitlines splits; columns count
        # bytes. From the end, so that earlier positions stay true.
        rows = [line.encode() for line in io.StringIO(source, newline="")]
        for row, column in sorted(finder.found, reverse=True):
            head, tail = rows[row - 1][:column], rows[row - 1][column:]
            if tail.startswith(_CALL):
                rows[row - 1] = head + _AWAITED + tail.removeprefix(_CALL)
        return [row.decode() for row in rows]


class _Calls(ast.NodeVisitor):
    """Finds the statements that are calls of magics, in code that may contain await."""

    def __init__(self, magics: Collection[str]) -> None:
        self._magics = magics
        self._can_await = True
        self.found: list[tuple[int, int]] = []

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
                    args=[ast.Constant(value=str(magic)), ast.Constant(value=str())],
                    keywords=[],
                ) as call
            ) if magic in self._magics and self._can_await:
                self.found.append((call.lineno, call.col_offset))

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
