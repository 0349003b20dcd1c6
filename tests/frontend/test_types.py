"""The front end's types, which are in its comments, hold together."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import flyte_nb.view.widgets

_HERE, _PARTS = Path(__file__).parent, Path(flyte_nb.view.widgets.__file__).parent
_PROBLEM = re.compile(r"composed/(\w+)\.js\((\d+),\d+\): (error .*)")
_LONGEST = 350


def _origin(module: str, number: int) -> str:
    """Return the file and the line that line `number` of a composed module comes from."""
    for part in _PARTS.glob("*.js"):
        text = part.read_text(encoding="utf-8")
        before, found, _ = module.partition(text)
        first = before.count("\n") + 1
        if found and first <= number < first + text.count("\n"):
            return f"{part.name}:{number - first + 1}"
    return f"line {number}"


def test_what_python_composes_has_no_type_errors(node_packages, composed, modules):
    """TypeScript's compiler, strict, finds nothing in the modules that browsers get."""
    compiler = [node_packages.node, node_packages.folder / "typescript" / "bin" / "tsc", "-p", _HERE]
    told = subprocess.run(compiler, capture_output=True, text=True, timeout=300)
    found = {f"{_origin(modules[name], int(at))}: {what}" for name, at, what in _PROBLEM.findall(told.stdout)}
    assert told.stdout == "" or found, told.stdout + told.stderr
    assert not found, "\n".join(sorted(found))


def test_the_parts_stay_small():
    """Each file of the front end can be read at a sitting."""
    lengths = {part.name: part.read_text().count("\n") for part in _PARTS.iterdir() if part.suffix in (".js", ".css")}
    assert {name: length for name, length in lengths.items() if length > _LONGEST} == {}
