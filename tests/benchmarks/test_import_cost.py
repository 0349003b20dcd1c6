"""What `import flyte_nb` costs beside `import flyte`, as whole processes in turn.

Not part of the default run:

    pytest -o addopts=--import-mode=importlib tests/benchmarks
"""

from __future__ import annotations

from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

TURNS = 15


def test_import_costs_less_than_half_of_flytes(
    flyte_process: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """A process that imports flyte_nb takes less than half as long as one that imports flyte."""
    seconds: dict[str, list[float]] = {"flyte": [], "flyte_nb": []}
    for turn in range(TURNS + 1):
        for module, measured in seconds.items():
            begun = perf_counter()
            flyte_process(f"import {module}")
            if turn:  # the first one compiles
                measured.append(perf_counter() - begun)
    ratio = median(seconds["flyte_nb"]) / median(seconds["flyte"])
    with capsys.disabled():
        told = ", ".join(f"{module} {median(measured):.3f} s" for module, measured in seconds.items())
        print(f"\nimport: {told}, ratio {ratio:.2f}")
    assert ratio < 0.5
