"""The fingerprint of an environment: it tells whether anything that matters is different."""

from __future__ import annotations

import ast
import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.composing import import_lines, in_order
from flyte_nb.bundle.specification import storable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyte_nb.bundle.secret_digests import SecretDigests
    from flyte_nb.bundle.slicing import Part, Slice

__all__ = ["fingerprint"]


def fingerprint(specification: dict[str, Any], slice_: Slice, files: Mapping[str, str], digests: SecretDigests) -> str:
    """Return the SHA-256 in hex of a specification, the code that goes with it, and the user's modules.

    Comments, layout, and where in the notebook something stands do not count.
    """
    content = {
        "specification": _without_secrets(specification, digests),
        "code": _code(slice_),
        "refers": _references(slice_),
        "files": {path: _seen_by_python(path, text) for path, text in sorted(files.items())},
    }
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _without_secrets(specification: dict[str, Any], digests: SecretDigests) -> dict[str, Any]:
    """Return `specification` with a digest in the place of what is secret in it."""
    kept = storable(specification)
    if kept == specification:
        return kept
    return {**kept, "secret": digests.digest(json.dumps(specification, sort_keys=True))}


def _code(slice_: Slice) -> list[list[str]]:
    parts = in_order(slice_)
    code = [entry for part in parts for entry in _entries(part)]
    bound = [name for part in parts if not isinstance(part.node, ast.Import | ast.ImportFrom) for name in _names(part)]
    # Only what is bound or changed more than once depends on the order.
    return code if len(set(bound)) < len(bound) else sorted(code)


def _names(part: Part) -> tuple[str, ...]:
    return (*part.statement.binds, *part.changes)


def _entries(part: Part) -> list[list[str]]:
    if isinstance(part.node, ast.Import | ast.ImportFrom):
        return [["import", line] for line in import_lines(part)]
    if part.task:
        return [[part.task, part.statement.function(part.node).code]]
    return [["", part.statement.code]]


def _references(slice_: Slice) -> list[list[str]]:
    named = [*slice_.foreign.items(), *slice_.aliases.items()]
    inside = [item for part in slice_.parts.values() for item in part.foreign.items()]
    return sorted([name, meaning.kind.name, meaning.refers_to] for name, meaning in {*named, *inside})


def _seen_by_python(path: str, text: str) -> str:
    if not path.endswith(".py"):
        return text
    try:
        return ast.unparse(ast.parse(text))
    except (SyntaxError, ValueError, RecursionError):
        return text
