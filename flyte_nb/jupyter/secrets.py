"""Secrets in what a user types after a magic: they stay out of tracebacks and of error messages."""

from __future__ import annotations

import re

from flyte_nb.masking import masked

__all__ = ["without_secrets"]

# NAME=value, where the value may be quoted and its closing quote may be missing.
_ASSIGNMENT = re.compile(r"""(?P<name>[\w.-]+)=(?P<value>(?:'[^']*(?:'|$)|"[^"]*(?:"|$)|[^\s'"])+)""")


def without_secrets(line: str) -> str:
    """Return `line` with values masked whose name says secret, and credentials in URLs."""

    def assignment(found: re.Match[str]) -> str:
        return f"{found['name']}={masked({found['name']: found['value']})[found['name']]}"

    return str(masked({"": _ASSIGNMENT.sub(assignment, line)})[""])
