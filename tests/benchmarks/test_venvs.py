"""How long virtual environments take: several at once, and one of which everything was downloaded before.

Not part of the default run:

    pytest -o addopts=--import-mode=importlib tests/benchmarks/test_venvs.py
"""

from __future__ import annotations

import asyncio
import subprocess
from time import perf_counter
from typing import TYPE_CHECKING

from flyte_nb.venvs.venvs import Venvs
from tests.venvs.conftest import spec_of
from tests.venvs.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from flyte_nb.venvs.specification import VenvSpec

# Seconds that importing each takes, which is waiting: what is measured is whether they wait for each other.
IMPORT_SECONDS = 1.0
PACKAGES = ("six==1.16.0", "six==1.17.0", "tomli", "attrs")
AT_ONCE = 2  # times faster at least, on a machine that does nothing else
WARM_SECONDS = 2.0


def build(venvs: Venvs, *specs: VenvSpec) -> float:
    """Return how many seconds building `specs` at once takes."""

    async def building() -> None:
        await asyncio.gather(*(venvs.ensure(spec, lambda line: None) for spec in specs))

    begun = perf_counter()
    asyncio.run(building())
    return perf_counter() - begun


def test_four_are_built_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It takes hardly longer than one, as far as there are cores, and less than half of one after the other."""
    slow = [
        str(
            make_wheel(
                tmp_path, f"alpha{number}", files={f"alpha{number}.py": f"import time; time.sleep({IMPORT_SECONDS})"}
            )
        )
        for number in range(4)
    ]
    specs = [spec_of(*pair) for pair in zip(slow, PACKAGES, strict=True)]
    build(Venvs(tmp_path / "warm"), *specs)  # everything is downloaded
    one_by_one = sum(build(Venvs(tmp_path / "one by one"), spec) for spec in specs)
    at_once = build(Venvs(tmp_path / "at once"), *specs)
    with capsys.disabled():
        print(
            f"\nfour environments: {one_by_one:.2f} s one by one, {at_once:.2f} s at once: {one_by_one / at_once:.1f}x"
        )
    assert one_by_one / at_once > AT_ONCE


def test_a_second_environment_is_there_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With packages that were downloaded before, from nothing to an interpreter that has imported them."""
    build(Venvs(tmp_path / "first"), spec_of("attrs", "tomli"))
    second, spec = Venvs(tmp_path / "second"), spec_of("tomli", "attrs", "six")
    begun = perf_counter()
    build(second, spec)
    python = second.find(spec)
    assert python
    subprocess.run([python, "-I", "-c", "import attrs, six, tomli"], check=True)
    took = perf_counter() - begun
    found = min(build(second, spec) for _ in range(20))
    with capsys.disabled():
        print(f"\nsecond environment: {took:.2f} s to its first import; found again in {found * 1e6:.0f} us")
    assert took < WARM_SECONDS
