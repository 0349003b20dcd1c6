"""What the benchmarks share: a run that is timed at one size and at half of it, and Flyte's SDK in its own process."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.notebook import Notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROUNDS = 3


@pytest.fixture
def growth(benchmark: Any, capsys: pytest.CaptureFixture[str]) -> Callable[..., float]:
    """Return a function that tells how many times longer `operation` takes at twice the size: 2 if it is linear.

    It takes `prepare(size)`, what is done first and not timed; `operation()`; and the larger size.
    """

    def measure(prepare: Callable[[int], None], operation: Callable[[], object], size: int) -> float:
        halves = []
        for _ in range(ROUNDS):
            prepare(size // 2)
            gc.collect()
            begun = perf_counter()
            operation()
            halves.append(perf_counter() - begun)

        def setup() -> None:
            prepare(size)
            gc.collect()

        benchmark.pedantic(operation, setup=setup, rounds=ROUNDS)
        full = benchmark.stats.stats.min
        ratio = full / min(halves)
        benchmark.extra_info.update(size=size, ratio=round(ratio, 2))
        with capsys.disabled():
            told = f"{min(halves):.3f} s at {size // 2:,}, {full:.3f} s at {size:,}, ratio {ratio:.2f}"
            print(f"\n{benchmark.name}: {told}")
        return float(ratio)

    return measure


@pytest.fixture
def fresh_kernel(tmp_path: Path) -> Iterator[Notebook]:
    """A real kernel with a home of its own, in which nothing has run."""
    home = {"FLYTE_NB_HOME": str(tmp_path / "home"), "IPYTHONDIR": str(tmp_path / "ipython")}
    notebook = Notebook(tmp_path, {**os.environ, **home})
    try:
        yield notebook
    finally:
        notebook.close()


@pytest.fixture
def flyte_process(tmp_path: Path) -> Callable[[str], Any]:
    """Return a function that runs statements in a process with Flyte's SDK and returns the JSON they print."""
    if find_spec("flyte") is None:
        pytest.skip("Flyte's SDK is not installed: pip install 'flyte_nb[bench]'")
    # The SDK reports to its makers and writes to the home folder unless it is told otherwise. Compiled code is kept
    # apart, so that both are compiled by their first process and by no other.
    private = {**os.environ, "DO_NOT_TRACK": "1", "HOME": str(tmp_path), "PYTHONPYCACHEPREFIX": str(tmp_path / "pyc")}
    private.pop("PYTHONDONTWRITEBYTECODE", None)

    def run(statements: str) -> Any:
        command = [sys.executable, "-c", statements]
        done = subprocess.run(command, env=private, cwd=tmp_path, check=True, capture_output=True, text=True)
        return json.loads(done.stdout or "null")

    return run
