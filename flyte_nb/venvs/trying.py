"""Whether what was installed can be imported, and what is installed."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from flyte_nb.venvs.commands import finished
from flyte_nb.venvs.requirements import named
from flyte_nb.venvs.site import variables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flyte_nb.venvs.site import Site

__all__ = ["TIMEOUT_SECONDS", "try_imports"]

TIMEOUT_SECONDS = 120.0
_SMOKE = Path(__file__).with_name("smoke.py")
_REPORT = "flyte_nb.report"
_NUMPY_ABI = re.compile(
    r"numpy\.(?:dtype|ndarray|ufunc) size changed|numpy\.core\.multiarray failed to import|_ARRAY_API not found"
    r"|compiled (?:using|against) (?:NumPy|API|ABI|a)|numpy.*binary incompatib",
    re.IGNORECASE,
)
_NUMPY_ADVICE = 'It was made for an older numpy: add "numpy<2" to the packages.'
# They are wrong in every task. Others may come from what only the task provides: a file, a variable, a service.
_ALWAYS_WRONG = frozenset({"ImportError", "AttributeError", "SyntaxError"})
_HARDWARE = re.compile(
    r"cuda|cudnn|cublas|nvidia|nccl|\bgpus?\b|rocm|libhip|\btpu|libGL|libEGL|opengl|vulkan|display|\bx11|xcb|libX|libSM\b"
    r"|libICE",
    re.IGNORECASE,
)


class _Failure(NamedTuple):
    module: str
    kinds: Sequence[str]
    text: str

    @property
    def is_certain(self) -> bool:
        """Whether a task would fail too: on this machine, or on one that has what this one lacks."""
        if _NUMPY_ABI.search(self.text):
            return True
        return not _ALWAYS_WRONG.isdisjoint(self.kinds) and not _HARDWARE.search(self.text)


async def try_imports(site: Site) -> list[list[str]]:
    """Import what the packages of `site` bring, and return what is installed, as names and versions.

    What fails for want of a GPU or a display, and what only the circumstances of a task may provide, is a warning; so
    is an import that takes longer than `TIMEOUT_SECONDS`.

    Raises:
        VenvError: Something cannot be imported.
    """
    report = site.folder / _REPORT
    command = (site.python, "-I", _SMOKE, report)
    environment = {**variables(), "MPLBACKEND": "Agg"}
    trial = site.run(command, environment=environment, text="\n".join(named(site.spec.packages)))
    code = 0
    try:
        code = (await asyncio.wait_for(trial, TIMEOUT_SECONDS)).code
    except asyncio.TimeoutError:
        site.log(f"warning: importing what was installed takes longer than {TIMEOUT_SECONDS:g} s")
    lines = await finished(asyncio.to_thread(_read, report))
    _judge(site, lines, code)
    return sorted([line[1:] for line in lines if line[0] == "installed"])


def _read(report: Path) -> list[list[str]]:
    with report.open(encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    report.unlink()
    return lines


def _judge(site: Site, lines: list[list[str]], code: int) -> None:
    for failure in (_Failure(*line[1:]) for line in lines if line[0] == "failed"):
        told = " ".join(f"importing {failure.module} fails: {failure.text}".split())
        if failure.is_certain:
            raise site.error(f"{told[:200]} {_NUMPY_ADVICE}" if _NUMPY_ABI.search(failure.text) else told)
        site.log(f"warning: {told}")
    if code and lines and lines[-1][0] == "importing":
        raise site.error(f"importing {lines[-1][1]} ends the process: exit code {code}")
