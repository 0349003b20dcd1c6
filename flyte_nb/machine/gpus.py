"""The GPUs of this machine, as NVIDIA's driver tells them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass

__all__ = ["Gpu", "suits", "visible_gpus"]

# Where the driver hangs, nothing else can be told of GPUs either.
_PATIENCE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU.

    Attributes:
        index: What CUDA_VISIBLE_DEVICES takes; CUDA counts as the driver does where CUDA_DEVICE_ORDER is PCI_BUS_ID.
        model: As the driver names it: "NVIDIA A100-SXM4-80GB".
    """

    index: str
    model: str


def visible_gpus() -> tuple[Gpu, ...]:
    """Return the GPUs that this process may use; none where there is no driver, or it does not answer in time."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    command = [program, "--query-gpu=index,uuid,name", "--format=csv,noheader"]
    try:
        done = subprocess.run(  # noqa: S603 - the driver's own program
            command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=True, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ()
    rows = [tuple(field.strip() for field in line.split(",", 2)) for line in done.stdout.splitlines()]
    return _visible([row for row in rows if len(row) == 3], os.environ.get("CUDA_VISIBLE_DEVICES"))


def _visible(rows: list[tuple[str, ...]], chosen: str | None) -> tuple[Gpu, ...]:
    """Return the GPUs of `rows` (index, id, model) that CUDA_VISIBLE_DEVICES has `chosen`; without it, all."""
    if chosen is None:
        return tuple(Gpu(index, model) for index, _, model in rows)
    found: dict[str, Gpu] = {}
    for entry in map(str.strip, chosen.split(",")):
        match = [
            row for row in rows if entry and (entry == row[0] or (entry[:4] == "GPU-" and row[1].startswith(entry)))
        ]
        if not match:  # CUDA, too, ignores what follows an entry that means nothing
            break
        index, _, model = match[0]
        found[index] = Gpu(index, model)
    return tuple(found.values())


def suits(gpu: Gpu, model: str) -> bool:
    """Say whether a GPU is of a model as Flyte names it ("A100", "A100_80G"); all suit where it is empty."""
    return _words(model.removesuffix(" shared")) <= _words(gpu.model)


def _words(model: str) -> set[str]:
    """Return the parts of the name of a model: an "A100-SXM4-80GB" is an A100 and has 80G."""
    return {re.sub(r"^([0-9]+G)B$", r"\1", word) for word in re.findall(r"[A-Z0-9]+", model.upper())}
