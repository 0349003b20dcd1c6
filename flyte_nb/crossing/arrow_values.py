"""Tables, arrays and types of pyarrow, and frames and series of polars: in Arrow's own format for other processes."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

from flyte_nb.crossing import installed
from flyte_nb.crossing.markers import Chunk
from flyte_nb.crossing.refusing import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    Rule = Callable[[Any], tuple[Any, ...]]

__all__ = ["rule_for"]


def rule_for(kind: Any) -> Rule | None:
    """Return the rule for values of `kind`, or None if they are neither pyarrow's nor polars'."""
    package = kind.__module__.partition(".")[0]
    library: Any = sys.modules.get(package)
    if package == "pyarrow" and hasattr(library, "Table"):
        return _rule_for_arrow(library, kind)
    if package == "polars" and hasattr(library, "DataFrame"):
        return {
            library.DataFrame: reduced_frame,
            library.Series: reduced_series,
            library.LazyFrame: _refuse_lazy,
        }.get(kind)
    return None


def _rule_for_arrow(pyarrow: Any, kind: Any) -> Rule | None:
    if kind in (pyarrow.Table, pyarrow.RecordBatch):
        return reduced_table
    if issubclass(kind, pyarrow.Array | pyarrow.ChunkedArray | pyarrow.Scalar):
        return reduced_array
    if kind is pyarrow.Schema:
        return reduced_schema
    if kind is pyarrow.Field or issubclass(kind, pyarrow.DataType):
        return reduced_field
    return None


def reduced_table(value: Any) -> tuple[Any, ...]:
    """Return how a table or a batch is read again."""
    pyarrow = installed.pyarrow()
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, value.schema) as writer:
        writer.write(value)
    return table, (Chunk(memoryview(sink.getvalue())), isinstance(value, pyarrow.RecordBatch))


def table(content: memoryview, is_batch: bool) -> Any:
    """Return a table, or its only batch, on `content`, which is not copied."""
    reader = installed.pyarrow().ipc.open_stream(content)
    return reader.read_next_batch() if is_batch else reader.read_all()


def reduced_array(value: Any) -> tuple[Any, ...]:
    """Return how an array, an array in chunks or a scalar is read again."""
    pyarrow = installed.pyarrow()
    if isinstance(value, pyarrow.Scalar):
        return scalar, (pyarrow.array([value.as_py()], value.type),)
    if isinstance(value, pyarrow.ChunkedArray):
        return column, (pyarrow.table([value], names=[""]),)
    return column, (pyarrow.record_batch([value], names=[""]),)


def column(only: Any) -> Any:
    """Return the only column of a table or batch."""
    return only.column(0)


def scalar(only: Any) -> Any:
    """Return the only element of an array."""
    return only[0]


def reduced_schema(value: Any) -> tuple[Any, ...]:
    """Return how a schema is read again."""
    return schema, (value.serialize().to_pybytes(),)


def schema(content: bytes) -> Any:
    """Return a schema."""
    return installed.pyarrow().ipc.read_schema(installed.pyarrow().py_buffer(content))


def reduced_field(value: Any) -> tuple[Any, ...]:
    """Return how a field or a type is read again."""
    pyarrow = installed.pyarrow()
    is_type = isinstance(value, pyarrow.DataType)
    return field, (pyarrow.schema([pyarrow.field("", value) if is_type else value]), is_type)


def field(only: Any, is_type: bool) -> Any:
    """Return the only field of a schema, or its type."""
    return only.field(0).type if is_type else only.field(0)


def reduced_frame(value: Any) -> tuple[Any, ...]:
    """Return how a frame of polars is read again."""
    sink = io.BytesIO()
    level = getattr(installed.polars(), "CompatLevel", None)
    # What older versions read, too.
    value.write_ipc(sink, **({"compat_level": level.oldest()} if level else {}))
    return frame, (Chunk(sink.getbuffer()),)


def frame(content: memoryview) -> Any:
    """Return a frame of polars."""
    return installed.polars().read_ipc(io.BytesIO(content))


def reduced_series(value: Any) -> tuple[Any, ...]:
    """Return how a series of polars is read again."""
    return series, (value.to_frame(),)


def series(only: Any) -> Any:
    """Return the only column of a frame of polars."""
    return only.to_series(0)


def _refuse_lazy(value: Any) -> tuple[Any, ...]:
    raise RefusedError(value, "it is a query that has not run; call collect() first")
