"""Arrays and frames are hashed by what they hold, however they were built and lie in memory."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_nb.execution.caching.definitions import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBERS = np.arange(12, dtype="int64")
RECORDS = np.array([(1, 2.0), (3, 4.0)], dtype=[("a", "i4"), ("b", "f8")])


def copied(value: Any) -> Any:
    """Return a value that shares nothing with `value`."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - its own


def different(values: list[Any]) -> None:
    """Check that no two values have one digest."""
    digests: dict[bytes, Any] = {}
    for value in values:
        digest = digest_of(value)
        assert digest not in digests, (value, digests[digest])
        digests[digest] = value


def test_arrays_differ_by_type_shape_and_elements() -> None:
    """So do scalars, from arrays and from Python's own numbers."""
    different([
        NUMBERS, NUMBERS + 1, NUMBERS.astype("int32"), NUMBERS.astype(">i8"), NUMBERS.astype("uint64"),
        NUMBERS.astype("float64"), NUMBERS.reshape(3, 4), NUMBERS.reshape(4, 3), NUMBERS.reshape(4, 3).T,
        NUMBERS[::2], NUMBERS[:0], NUMBERS[:0].reshape(0, 3), NUMBERS.tolist(), np.array(1), np.int64(1), np.int32(1),
        1, np.float64(1), 1.0, np.bool_(True), True, np.array([1]), np.array(["a", "b"]), np.array(["a", "c"]),
        np.array(["a", "b"], dtype=object), np.array([b"a", b"b"]), np.array([None, "a"], dtype=object),
        np.array(["2024-01-01"], "M8[D]"), np.array(["2024-01-01"], "M8[s]"), np.datetime64("2024-01-01"),
        np.timedelta64(1, "s"), RECORDS, RECORDS[0], RECORDS[::-1], np.ma.masked_array([1, 2], [True, False]),
        np.ma.masked_array([1, 2], [False, True]), np.dtype("f8"), np.dtype("f4"), np.float64, np.mean, np.add,
    ])  # fmt: skip


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.data())
def test_the_layout_of_an_array_makes_no_difference(shape: list[int], data: st.DataObject) -> None:
    """A view with any strides has the digest of its copy."""
    array = np.arange(np.prod(shape) * 2**12).reshape(*shape[:-1], -1)
    axes = data.draw(st.permutations(range(array.ndim)))
    steps = tuple(slice(None, None, data.draw(st.sampled_from([1, 2, -1, -3]))) for _ in axes)
    view = array.transpose(axes)[steps]
    assert digest_of(view) == digest_of(view.copy()) == digest_of(np.asfortranarray(view))


def test_arrays_of_objects_are_hashed_by_their_elements() -> None:
    """Not by the addresses of what they hold."""
    first = np.array([[1, "a"], [{"b": 2}, None]], dtype=object)
    second = copied(first)
    second[1, 0] = {"b": 2}
    assert digest_of(first) == digest_of(second)
    second[1, 0]["b"] = 3
    assert digest_of(first) != digest_of(second)


def test_what_lies_between_fields_does_not_count() -> None:
    """Records with gaps are equal when their fields are."""
    kind = np.dtype([("a", "i1"), ("b", "i8")], align=True)
    first, second = np.zeros(3, kind), np.frombuffer(bytearray(b"\xff" * 3 * kind.itemsize), kind)
    for name in ("a", "b"):
        second[name] = 0
    assert first.tobytes() != second.tobytes()
    assert digest_of(first) == digest_of(second)


def test_mapped_files_are_arrays(tmp_path: Any) -> None:
    """An array in a file is as good as one in memory."""
    mapped = np.memmap(tmp_path / "a", "int64", "w+", shape=(12,))
    mapped[:] = NUMBERS
    assert digest_of(mapped) == digest_of(NUMBERS)


def frame() -> pd.DataFrame:
    """Return a frame with columns of many types."""
    return pd.DataFrame({
        "whole": [1, 2, 3],
        "real": [0.5, np.nan, 2.5],
        "text": ["a", None, "c"],
        "kind": pd.Categorical(["x", "y", "x"]),
        "day": pd.to_datetime(["2024-01-01", None, "2024-03-01"]),
        "moment": pd.date_range("2024-01-01", periods=3, tz="Europe/Berlin"),
        "nullable": pd.array([1, None, 3], dtype="Int64"),
        "flag": pd.array([True, None, False], dtype="boolean"),
        "words": pd.array(["a", None, "c"], dtype="string"),
        "span": pd.to_timedelta([1, 2, 3], unit="s"),
        "month": pd.period_range("2024-01", periods=3, freq="M"),
        "range": pd.interval_range(0, 3),
        "sparse": pd.arrays.SparseArray([0, 0, 1]),
        "any": [[1], {"a": 1}, None],
    })  # fmt: skip


def _one_by_one() -> pd.DataFrame:
    whole, built = frame(), pd.DataFrame(index=frame().index)
    for name in whole.columns:
        built[name] = whole[name]
    return built


SAME_FRAME: list[Callable[[], pd.DataFrame]] = [
    frame,
    _one_by_one,
    lambda: frame().copy(),
    lambda: pd.concat([frame(), frame()], ignore_index=True).iloc[:3],
    lambda: pd.concat([frame().iloc[:, :4], frame().iloc[:, 4:]], axis=1),
    lambda: copied(frame()),
    lambda: frame().reindex([2, 1, 0]).sort_index(),
    lambda: frame().set_axis(pd.RangeIndex(3)),
]


@pytest.mark.parametrize("make", SAME_FRAME)
def test_how_a_frame_was_built_makes_no_difference(make: Callable[[], pd.DataFrame]) -> None:
    """Consolidated or not, sliced, copied or pickled: equal frames have one digest."""
    pd.testing.assert_frame_equal(make(), frame())
    assert digest_of(make()) == digest_of(frame())


@pytest.mark.parametrize("column", frame().columns)
def test_every_value_of_a_frame_counts(column: str) -> None:
    """Another value in any column is another frame."""
    other = frame()
    other[column] = other[column].iloc[[1, 0, 1]].array
    assert digest_of(other) != digest_of(frame())


def test_frames_differ_by_names_types_and_index() -> None:
    """Columns, their order and types, the index and its name, and what a frame says of itself all count."""
    small = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    told = small.copy()
    told.attrs["unit"] = "m"
    different([
        small, told, small[["b", "a"]], small.rename(columns={"a": "c"}), small.astype("float64"),
        small.astype("int32"), small.astype("Int64"), small.astype("category"),
        small.astype(str), small.astype("string"),
        small.astype(object), small.set_index("a"), small.set_index("a", drop=False),
        small.rename_axis("i"), small.set_axis([1, 2]),
        small.set_axis(["x", "y"]), small.set_index(["a", "b"]), small.T, small.iloc[:1], small.iloc[:0], small[[]],
        small["a"], small["a"].rename("b"), small["b"], small["a"].array, small["a"].to_numpy(), small.columns,
        small.set_axis(["a", "a"], axis=1), small.to_dict(), pd.Categorical(["a", "b"]),
        pd.Categorical(["a", "b"], ["b", "a"]), pd.Categorical(["a", "b"], ordered=True), pd.Timestamp("2024-01-01"),
        pd.Timestamp("2024-01-01", tz="UTC"), pd.Timedelta("1s"), pd.NaT, pd.NA, pd.Interval(0, 1),
        pd.date_range("2024-01-01", periods=2), pd.date_range("2024-01-01", periods=2, tz="UTC"),
        pd.date_range("2024-01-01", periods=2, tz="Europe/Berlin"),
        pd.MultiIndex.from_tuples([(1, 2)]), pd.MultiIndex.from_tuples([(1, 2)], names=["a", "b"]),
    ])  # fmt: skip


def test_what_lies_under_missing_values_does_not_count() -> None:
    """Nullable columns are equal where their values and gaps are."""
    first = pd.array([1, 2, None], dtype="Int64")
    second = pd.array([1, 2, 7], dtype="Int64")
    second[2] = pd.NA
    third = pd.arrays.IntegerArray(np.array([1, 2, 9]), np.array([False, False, True]))
    assert digest_of(pd.Series(first)) == digest_of(pd.Series(second)) == digest_of(pd.Series(third))


def test_levels_that_are_not_used_do_not_count() -> None:
    """A part of a frame with several levels of index is equal to one that was made of that part alone."""
    index = pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["k", "n"])
    part = pd.DataFrame({"v": range(4)}, index=index).loc[["a"]]
    alone = pd.DataFrame({"v": range(2)}, index=pd.MultiIndex.from_product([["a"], [1, 2]], names=["k", "n"]))
    assert digest_of(part) == digest_of(alone)


def test_frames_travel() -> None:
    """Another process has the same digests."""
    code = "import pickle, sys; from flyte_nb.execution.caching.definitions import digest_of as d; "
    code += "sys.stdout.buffer.write(d(pickle.load(sys.stdin.buffer)))"
    value = [frame(), RECORDS, NUMBERS[::3]]
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps(value),
        env={**os.environ, "PYTHONHASHSEED": "77"},
        capture_output=True,
        check=True,
    )
    assert done.stdout == digest_of(value)


def test_arrow_tables() -> None:
    """Tables of Arrow, and pandas columns that it holds, count by their values, in however many chunks."""
    arrow = pytest.importorskip("pyarrow")
    table = arrow.table({"a": [1, 2, None], "b": ["x", None, "z"]})
    chunks = arrow.concat_tables([table.slice(0, 1), table.slice(1)])
    assert digest_of(table) == digest_of(chunks)
    different(
        [table, table.slice(1), table.select(["b", "a"]), table["a"], table["b"], table.rename_columns(["a", "c"])]
    )
    held = [part.to_pandas(types_mapper=pd.ArrowDtype) for part in (table, chunks)]
    assert digest_of(held[0]) == digest_of(held[1]) != digest_of(table.to_pandas())


def test_polars_frames() -> None:
    """Frames of polars count by names, types and values."""
    polars = pytest.importorskip("polars")
    small = polars.DataFrame({"a": [1, 2, None], "b": ["x", None, "z"]})
    assert digest_of(small) == digest_of(polars.concat([small[:1], small[1:]], rechunk=False))
    different(
        [small, small[:1], small.select("b", "a"), small["a"], small["a"].cast(polars.Int32), small.rename({"a": "c"})]
    )


@pytest.mark.parametrize("name", ["time64", "timestamp", "duration"])
def test_nanoseconds_of_arrow(name: str) -> None:
    """Times that differ by a nanosecond are different, in columns of pandas, too, and inside of other values."""
    arrow = pytest.importorskip("pyarrow")
    kind = getattr(arrow, name)("ns")

    def array(*values: int | None) -> Any:
        return arrow.array(values, arrow.int64()).view(kind)

    chunks = arrow.chunked_array([array(1), array(2)])
    assert digest_of(chunks) == digest_of(arrow.chunked_array([array(1, 2)]))
    different([array(1), array(2), array(1, None), array(None), array()])
    assert digest_of(arrow.chunked_array([], kind)) == digest_of(array())
    different([pd.Series(array(number), dtype=pd.ArrowDtype(kind)) for number in (1, 2, None)])
    both = [array(1), array(2)]
    different([one.dictionary_encode() for one in both])
    different([arrow.StructArray.from_arrays([one], ["a"]) for one in both])
    different([arrow.ListArray.from_arrays([0, 1], one) for one in both])
    different([arrow.FixedSizeListArray.from_arrays(one, 1) for one in both])
    different([arrow.MapArray.from_arrays([0, 1], ["a"], one) for one in both])
    different([arrow.table({"a": arrow.ListArray.from_arrays([0, None, 1], one)}) for one in both])
    deep = [arrow.ListArray.from_arrays([0, 1], arrow.StructArray.from_arrays([one], ["a"])) for one in both]
    different([*deep, deep[0].slice(1)])


def test_all_that_a_schema_of_arrow_says_counts() -> None:
    """However long it is, and for a part of a value, too."""
    arrow = pytest.importorskip("pyarrow")
    fields = [arrow.field("x", arrow.int64(), metadata={"k": "v" * 300 + end}) for end in "12"]
    numbers = arrow.array([1])
    different([arrow.Table.from_arrays([numbers], schema=arrow.schema([field])) for field in fields])
    told = [arrow.schema([("x", arrow.int64())], metadata={"k": "v" * 300 + end}) for end in "12"]
    different([arrow.Table.from_arrays([numbers], schema=schema) for schema in told])
    different([arrow.array([{"x": 1}], arrow.struct([field])) for field in fields])


def test_nanoseconds_of_polars() -> None:
    """Times that differ by a nanosecond are different, also inside of lists and structs."""
    polars = pytest.importorskip("polars")
    for kind in (polars.Datetime("ns"), polars.Datetime("ns", "UTC"), polars.Duration("ns"), polars.Time):
        both = [polars.Series("a", [number, None], dtype=polars.Int64).cast(kind) for number in (1, 2)]
        different(both)
        different([one.implode() for one in both])
        different([one.to_frame() for one in both])
        different([one.to_frame().to_struct("s") for one in both])
        different([one.to_frame().to_struct("s").implode() for one in both])


def test_the_frequency_of_an_index_counts() -> None:
    """What is done with dates may depend on it, as for a shift."""
    days = pd.date_range("2024-01-01", periods=2, freq="D")
    spans = pd.timedelta_range("1D", periods=2, freq="D")
    without = [pd.DatetimeIndex(list(days)), pd.TimedeltaIndex(list(spans))]
    different([days, spans, *without])
    different([pd.Series([1, 2], days), pd.Series([1, 2], without[0])])
