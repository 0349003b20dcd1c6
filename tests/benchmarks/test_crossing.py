"""What it costs that values cross: large arrays beside copies in memory, and small values.

Not part of the default run:

    pytest -s -o addopts=--import-mode=importlib tests/benchmarks/test_crossing.py
"""

from __future__ import annotations

import gc
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from flyte_nb.crossing.packing import pack, pack_arguments, unpack
from tests.crossing.sides import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = 100_000_000  # bytes
ROUNDS = 9
SMALL_ROUNDS = 5_000
SMALL = [1, "train", [1, 2, 3], {"rate": 0.1, "epochs": 3, "layers": [64, 32], "name": "first"}]


def _timed(operation: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    seconds = []
    for _ in range(rounds):
        gc.collect()
        begun = perf_counter()
        operation()
        seconds.append(perf_counter() - begun)
    return seconds


def _crossed(array: Any) -> Any:
    """Return the array at the other end, after all of it was looked at."""
    parcel = pack(array, "the result of ml.train", NOWHERE)
    arrived = unpack(parcel, "the result of ml.train", NOWHERE)
    assert parcel.memory is not None
    parcel.memory.close()
    arrived.sum()
    return arrived


def test_a_large_array_there_and_back() -> None:
    """100 MB go there and back and are read at both ends, which is taken off, beside copying them twice."""
    array = np.random.default_rng(0).random(SIZE // 8)
    view = memoryview(array).cast("B")
    reading = median(_timed(array.sum))
    there_and_back = median(_timed(lambda: _crossed(_crossed(array)))) - 2 * reading
    by_numpy = median(_timed(lambda: array.copy().copy()))
    by_python = median(_timed(lambda: bytearray(bytearray(view))))
    packing = median(_timed(lambda: pack(array, "x", NOWHERE)))
    print(
        f"\n100 MB: packing {packing * 1e3:.1f} ms, there and back {there_and_back * 1e3:.1f} ms; copied twice by "
        f"numpy {by_numpy * 1e3:.1f} ms (ratio {there_and_back / by_numpy:.2f}), by Python {by_python * 1e3:.1f} ms "
        f"(ratio {there_and_back / by_python:.2f})"
    )


def test_small_values() -> None:
    """Small plain values are packed and opened in microseconds."""
    for value in SMALL:
        seconds = []
        for _ in range(SMALL_ROUNDS):
            begun = perf_counter()
            unpack(pack(value, "x", NOWHERE), "x", NOWHERE)
            seconds.append(perf_counter() - begun)
        print(f"\n{value!r}: {median(seconds) * 1e6:.1f} us", end="")
    seconds = []
    for _ in range(SMALL_ROUNDS):
        begun = perf_counter()
        unpack(pack_arguments("ml.train", ["config"], (SMALL[-1],), {}, NOWHERE), "x", NOWHERE)
        seconds.append(perf_counter() - begun)
    print(f"\narguments: {median(seconds) * 1e6:.1f} us")
    assert median(seconds) < 50e-6
