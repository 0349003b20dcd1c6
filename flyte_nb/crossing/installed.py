"""Libraries that values are of, imported when one arrives: an environment has those that its image names."""

from __future__ import annotations

from typing import Any

__all__ = ["numpy", "pandas", "polars", "pyarrow"]


def numpy() -> Any:
    """Return numpy, or raise ImportError."""
    import numpy

    return numpy


def pandas() -> Any:
    """Return pandas, or raise ImportError."""
    import pandas  # type: ignore[import-untyped]

    return pandas


def polars() -> Any:
    """Return polars, or raise ImportError."""
    import polars

    return polars


def pyarrow() -> Any:
    """Return pyarrow with its module for files, or raise ImportError."""
    import pyarrow  # type: ignore[import-untyped]
    import pyarrow.ipc  # type: ignore[import-untyped]

    return pyarrow
