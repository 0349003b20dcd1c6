"""Where pip finds packages on this machine, told to uv, which does not read it: companies name their mirrors there.

The files and their order are those of https://pip.pypa.io/en/stable/topics/configuration, the variables of uv those of
https://docs.astral.sh/uv/reference/environment.
"""

from __future__ import annotations

import configparser
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["options_for_uv", "variables_for_uv"]

# The option of pip; the variables of uv that say it, the first of which is set; and what is between several values.
_HANDED_OVER = (
    ("index-url", ("UV_INDEX_URL", "UV_DEFAULT_INDEX"), ""),
    ("extra-index-url", ("UV_EXTRA_INDEX_URL", "UV_INDEX"), " "),
    ("find-links", ("UV_FIND_LINKS",), ","),
    ("cert", ("SSL_CERT_FILE",), ""),
    ("client-cert", ("SSL_CLIENT_CERT",), ""),
    ("trusted-host", ("UV_INSECURE_HOST",), " "),
    ("timeout", ("UV_HTTP_TIMEOUT",), ""),
    ("proxy", ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"), ""),
    ("proxy", ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), ""),
)
_YES = ("1", "true", "yes", "on", "y", "t")
_SECTIONS = ("global", "install")


def variables_for_uv(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that tell uv what pip is configured with; what uv is told already stays.

    Args:
        environment: The environment variables that there are; pip's and uv's are among them.
    """
    settings = _settings(environment)
    told: dict[str, str] = {}
    for option, names, between in _HANDED_OVER:
        if option in settings and not any(name in environment for name in names):
            value = settings[option]
            told[names[0]] = between.join(value.split()) if between else value
    if "UV_EXTRA_INDEX_URL" in told and "UV_INDEX_STRATEGY" not in environment:
        # pip takes the best version of all indexes, uv those of the first that has any.
        told["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return told


def options_for_uv(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return what else uv must be told: for that it has no environment variables in all its versions."""
    said = _settings(environment).get("no-index", "").lower()
    return ("--no-index",) if said in _YES else ()


def _settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return pip's settings by the names of its options; later files and then variables win."""
    settings: dict[str, str] = {}
    for file in _files(environment):
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError, OSError):
            continue  # pip would complain; nothing can be told from it
        for section in _SECTIONS:
            if parser.has_section(section):
                settings.update({_option(name): value for name, value in parser.items(section)})
    for name, value in environment.items():
        if name.startswith("PIP_") and value:
            settings[_option(name.removeprefix("PIP_"))] = value
    return settings


def _option(name: str) -> str:
    return name.lower().replace("_", "-").removeprefix("--")


def _files(environment: Mapping[str, str]) -> Iterator[Path]:
    chosen = environment.get("PIP_CONFIG_FILE", "")
    if chosen == os.devnull:
        return  # pip reads none at all then
    name = "pip.ini" if os.name == "nt" else "pip.conf"
    home = Path.home()
    if sys.platform == "darwin":
        yield Path("/Library/Application Support/pip", name)
    elif os.name == "nt":
        yield Path(environment.get("PROGRAMDATA", "C:/ProgramData"), "pip", name)
    else:
        for folder in environment.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":"):
            yield Path(folder, "pip", name)
        yield Path("/etc", name)
    if not (chosen and Path(chosen).is_file()):
        yield home / ("pip" if os.name == "nt" else ".pip") / name
        if os.name == "nt":
            yield Path(environment.get("APPDATA", home), "pip", name)
        else:
            yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config", "pip", name)
            yield home / "Library" / "Application Support" / "pip" / name
    yield Path(sys.prefix, name)
    if chosen:
        yield Path(chosen)
