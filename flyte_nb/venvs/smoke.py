"""Tells what is installed in an environment, and imports what was asked for. Run in it: `python -I smoke.py REPORT`.

Standard input has the names of the distributions that were asked for, in lower case with "-". Each line of the report
is a JSON list: ["installed", NAME, VERSION], ["importing", MODULE], ["imported", MODULE], or ["failed", MODULE, KINDS,
TEXT], where KINDS are the classes of the exception. If the last is "importing", the process has died of it.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from importlib.metadata import distributions
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from importlib.metadata import Distribution

_MODULE = re.compile(r"([^/]+?)(?:\.[^/]*)?\.(?:py|so|pyd)")
# Distributions bring them along by mistake.
_NOT_MEANT = frozenset({"benchmark", "benchmarks", "conftest", "doc", "docs", "example", "examples", "scripts", "setup",
                        "test", "testing", "tests"})  # fmt: skip


def main(asked: Collection[str], report: TextIO) -> None:
    """Write the report; the distributions in `asked` were asked for."""

    def tell(*line: object) -> None:
        report.write(json.dumps(line) + "\n")
        report.flush()

    present = list(distributions())
    for distribution in present:
        tell("installed", distribution.metadata["Name"], distribution.version)
    for distribution in present:
        # Installers write the file if it was asked for by where it is, and not by its name: PEP 610.
        if _plain(distribution.metadata["Name"]) in asked or distribution.read_text("direct_url.json"):
            for module in modules_of(distribution):
                _try_to_import(module, tell)


def modules_of(distribution: Distribution) -> list[str]:
    """Return the modules of a distribution to import: the one that is called as it is, or else all at the top."""
    files = [str(file).replace("\\", "/") for file in distribution.files or ()]
    tops = sorted(filter(_is_meant, {*_packages(files), *_single_modules(files)} or _told(distribution)))
    wanted = _plain(distribution.metadata["Name"])
    return [top for top in tops if _plain(top) == wanted] or tops


def _packages(files: Iterable[str]) -> set[str]:
    """Return the packages that are in no other; around them may be folders that several distributions share."""
    folders = {file.removesuffix("/__init__.py") for file in files if file.endswith("/__init__.py")}
    return {folder.replace("/", ".") for folder in folders if folder.rpartition("/")[0] not in folders}


def _single_modules(files: Iterable[str]) -> set[str]:
    return {found[1] for file in files if (found := _MODULE.fullmatch(file))}


def _told(distribution: Distribution) -> set[str]:
    """Return what a distribution says itself: one that is used where its source is has no other files."""
    return set((distribution.read_text("top_level.txt") or "").split())


def _is_meant(module: str) -> bool:
    top = module.partition(".")[0]
    return module.replace(".", "").isidentifier() and not top.startswith("_") and top not in _NOT_MEANT


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _try_to_import(module: str, tell: Callable[..., None]) -> None:
    tell("importing", module)
    try:
        importlib.import_module(module)
    except BaseException as error:  # noqa: BLE001 - packages are the code of others, and may even want to exit
        tell("failed", module, [kind.__name__ for kind in type(error).__mro__], f"{type(error).__name__}: {error}")
    else:
        tell("imported", module)


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as report:
        main(set(sys.stdin.read().split()), report)
