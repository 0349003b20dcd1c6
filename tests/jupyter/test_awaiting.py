"""Which calls of async magics are rewritten to be awaited, and how."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from flyte_nb.jupyter.awaiting import AwaitMagics
from flyte_nb.jupyter.spanning import SpanningRun

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

RUN = "get_ipython().run_line_magic('flyte_run', 'f()')"
AWAITED = "await get_ipython().flyte_nb.awaited('flyte_run', 'f()')"


def transformed(cell: str, *, awaited: bool = True) -> str:
    """Transform `cell` as IPython would, for a kernel that awaits it or for one that cannot."""
    manager = TransformerManager()
    manager.token_transformers.append(SpanningRun)
    transform = AwaitMagics(["flyte_run"])

    def transform_cell() -> str:
        return "".join(transform(manager.transform_cell(cell).splitlines(keepends=True)))

    async def kernel() -> str:
        return transform_cell()

    return asyncio.run(kernel()) if awaited else transform_cell()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%flyte_run f()", AWAITED),
        ("x = %flyte_run f()", f"x = {AWAITED}"),
        ("x: int = %flyte_run f()", f"x: int = {AWAITED}"),
        ("x = y = %flyte_run f()", None),
        ("é = 'é'; x = %flyte_run f()", None),
        ("if x:\n    y = %flyte_run f()", f"if x:\n    y = {AWAITED}"),
        ("async def g():\n    %flyte_run f()", f"async def g():\n    {AWAITED}"),
        ("def g():\n    %flyte_run f()", f"def g():\n    {RUN}"),
        ("class C:\n    x = %flyte_run f()", f"class C:\n    x = {RUN}"),
        (
            "class C:\n    async def m(self):\n        %flyte_run f()",
            f"class C:\n    async def m(self):\n        {AWAITED}",
        ),
        (
            "async def a():\n    def b():\n        %flyte_run f()\n    %flyte_run f()",
            f"async def a():\n    def b():\n        {RUN}\n    {AWAITED}",
        ),
        (f"s = '\x0b \x0c \u2028 é'\nx = {RUN}", f"s = '\x0b \x0c \u2028 é'\nx = {AWAITED}"),
        (f"x = '''é'''; {RUN}", f"x = '''é'''; {AWAITED}"),
        (f"x = {RUN}.name", f"x = {RUN}.name"),
        (f"x = [{RUN}]", f"x = [{RUN}]"),
        ("x = get_ipython().run_line_magic('flyte_run', text)", "x = get_ipython().run_line_magic('flyte_run', text)"),
        (f's = "{RUN}"', f's = "{RUN}"'),
        (f"# {RUN}", f"# {RUN}"),
        ("s = f'{x} %flyte_run f()'", "s = f'{x} %flyte_run f()'"),
        ("s = '''\n%flyte_run f()\n'''", "s = '''\n%flyte_run f()\n'''"),
        ("%flyte_plan", "get_ipython().run_line_magic('flyte_plan', '')"),
        ("x = = %flyte_run f()", None),
    ],
)
def test_rewritten(cell: str, expected: str | None) -> None:
    """Only whole statements are rewritten, where await may stand; what IPython would refuse stays refused."""
    result = transformed(cell)
    if expected is None:
        assert "awaited" in result or transformed(cell, awaited=False) == result
    else:
        assert result == expected + "\n"


def test_where_cells_are_not_awaited() -> None:
    """Where the cell is not awaited, only the bodies of async functions are rewritten: those are awaited anyway."""
    assert transformed("x = %flyte_run f()", awaited=False) == f"x = {RUN}\n"
    assert AWAITED in transformed("async def g():\n    %flyte_run f()", awaited=False)


@pytest.mark.parametrize("awaited", [True, False])
def test_semicolon(awaited: bool) -> None:
    """The semicolon at the end of a line is also the cell's; of an assignment it means nothing."""
    assert transformed("%flyte_run f();", awaited=awaited).endswith("'f();');\n")
    assert transformed("x = %flyte_run f();", awaited=awaited).endswith("'f();')\n")


def test_pure() -> None:
    """Cells are transformed twice by some kernels: the second time changes nothing."""
    once = transformed("x = %flyte_run f();\n%flyte_run f();")
    assert transformed(once) == once


@pytest.mark.parametrize(
    ("cell", "argument", "lines"),
    [
        ("x = %flyte_run f(\n  1,\n  b={'a':\n 2})\ny = 1", "f(\n  1,\n  b={'a':\n 2})", 5),
        ("%flyte_run f(\n  1)\ny = 1", "f(\n  1)", 3),
        ("if x:\n    %flyte_run f(\n  1)\n    y = 1", "f(\n  1)", 4),
        ("x = %flyte_run f(  # it's\n  1)\ny = 1", "f(  # it's\n  1)", 3),
        ("x = %flyte_run f('''\n(\n''')\ny = 1", "f('''\n(\n''')", 4),
        ("x = %flyte_run f(\n\n1)\nz = %flyte_run g(\n2)", "g(\n2)", 5),
    ],
)
def test_spanning(cell: str, argument: str, lines: int) -> None:
    """A call that spans lines is one call, and the lines after it keep their numbers."""
    result = transformed(cell)
    assert f"('flyte_run', {argument!r})" in result
    assert len(result.splitlines()) == lines
    compile(result, "cell", "exec", 0x2000)  # with top-level await


@pytest.mark.parametrize(
    "cell", ["s = '''\n%flyte_run f(\n1)\n'''", "x = (1 %flyte_run (\n2))", "x = [\n1 % flyte_run (\n2)\n]"]
)
def test_not_spanning(cell: str) -> None:
    """Text and modulo are left alone."""
    assert transformed(cell) == cell + "\n"


def test_never_closed() -> None:
    """A bracket that is never closed does not swallow the rest of the cell."""
    assert "y = 1" in transformed("x = %flyte_run f(\ny = 1").splitlines()


@pytest.mark.parametrize("cell", ["x = %flyte_run t()", "%%time\nx = %flyte_run t()", "%%capture\nx = %flyte_run t()"])
def test_terminal(ip: InteractiveShell, cell: str) -> None:
    """In terminal IPython, where no loop runs between cells, it works the same."""
    ip.run_cell("e = flyte.TaskEnvironment('e')\n@e.task\nasync def t() -> int:\n    return 5")
    ip.run_cell(cell).raise_error()
    assert ip.user_ns["x"] == 5
