"""Passwords and keys in code: what is deployed is stored and shown, so it may hold none."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from flyte_nb.bundle.namespace import where
from flyte_nb.bundle.user_modules import MOST_FILES, syntax_of
from flyte_nb.errors import CredentialInSourceError
from flyte_nb.masking import says_secret, without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flyte_nb.bundle.slicing import Slice

__all__ = ["refuse_credentials"]

# As long and as mixed as keys are: words and placeholders are not.
_LIKE_A_KEY = re.compile(r"(?=\S*[0-9])(?=\S*[A-Za-z])\S{16,}")


def refuse_credentials(environment: str, slice_: Slice, files: Mapping[str, str]) -> None:
    """Raise CredentialInSourceError if a text in the code of `environment` is a credential by its look or its name.

    Args:
        environment: The environment.
        slice_: What its module has.
        files: The modules of the user that it imports: text by path.
    """
    for part in slice_.parts.values():
        if not part.statement.source.may_hold_credentials:
            continue
        for line in _credentials(part.node):
            raise CredentialInSourceError(environment, where(part.statement, line))
    for path, text in files.items():
        if line := _first_line(text):
            raise CredentialInSourceError(environment, f"{path}, line {line}")


@lru_cache(maxsize=MOST_FILES)
def _first_line(text: str) -> int:
    """Return the first line of a file that holds one, or 0."""
    return next(_credentials(syntax_of(text) or ast.Module(body=[], type_ignores=[])), 0)


def _credentials(node: ast.AST) -> Iterator[int]:
    """Yield the lines that hold one."""
    for name, text, line in _texts(node):
        if without_credentials(text) != text or (says_secret(name) and _LIKE_A_KEY.fullmatch(text)):
            yield line


def _texts(node: ast.AST) -> Iterator[tuple[str, str, int]]:
    """Yield every text in `node`: the name that it is given to, if any, the text and its line."""
    named: dict[ast.expr, str] = {}
    for part in ast.walk(node):
        match part:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.keyword(arg=str(name), value=value):
                named[value] = name
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if value:
                named[value] = name
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        named[value] = key.value
            case ast.Constant(value=str(text), lineno=line):
                yield named.get(part, ""), text, line
