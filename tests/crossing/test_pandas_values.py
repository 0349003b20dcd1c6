"""Frames, series, indexes and scalars of pandas arrive as they were sent."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import pandas as pdst

from flyte_nb.crossing.packing import pack
from flyte_nb.errors import CannotCrossError
from tests.crossing.sides import NOWHERE, crossed

LATER = int(pd.__version__.partition(".")[0]) >= 2


def columns() -> dict[str, Any]:
    """Return a column of every type that this pandas has."""
    made: dict[str, Any] = {
        "whole": [1, 2, 3],
        "small": np.array([1, 2, 3], "int8"),
        "fraction": [1.5, np.nan, 2.0],
        "truth": [True, False, True],
        "complex": [1j, 2j, 3j],
        "text": ["a", None, "b"],
        "objects": pd.Series([{1: 2}, [1], None], dtype=object),
        "category": pd.Categorical(["x", "y", None], categories=["y", "x"], ordered=True),
        "time": pd.to_datetime(["2020-01-01", None, "2021-01-01"]),
        "berlin": pd.date_range("2020", periods=3, tz="Europe/Berlin"),
        "utc": pd.date_range("2020", periods=3, tz="UTC"),
        "offset": pd.to_datetime(["2020-01-01T00:00+02:00"] * 3),
        "difference": pd.to_timedelta([1, 2, None], unit="h"),
        "period": pd.period_range("2020", periods=3, freq="M"),
        "quarter": pd.PeriodIndex(["2020Q1", None, "2021Q3"], freq="Q"),
        "interval": pd.interval_range(0, 3),
        "Int64": pd.array([1, None, 3], dtype="Int64"),
        "UInt8": pd.array([1, None, 3], dtype="UInt8"),
        "Float32": pd.array([1, None, 3], dtype="Float32"),
        "boolean": pd.array([True, None, False], dtype="boolean"),
        "string": pd.array(["a", None, "c"], dtype="string"),
        "sparse": pd.arrays.SparseArray([0, 0, 1]),
        "sparse fraction": pd.arrays.SparseArray([np.nan, 1.0, np.nan]),
    }
    if find_spec("pyarrow"):
        made["arrow"] = pd.array([1, None, 3], dtype="int64[pyarrow]")
        made["arrow text"] = pd.array(["a", None, "c"], dtype="string[pyarrow]")
    return made


COLUMNS = columns()


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_of_every_type_arrive_as_they_were_sent(name: str) -> None:
    """A series, the array behind it and its type are the same."""
    sent = pd.Series(COLUMNS[name], name=name)
    arrived = crossed(sent)
    pd.testing.assert_series_equal(arrived, sent)
    array = crossed(sent.array)
    assert type(array) is type(sent.array)
    assert array.dtype == sent.array.dtype
    assert crossed(sent.dtype) == sent.dtype


def test_a_frame_of_all_types_arrives_as_it_was_sent() -> None:
    """So do its attributes, and whether it may have a name twice."""
    sent = pd.DataFrame(COLUMNS)
    sent.attrs["source"] = "sensor"
    sent.flags.allows_duplicate_labels = False
    arrived = crossed(sent)
    pd.testing.assert_frame_equal(arrived, sent)
    assert arrived.attrs == {"source": "sensor"}
    assert not arrived.flags.allows_duplicate_labels


INDEXES = [
    pd.RangeIndex(1, 7, 3, name="a"), pd.Index([1, 2]), pd.Index([1.5]), pd.Index(["a", "b"]),
    pd.Index([], dtype=object),
    pd.Index([(1, 2), (3, 4)], tupleize_cols=False), pd.Index([True, False]), pd.DatetimeIndex(["2020", None]),
    pd.MultiIndex.from_product([[1, 2], ["a", "b"]], names=["x", None]),
    pd.MultiIndex.from_tuples([(1, None), (2, "b")]),
    pd.date_range("2020", periods=3, freq="MS"), pd.date_range("2020", periods=3, freq="D", tz="Europe/Berlin"),
    pd.date_range("2020", periods=30, freq=pd.offsets.CustomBusinessDay(holidays=["2020-01-06"])),
    pd.timedelta_range(0, periods=3, freq="D"), pd.period_range("2020", periods=3, freq="Q"),
    pd.interval_range(0, 3), pd.CategoricalIndex(["a", "b"], ordered=True), pd.Index([1, 2], dtype="Int64"),
]  # fmt: skip


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: f"{type(index).__name__} {index.dtype}")
def test_indexes_arrive_as_they_were_sent(index: Any) -> None:
    """Kind, values, names and frequency are the same, of rows and of columns."""
    pd.testing.assert_index_equal(crossed(index), index, exact=True)
    assert getattr(crossed(index), "freq", None) == getattr(index, "freq", None)
    frame = pd.Series(range(len(index)), index=index).to_frame("a")
    pd.testing.assert_frame_equal(crossed(frame), frame)
    pd.testing.assert_frame_equal(crossed(frame.T), frame.T)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(), pd.DataFrame(index=[1, 2]), pd.DataFrame(columns=["a"]), pd.DataFrame({"a": []}),
        pd.DataFrame([[1, 2.0], [3, 4.0]], columns=["a", "a"]), pd.DataFrame(np.zeros((2, 3)), columns=[1, "b", None]),
    ],
    ids=["nothing", "rows only", "columns only", "empty column", "a name twice", "names of all kinds"],
)  # fmt: skip
def test_odd_frames_arrive_as_they_were_sent(frame: Any) -> None:
    """Frames without rows or columns, and with any names, are no exception."""
    pd.testing.assert_frame_equal(crossed(frame), frame)


@given(
    pdst.data_frames(
        [
            pdst.column("a", dtype=np.dtype("int64")),
            pdst.column("b", dtype=np.dtype("float32")),
            pdst.column("c", elements=st.text(max_size=5), dtype=object),
            pdst.column("d", dtype=np.dtype("M8[ns]")),
        ]
    )
)
def test_frames_arrive_as_they_were_sent(frame: Any) -> None:
    """Any frame of numbers, text and times arrives equal."""
    pd.testing.assert_frame_equal(crossed(frame), frame)


def test_large_frames_of_numbers_lie_in_shared_memory() -> None:
    """They are not part of the payload, and what is written to them stays here."""
    sent = pd.DataFrame(np.zeros((100_000, 3)), columns=list("abc"))
    parcel = pack(sent, "x", NOWHERE)
    assert len(parcel.payload) < 5000
    arrived = crossed(sent)
    arrived.iloc[0, 0] = 7
    assert arrived.iloc[0, 0] == 7
    assert sent.iloc[0, 0] == 0


SCALARS = [
    pd.Timestamp("2020"), pd.Timestamp("2020", tz="Europe/Berlin"), pd.Timestamp("2020-01-01T00:00+02:00"),
    pd.Timestamp("2020-10-25 00:30", tz="UTC").tz_convert("Europe/Berlin"), pd.Timedelta("1h"),
    pd.Period("2020-01", "M"),
    pd.Period("2020Q1"), pd.Interval(0, 1), pd.Interval(pd.Timestamp("2020"), pd.Timestamp("2021"), closed="both"),
    pd.offsets.MonthEnd(2), pd.offsets.Hour(3), pd.offsets.Week(weekday=2), pd.DateOffset(months=1),
    pd.offsets.BusinessHour(start="10:00"),
]  # fmt: skip


@pytest.mark.parametrize("scalar", SCALARS, ids=repr)
def test_scalars_arrive_as_they_were_sent(scalar: Any) -> None:
    """A scalar arrives equal and of its type."""
    arrived = crossed(scalar)
    assert arrived == scalar
    assert type(arrived) is type(scalar)
    assert getattr(arrived, "fold", 0) == getattr(scalar, "fold", 0)


def test_what_is_missing_stays_what_it_is() -> None:
    """NaT and NA are the only ones of their kind."""
    arrived = crossed([pd.NaT, pd.NA])
    assert arrived[0] is pd.NaT
    assert arrived[1] is pd.NA


@pytest.mark.skipif(not LATER, reason="pandas has other units than nanoseconds since version 2")
def test_units_of_times_are_kept() -> None:
    """Times too far off for nanoseconds keep their unit."""
    sent = pd.Series(np.array(["3000-01-01"], "M8[s]"))
    pd.testing.assert_series_equal(crossed(sent), sent)
    assert crossed(sent[0]).unit == "s"


def test_nothing_of_pandas_itself_is_pickled() -> None:
    """A payload with frames names functions of flyte_nb only, so any version of pandas can be on the other side."""
    plain = {name: column for name, column in COLUMNS.items() if name != "objects"}
    for value in (pd.DataFrame(plain), *INDEXES, *SCALARS, pd.NaT, pd.NA):
        payload = pack(value, "x", NOWHERE).payload
        assert b"pandas._" not in payload
        assert b"pandas.core" not in payload


def test_parts_that_cannot_cross_are_found() -> None:
    """Objects in a column cross one by one, and what cannot is refused by its place."""
    with pytest.raises(CannotCrossError, match=r"at \['a'\]\.iloc\[1\] \(_thread\.lock\)"):
        crossed(pd.DataFrame({"a": [1, threading.Lock()]}))
