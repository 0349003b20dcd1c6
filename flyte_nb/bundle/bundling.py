"""What is deployed of an environment: its specification, the source of its tasks, and a fingerprint of both."""

from __future__ import annotations

import hashlib
import inspect
import io
import json
import re
import textwrap
import tokenize
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flyte_nb.bundle.content import Bundle
from flyte_nb.errors import SourceUnavailableError
from flyte_nb.masking import masked, without_credentials
from flyte_nb.model.image import Image
from flyte_nb.model.task import POLICIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flyte_nb.model.spec import EnvironmentSpec
    from flyte_nb.model.task import Task

__all__ = ["bundle"]

_NOT_CODE = frozenset({tokenize.COMMENT, tokenize.NL})
_LAYOUT = frozenset({tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT})
# The file is no longer the one that was imported.
_NOT_PYTHON = (SyntaxError, tokenize.TokenError)
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def bundle(spec: EnvironmentSpec, dependencies: Iterable[str], tasks: Mapping[str, Task[..., Any]]) -> Bundle:
    """Return what would be deployed of the environment that `spec` defines.

    Raises:
        SourceUnavailableError: The source of a task cannot be found.
    """
    specification = _plain(spec)
    specification["depends_on"] = sorted(dependencies)
    specification["tasks"] = {name: _policies(task) for name, task in sorted(tasks.items())}
    sources = {name: _source(task) for name, task in sorted(tasks.items())}
    content = {"specification": specification, "code": {name: _code(name, text) for name, text in sources.items()}}
    fingerprint = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return Bundle(spec.name, _storable(specification), sources, fingerprint)


def _storable(specification: dict[str, Any]) -> dict[str, Any]:
    """Return `specification` without secrets; references to a store's secrets are none."""
    kept: dict[str, Any] = without_credentials(specification)
    for part in (kept, kept["image"]):
        if isinstance(part, dict) and "env_vars" in part:
            part["env_vars"] = masked(part["env_vars"])
    return {**kept, "flyte_options": masked(kept["flyte_options"])}


def _policies(task: Task[..., Any]) -> dict[str, Any]:
    return {name: _plain(getattr(task, name)) for name in POLICIES}


def _plain(value: Any) -> Any:
    """Return `value` in terms of JSON, the same for equal values in every process."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, timedelta):
        return value.total_seconds()
    if is_dataclass(value) and not isinstance(value, type):
        content = {field.name: getattr(value, field.name) for field in fields(value)}
        if isinstance(value, Image):
            content["env_vars"] = dict(value.env_vars)
        return _plain(content)
    if isinstance(value, Mapping):
        return {str(key): _plain(content) for key, content in sorted(value.items(), key=lambda item: str(item[0]))}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(entry) for entry in value), key=repr)
    if "__repr__" not in {name for kind in type(value).__mro__[:-1] for name in vars(kind)}:
        # The default repr is an address, which differs from process to process.
        return {"type": type(value).__qualname__, **_plain(getattr(value, "__dict__", {}))}
    return _ADDRESS.sub("", repr(value))


def _source(task: Task[..., Any]) -> str:
    try:
        return textwrap.dedent(inspect.getsource(task.function))
    except (OSError, TypeError, *_NOT_PYTHON) as error:
        raise SourceUnavailableError(task.name) from error


def _code(task: str, source: str) -> list[str]:
    """Return the tokens of `source` that mean something to Python; of what is only layout, the kind."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except _NOT_PYTHON as error:
        raise SourceUnavailableError(task) from error
    return [
        f"<{tokenize.tok_name[token.type]}>" if token.type in _LAYOUT else token.string
        for token in tokens
        if token.type not in _NOT_CODE
    ]
