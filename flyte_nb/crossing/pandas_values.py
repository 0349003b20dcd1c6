"""Frames, series, indexes and scalars of pandas, whatever version made them and whatever will read them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from flyte_nb.crossing import installed
from flyte_nb.crossing.pandas_columns import column, column_facts, is_of_numpy
from flyte_nb.crossing.pandas_indexes import is_index, reduced_index
from flyte_nb.crossing.pandas_times import offset, offset_facts, zone, zone_facts

if TYPE_CHECKING:
    from collections.abc import Callable

    Rule = Callable[[Any], tuple[Any, ...]]

__all__ = ["rule_for"]


def rule_for(kind: Any) -> Rule | None:
    """Return the rule for values of `kind`, or None if they are not of pandas' own classes."""
    pandas: Any = sys.modules.get("pandas")
    if kind.__module__.partition(".")[0] != "pandas" or pandas is None or not hasattr(pandas, "offsets"):
        return None
    exact: dict[Any, Rule] = {
        pandas.DataFrame: reduced_frame,
        pandas.Series: reduced_series,
        pandas.Timestamp: reduced_time,
        pandas.Timedelta: reduced_difference,
        pandas.Period: reduced_period,
        pandas.Interval: reduced_interval,
        type(pandas.NaT): reduced_missing,
        type(pandas.NA): reduced_missing,
    }
    if kind in exact:
        return exact[kind]
    if is_index(pandas, kind):
        return reduced_index
    if issubclass(kind, pandas.api.extensions.ExtensionArray):
        return reduced_column
    if issubclass(kind, pandas.api.extensions.ExtensionDtype):
        return reduced_type
    if issubclass(kind, pandas.offsets.BaseOffset):
        return reduced_offset
    return None


def reduced_frame(value: Any) -> tuple[Any, ...]:
    """Return how a frame is put together again."""
    rest = _labels(value)
    if _is_one_block(value):
        return frame_of_block, (value.to_numpy(), value.index, value.columns, rest)
    columns = [column_facts(value.iloc[:, number].array) for number in range(value.shape[1])]
    return frame_of_columns, (columns, value.index, value.columns, rest)


def _is_one_block(value: Any) -> bool:
    """Say whether all columns are of one plain type, so that they may lie in memory as one array."""
    types = set(value.dtypes)
    only: Any = types.pop() if types else None
    return not types and is_of_numpy(only) and only.kind in "iufbc"


def _labels(value: Any) -> tuple[dict[Any, Any], bool]:
    return dict(value.attrs), bool(value.flags.allows_duplicate_labels)


def frame_of_block(values: Any, index: Any, columns: Any, rest: Any) -> Any:
    """Return a frame on an array, which is not copied."""
    made = installed.pandas().DataFrame(values, index=index, columns=columns, copy=False)
    return _labelled(made, rest)


def frame_of_columns(facts: list[Any], index: Any, columns: Any, rest: Any) -> Any:
    """Return a frame of columns, whose names may be there twice."""
    content = {number: _series(column(each), index) for number, each in enumerate(facts)}
    made = installed.pandas().DataFrame(content, index=index, copy=False)
    made.columns = columns
    return _labelled(made, rest)


def _series(values: Any, index: Any, name: Any = None) -> Any:
    # Of objects pandas 3 would make text.
    dtype = object if values.dtype == object else None
    return installed.pandas().Series(values, index=index, name=name, dtype=dtype, copy=False)


def _labelled(made: Any, rest: tuple[dict[Any, Any], bool]) -> Any:
    attrs, allows_duplicates = rest
    if attrs:
        made.attrs = attrs
    if not allows_duplicates:
        made.flags.allows_duplicate_labels = False
    return made


def reduced_series(value: Any) -> tuple[Any, ...]:
    """Return how a series is put together again."""
    return series, (column_facts(value.array), value.index, value.name, _labels(value))


def series(facts: tuple[Any, ...], index: Any, name: Any, rest: Any) -> Any:
    """Return a series."""
    return _labelled(_series(column(facts), index, name), rest)


def reduced_column(value: Any) -> tuple[Any, ...]:
    """Return how an array of pandas is made again."""
    return array, (column_facts(value),)


def array(facts: tuple[Any, ...]) -> Any:
    """Return an array of pandas."""
    values = column(facts)
    return installed.pandas().Series(values, dtype=values.dtype, copy=False).array


def reduced_type(value: Any) -> tuple[Any, ...]:
    """Return how the type of a column is found again: it is that of an empty one."""
    empty = installed.pandas().Series([], dtype=value)
    return dtype_of, (column_facts(empty.array),)


def dtype_of(facts: tuple[Any, ...]) -> Any:
    """Return the type of a column."""
    return column(facts).dtype


def reduced_time(value: Any) -> tuple[Any, ...]:
    """Return how a Timestamp is made again."""
    return time, (value.to_datetime64(), zone_facts(value.tz))


def time(moment: Any, facts: Any) -> Any:
    """Return a Timestamp."""
    made = installed.pandas().Timestamp(moment)
    return made if facts is None else made.tz_localize("UTC").tz_convert(zone(facts))


def reduced_difference(value: Any) -> tuple[Any, ...]:
    """Return how a Timedelta is made again."""
    return difference, (value.to_timedelta64(),)


def difference(length: Any) -> Any:
    """Return a Timedelta."""
    return installed.pandas().Timedelta(length)


def reduced_period(value: Any) -> tuple[Any, ...]:
    """Return how a Period is made again."""
    return period, (value.ordinal, offset_facts(value.freq))


def period(ordinal: int, facts: Any) -> Any:
    """Return a Period."""
    return installed.pandas().Period(ordinal=ordinal, freq=offset(facts))


def reduced_interval(value: Any) -> tuple[Any, ...]:
    """Return how an Interval is made again."""
    return interval, (value.left, value.right, value.closed)


def interval(left: Any, right: Any, closed: str) -> Any:
    """Return an Interval."""
    return installed.pandas().Interval(left, right, closed)


def reduced_missing(value: Any) -> tuple[Any, ...]:
    """Return how NaT or NA is found again."""
    return missing, ("NaT" if value is installed.pandas().NaT else "NA",)


def missing(name: str) -> Any:
    """Return NaT or NA."""
    return getattr(installed.pandas(), name)


def reduced_offset(value: Any) -> tuple[Any, ...]:
    """Return how an offset is made again."""
    return offset, (offset_facts(value),)
