"""%flyte_run calls that span lines: the line of a magic ends where Python's would, after the last bracket is closed.

`result = %flyte_run train(` may go on below, as any call in Python. IPython would take the first line only.
"""

from __future__ import annotations

import tokenize
from typing import TYPE_CHECKING

from IPython.core.inputtransformer2 import TokenTransformBase

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SpanningRun"]

_MAGIC = "flyte_run"
_DEPTH = dict.fromkeys("([{", 1) | dict.fromkeys(")]}", -1)


class SpanningRun(TokenTransformBase):
    """A token transformer of IPython's that puts such a call on one line."""

    priority = 5  # before IPython's own

    def __init__(self, start: tuple[int, int], last_row: int) -> None:
        super().__init__(start)  # type: ignore[no-untyped-call]
        self._end = last_row

    @classmethod
    def find(cls, tokens_by_line: Sequence[Sequence[tokenize.TokenInfo]]) -> SpanningRun | None:
        """Return the first such call in a cell, or None."""
        for tokens in tokens_by_line:
            for index in range(len(tokens) - 2):
                last_row = tokens[-1].start[0]
                if last_row > tokens[index].start[0] and _begins(tokens, index) and _closed(tokens[index:]):
                    return cls(tokens[index].start, last_row)
        return None

    def transform(self, lines: list[str]) -> list[str]:
        """Return `lines` with the call on its first line; empty ones after it keep the others where they are."""
        before = lines[self.start_line][: self.start_col]
        text = "".join(lines[self.start_line : self._end])[self.start_col + len(f"%{_MAGIC}") :]
        call = f"{before}get_ipython().run_line_magic({_MAGIC!r}, {text.strip()!r})\n"
        padding = ["\n"] * (self._end - self.start_line - 1)
        return [*lines[: self.start_line], call, *padding, *lines[self._end :]]


def _begins(tokens: Sequence[tokenize.TokenInfo], index: int) -> bool:
    """Say whether the magic is at `index`: at the beginning of a statement, or after its `=`."""
    sign, name = tokens[index : index + 2]
    if (sign.string, name.string) != ("%", _MAGIC) or sign.end != name.start:
        return False
    before = [token for token in tokens[:index] if token.type not in (tokenize.INDENT, tokenize.DEDENT)]
    return not before or before[-1].string == "="


def _closed(tokens: Sequence[tokenize.TokenInfo]) -> bool:
    depths = (_DEPTH.get(token.string, 0) for token in tokens if token.type == tokenize.OP)
    return tokens[-1].type == tokenize.NEWLINE and sum(depths) == 0
