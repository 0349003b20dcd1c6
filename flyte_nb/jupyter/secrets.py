"""Secrets in what a user types after a magic: they stay out of tracebacks and of error messages."""

from __future__ import annotations

import re
import shlex

from flyte_nb.masking import MASK, says_secret, without_credentials

__all__ = ["expression_without_secrets", "without_secrets", "words_without_secrets"]

# NAME=value, also after --option=.
_ASSIGNMENT = re.compile(r"(?P<option>--[\w-]+=)?(?P<name>[^=]+)=.*", re.DOTALL)
_ENV = ("--env", "--en", "--e")  # an option may be shortened
_FIRST_OPTION = re.compile(r"(?<!\S)--[a-z][a-z-]*")
# name=value, name: value and "name": value in Python; the value may be quoted, and its closing quote may be missing.
_ASSIGNMENT_IN_PYTHON = re.compile(
    r"""(?P<before>(?<!\w)(?P<name>[^\W\d]\w*)["']?\s*[=:]=?\s*)(?P<value>(?:'[^']*(?:'|$)|"[^"]*(?:"|$)|[^\s'",)}\]])+)"""
)


def without_secrets(line: str) -> str:
    """Return the arguments of a magic with secrets masked.

    Of a line that cannot be split into words, only the first option is left: anything else may belong to a secret.
    """
    try:
        words = shlex.split(line)
    except ValueError:
        option = _FIRST_OPTION.search(line)
        return f"{option[0]} ..." if option else "..."
    shown = words_without_secrets(words)
    return line if shown == words else shlex.join(shown)


def words_without_secrets(words: list[str]) -> list[str]:
    """Return `words` with what is secret masked: by the names of variables, and by the look of values.

    What follows --env and is not NAME=VALUE may be the rest of a value that was not quoted.
    """
    shown, option = [], ""
    for word in words:
        if word.startswith("--"):
            option = word.partition("=")[0]
        loose = option in _ENV and "=" not in word and not word.startswith("-")
        shown.append(MASK if loose else _masked_word(word))
    return shown


def _masked_word(word: str) -> str:
    found = _ASSIGNMENT.fullmatch(word)
    if found and says_secret(found["name"]):
        word = f"{found['option'] or ''}{found['name']}={MASK}"
    return str(without_credentials(word))


def expression_without_secrets(expression: str) -> str:
    """Return Python source, which may have mistakes, with secrets masked."""

    def assignment(found: re.Match[str]) -> str:
        return f"{found['before']}{MASK}" if says_secret(found["name"]) else found[0]

    return str(without_credentials(_ASSIGNMENT_IN_PYTHON.sub(assignment, expression)))
