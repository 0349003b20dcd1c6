"""Secrets in what a user types after a magic: they stay out of tracebacks and of error messages."""

from __future__ import annotations

import re

from flyte_nb.masking import masked, without_credentials

__all__ = ["without_secrets"]

# NAME=value, also after --option=; the value may be quoted, and its closing quote may be missing.
_ASSIGNMENT = re.compile(
    r"""(?P<option>--[\w-]+=)?(?P<name>[\w.-]+)=(?P<value>(?:'[^']*(?:'|$)|"[^"]*(?:"|$)|[^\s'"])+)"""
)


def without_secrets(line: str) -> str:
    """Return `line` with values masked whose name says secret, and credentials in URLs."""

    def assignment(found: re.Match[str]) -> str:
        return f"{found['option'] or ''}{found['name']}={masked({found['name']: found['value']})[found['name']]}"

    return str(without_credentials(_ASSIGNMENT.sub(assignment, line)))
