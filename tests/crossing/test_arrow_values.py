"""Tables of pyarrow and frames of polars arrive as they were sent."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

from flyte_nb.crossing.packing import pack
from flyte_nb.errors import CannotCrossError
from tests.crossing.sides import NOWHERE, crossed

pa = pytest.importorskip("pyarrow")
pl = pytest.importorskip("polars")

TABLE = pa.table({
    "number": [1, 2, None], "text": ["x", "y", None], "list": [[1], [2, 3], None],
    "dictionary": pa.array(["a", "b", "a"]).dictionary_encode(), "time": pa.array([datetime.datetime(2020, 1, 1)] * 3),
}).replace_schema_metadata({"source": "sensor"})  # fmt: skip

VALUES = [
    TABLE, TABLE.slice(1, 1), TABLE.to_batches()[0], TABLE["number"], TABLE["text"].chunk(0), TABLE["dictionary"],
    pa.chunked_array([[1], [2, 3]]), pa.chunked_array([], pa.int8()), pa.array([], pa.int8()), pa.array([1, 2, 3])[1:],
    TABLE.schema, TABLE.schema.field(0), pa.list_(pa.string()), pa.scalar(3), pa.table({}),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_of_arrow_arrive_as_they_were_sent(value: Any) -> None:
    """Tables, batches, arrays, scalars, schemas and types are the same."""
    arrived = crossed(value)
    assert type(arrived) is type(value)
    assert arrived.equals(value)
    if isinstance(value, pa.Table):
        assert arrived.schema.metadata == value.schema.metadata
        arrived.validate(full=True)


def test_large_tables_lie_in_shared_memory() -> None:
    """They are not part of the payload."""
    table = pa.table({"x": np.arange(1_000_000)})
    assert len(pack(table, "x", NOWHERE).payload) < 1000
    assert crossed(table).equals(table)


FRAME = pl.DataFrame({
    "number": [1, None], "text": ["x", "y" * 40], "category": pl.Series(["a", "b"], dtype=pl.Categorical),
    "date": [datetime.date(2020, 1, 1)] * 2, "list": [[1], [2]], "struct": [{"a": 1}, {"a": 2}],
    "time": [datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)] * 2,
})  # fmt: skip


@pytest.mark.parametrize("frame", [FRAME, FRAME[:0], pl.DataFrame()], ids=["all types", "no rows", "nothing"])
def test_frames_of_polars_arrive_as_they_were_sent(frame: Any) -> None:
    """Types and values are the same."""
    arrived = crossed(frame)
    assert arrived.schema == frame.schema
    assert arrived.equals(frame)


@pytest.mark.parametrize("name", FRAME.columns)
def test_series_of_polars_arrive_as_they_were_sent(name: str) -> None:
    """Name, type and values are the same."""
    arrived = crossed(FRAME[name])
    assert (arrived.name, arrived.dtype) == (name, FRAME[name].dtype)
    assert arrived.equals(FRAME[name])


def test_queries_that_have_not_run_are_refused() -> None:
    """A lazy frame says what to do with it."""
    with pytest.raises(CannotCrossError, match=r"at \['query'\] .* call collect\(\) first"):
        crossed({"query": FRAME.lazy()})
