"""Why an installer failed, in one line, from what it said; and what to do about it."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["no_python", "pip_reason", "uv_reason"]

# An error keeps so many characters, and the advice must be among them.
_LONGEST = 300
_OWN = "{}.{}".format(*sys.version_info[:2])
# Older versions draw a tree of causes, later ones have "cause:" before each; long ones go on in the next line.
_LABEL = re.compile(r"^[\s│]*(?P<label>×|[├╰]─▶|(?:error|cause|caused by|hint):)?\s*", re.IGNORECASE)
_WITHOUT_NEWS = re.compile(r",? we can conclude that your requirements are unsatisfiable")
_BEGINS = re.compile(r"^(?:error:|\s*×)")
_VERSIONS = re.compile(r" \(from versions: [^)]*\)")
_UNREACHABLE = re.compile(
    r"dns error|error sending request|failed to lookup|connection (?:refused|reset|error)|timed out|unreachable"
    r"|Retrying \(|Name or service not known|NewConnectionError|ProxyError",
    re.IGNORECASE,
)
_NETWORK_ADVICE = "Check the network, or which index pip or uv is configured with."


def uv_reason(lines: Sequence[str]) -> str:
    """Return why uv failed, from what it said."""
    begin = next((at for at, line in enumerate(lines) if _BEGINS.match(line)), max(0, len(lines) - 3))
    told = ""
    for line in lines[begin:]:
        label = _LABEL.match(line)
        between = ": " if label and label["label"] else " "
        told = told.rstrip(": ") + between + _LABEL.sub("", line)
    return _with_advice(_WITHOUT_NEWS.sub("", told.strip(": ")), lines)


def pip_reason(lines: Sequence[str]) -> str:
    """Return why pip or venv failed, from what it said."""
    errors = [line.partition("ERROR: ")[2] for line in lines if line.startswith("ERROR: ")]
    return _with_advice(": ".join(_VERSIONS.sub("", line) for line in errors[-2:] or lines[-2:]), lines)


def no_python(version: str, lines: Sequence[str] = ()) -> str:
    """Return that there is no Python of `version` and what to do, with the last of what was said by what looked."""
    said = f" ({_LABEL.sub('', lines[-1])[-_LONGEST // 3 :]})" if lines else ""
    advice = f'Install it, or name one that is here: flyte.Image.from_debian_base(python="{_OWN}").'
    return f"there is no Python {version} here{said}. {advice}"


def _with_advice(reason: str, lines: Sequence[str]) -> str:
    advice = f" {_NETWORK_ADVICE}" if any(map(_UNREACHABLE.search, lines)) else ""
    return _without_middle(reason or "the installer does not say why", _LONGEST - len(advice)) + advice


def _without_middle(text: str, longest: int) -> str:
    """Return `text` with at most `longest` characters: how it begins and how it ends says most."""
    half = longest // 2 - 2
    return text if len(text) <= longest else f"{text[:half]} … {text[-half:]}"
