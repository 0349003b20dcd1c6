"""The fingerprint of an environment: it tells whether anything that matters is different."""

from __future__ import annotations

import ast
import json
import re
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.composing import import_lines, in_order
from flyte_nb.bundle.module_names import ENVIRONMENT, PACKAGE
from flyte_nb.bundle.namespace import Kind
from flyte_nb.bundle.user_modules import MOST_FILES, syntax_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyte_nb.bundle.slicing import Part, Slice

__all__ = ["fingerprint"]

# What a bundle holds. One of an earlier format has another fingerprint, so that it is deployed again.
_FORMAT = 2

# As it is written into functions, in code from which comments and layout are gone.
_REFERENCE = re.compile(
    rf"^ +from {PACKAGE}\.(?P<module>\w+) import (?P<name>\w+)(?: as (?P<alias>\w+))?\n?", re.MULTILINE
)


def fingerprint(
    specification: dict[str, Any],
    slice_: Slice,
    files: Mapping[str, str],
    modules: Mapping[str, str],
) -> str:
    """Return the SHA-256 in hex of a specification, the code that goes with it, and the user's modules.

    Comments, layout, and where in the notebook something stands do not count; nor does whether a task of another
    environment is imported inside of a function, as in an exported project, or outside of it.

    Args:
        specification: What was said about the environment, without secrets: see `SecretDigests.sealed`.
        slice_: The code.
        files: The user's modules: text by path.
        modules: The name of each environment's module.
    """
    code, inside = _without_references(_code(slice_), {module: name for name, module in modules.items()})
    content = {
        "format": _FORMAT,
        "specification": specification,
        "code": code,
        "refers": sorted([*_references(slice_), *inside]),
        "files": {path: _seen_by_python(path, text) for path, text in sorted(files.items())},
    }
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _without_references(
    code: list[list[str]], environments: Mapping[str, str]
) -> tuple[list[list[str]], list[list[str]]]:
    """Return `code` without imports of tasks and environments inside of functions, and what these mean."""
    found: list[list[str]] = []

    def noted(line: re.Match[str]) -> str:
        environment = environments.get(line["module"])
        if environment is None:
            return line[0]
        own = line["name"] == ENVIRONMENT
        meaning = [Kind.ENVIRONMENT.name, environment] if own else [Kind.TASK.name, f"{environment}.{line['name']}"]
        entry = [line["alias"] or line["name"], *meaning]
        if entry not in found:
            found.append(entry)
        return ""

    return [[label, _REFERENCE.sub(noted, text) if PACKAGE in text else text] for label, text in code], found


def _code(slice_: Slice) -> list[list[str]]:
    parts = in_order(slice_)
    # An import counts once, in however many cells it stands.
    code = [list(entry) for entry in dict.fromkeys(tuple(entry) for part in parts for entry in _entries(part))]
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
    return [[name, meaning.kind.name, meaning.refers_to] for name, meaning in {*named, *inside}]


@lru_cache(maxsize=MOST_FILES)
def _seen_by_python(path: str, text: str) -> str:
    """Return what of a file counts."""
    if not path.endswith(".py"):
        return text
    syntax = syntax_of(text)
    try:
        return ast.unparse(syntax) if syntax else text
    except (ValueError, RecursionError):
        return text
