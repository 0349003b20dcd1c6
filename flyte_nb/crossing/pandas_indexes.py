"""Indexes of pandas: their values as columns, with names, frequencies and levels."""

from __future__ import annotations

from typing import Any

from flyte_nb.crossing import installed
from flyte_nb.crossing.pandas_columns import column, column_facts
from flyte_nb.crossing.pandas_times import offset, offset_facts

__all__ = ["index", "is_index", "reduced_index"]


def is_index(pandas: Any, kind: type) -> bool:
    """Say whether a class is one of pandas' own indexes."""
    return issubclass(kind, pandas.Index) and kind.__module__.partition(".")[0] == "pandas"


def reduced_index(value: Any) -> tuple[Any, ...]:
    """Return how an index is made again."""
    pandas = installed.pandas()
    names = list(value.names)
    if isinstance(value, pandas.RangeIndex):
        return index, ("range", names, value.start, value.stop, value.step)
    if isinstance(value, pandas.MultiIndex):
        codes = [getattr(each, "to_numpy", lambda each=each: each)() for each in value.codes]
        return index, ("levels", names, list(value.levels), codes)
    facts = offset_facts(getattr(value, "freq", None)) if not isinstance(value, pandas.PeriodIndex) else None
    return index, ("values", names, column_facts(value.array), facts)


def index(form: str, names: list[Any], *facts: Any) -> Any:
    """Return an index."""
    pandas = installed.pandas()
    if form == "range":
        return pandas.RangeIndex(*facts, name=names[0])
    if form == "levels":
        levels, codes = facts
        return pandas.MultiIndex(levels=levels, codes=codes, names=names, verify_integrity=False)
    values, frequency = facts
    return _of_values(pandas, column(values), names[0], frequency)


def _of_values(pandas: Any, values: Any, name: Any, frequency: Any) -> Any:
    if values.dtype == object:
        return pandas.Index(values, dtype=object, name=name, copy=False, tupleize_cols=False)
    made = pandas.Index(values, name=name, copy=False)
    if frequency is not None:
        made.freq = offset(frequency)
    return made
