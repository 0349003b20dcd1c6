"""Requirements as pip takes them, from packages and from requirements files, each in one form.

The format is https://pip.pypa.io/en/stable/reference/requirements-file-format.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["file_lines", "local_path", "named", "package_line", "unique"]

_COMMENT = re.compile(r"(?:^|\s+)#.*$", re.MULTILINE)
_CONTINUED = re.compile(r"\\\r?\n\s*")
_NAMED = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?P<extras>\[[^]]*\])?\s*(?P<rest>(?:[<>=!~(;@].*)?)")
_SEPARATORS = re.compile(r"[-_.]+")
_OPTION = re.compile(r"(?P<option>-[rce]|--(?:requirement|constraint|editable))(?:\s+|=)?(?P<value>.+)")
_EXTRAS = re.compile(r"\[[^][]*\]$")
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tar.bz2", ".tar.xz", ".tgz")
_OTHER_FILE = ("-r", "--requirement")
_BESIDE_THE_FILE = (*_OTHER_FILE, "-c", "--constraint")


def unique(lines: Iterable[str]) -> tuple[str, ...]:
    """Return `lines` sorted, each once."""
    return tuple(sorted(set(lines)))


def file_lines(text: str, folder: str) -> Iterator[str]:
    """Yield the lines of a requirements file without comments; options are among them.

    Args:
        text: What it holds.
        folder: Where it is: other requirements files are named relative to it.
    """
    for line in _COMMENT.sub("", _CONTINUED.sub(" ", text)).splitlines():
        if stripped := line.strip():
            yield package_line(stripped, folder)


def package_line(line: str, folder: str = "") -> str:
    """Return one requirement in the form in which all that mean the same are written: "Pandas >= 2" as "pandas>=2".

    Paths become absolute: those of other requirements files are relative to `folder`, others to the working directory.
    """
    text = " ".join(line.split())
    if option := _OPTION.fullmatch(text):
        short = option["option"]
        base = folder if short in _BESIDE_THE_FILE else ""
        return f"{short} {_absolute(option['value'], base, certainly=short in _BESIDE_THE_FILE)}"
    named = _NAMED.fullmatch(text)
    if not named or (_is_archive(text) and not named["rest"].startswith("@")):
        return _absolute(text, "")
    name = _SEPARATORS.sub("-", named["name"]).lower()
    extras = (named["extras"] or "").replace(" ", "").lower()
    return f"{name}{extras}{_rest(named['rest'])}"


def named(lines: Iterable[str]) -> Iterator[str]:
    """Yield the names of the packages in lines of `package_line`, and in the other requirements files they name."""
    for line in lines:
        option = _OPTION.fullmatch(line)
        if option and option["option"] in _OTHER_FILE:
            yield from named(_lines_at(option["value"]))
        elif found := _NAMED.fullmatch(line):
            yield found["name"]


def _lines_at(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8-sig") as file:
            return list(file_lines(file.read(), os.path.dirname(path)))
    except (OSError, UnicodeDecodeError):
        return []  # the installer says so


def local_path(line: str) -> str | None:
    """Return the absolute path that a line of `package_line` names, or None if it names none."""
    text = option["value"] if (option := _OPTION.fullmatch(line)) else line
    text = text.partition(" @ ")[2] or text
    text = text.partition(" ;")[0].strip()
    if text.startswith("file:"):
        from urllib.parse import unquote, urlsplit

        return unquote(urlsplit(text).path)
    path = _EXTRAS.sub("", text)
    return path if os.path.isabs(path) else None


def _rest(text: str) -> str:
    """Return versions without spaces; a URL and a marker keep theirs."""
    if text.startswith("@"):
        return f" @ {_absolute(text[1:].strip(), '')}"
    versions, semicolon, marker = text.partition(";")
    return f"{versions.replace(' ', '')}{'; ' if semicolon else ''}{marker.strip()}"


def _absolute(text: str, folder: str, *, certainly: bool = False) -> str:
    if "://" in text or text.startswith(("file:", "git+")):
        return text
    path, space, marker = text.partition(" ;")
    looks_so = path.startswith((".", "~", os.sep)) or os.sep in path or _is_archive(path)
    if not (certainly or looks_so):
        return text
    return os.path.abspath(os.path.join(folder, os.path.expanduser(path))) + space + marker


def _is_archive(text: str) -> bool:
    return text.lower().endswith(_ARCHIVES)
