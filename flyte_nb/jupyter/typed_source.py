"""Tracebacks show cells as they were typed, not as the extension has rewritten them."""

from __future__ import annotations

import ast
import linecache
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["as_typed"]

_AWAITED = re.compile(r"await get_ipython\(\)\.flyte_nb\.awaited\((?P<said>.*)\)(?=;?$)", re.MULTILINE)
_BEGUN = re.compile(r"^get_ipython\(\)\.flyte_nb\.begin_environment\((?P<said>.*)\)$", re.MULTILINE)


@contextmanager
def as_typed() -> Iterator[None]:
    """Let Python find the lines of cells as they were typed while the body shows a traceback."""
    # What is not a file has no time of its last change.
    cells = {name: entry for name, entry in linecache.cache.items() if len(entry) == 4 and entry[1] is None}
    for name, entry in cells.items():
        size, changed, lines, full_name = entry
        typed = [_typed(line) if ".flyte_nb." in line else line for line in lines]
        linecache.cache[name] = (size, changed, typed, full_name)
    try:
        yield
    finally:
        linecache.cache.update(cells)


def _typed(line: str) -> str:
    return _BEGUN.sub(_environment, _AWAITED.sub(_magic, line))


def _magic(found: re.Match[str]) -> str:
    magic, said = ast.literal_eval(f"({found['said']})")
    return f"%{magic} {said}"


def _environment(found: re.Match[str]) -> str:
    return f"%%flyte_env {ast.literal_eval(found['said'])}"
