"""Digests of pandas' frames, series and indexes, and of tables of Arrow and polars: names, types and values.

How a frame was built, how its columns lie in memory and what lies under missing values make no difference.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from flyte_nb.execution.caching.encoding import digested, framed, text

if TYPE_CHECKING:
    from collections.abc import Callable

    Token = Callable[[Any], bytes]

__all__ = ["frame_token"]


def frame_token(value: Any, token: Token) -> bytes | None:
    """Return the token of a frame, a series, an index or a column of one, and None of all else."""
    library = type(value).__module__.partition(".")[0]
    rule = _LIBRARIES.get(library)
    module = sys.modules.get(library)
    return rule(module, value, token) if rule and module else None


def _pandas(pandas: Any, value: Any, token: Token) -> bytes | None:
    if type(value) is pandas.DataFrame:
        columns = [_column(pandas, series.array, token) for _, series in value.items()]
        head = _index(pandas, value.columns, token) + _index(pandas, value.index, token)
        return framed(b"P", head + token(value.attrs) + token(columns))
    if type(value) is pandas.Series:
        head = token(value.name) + _index(pandas, value.index, token) + token(value.attrs)
        return framed(b"Q", head + _column(pandas, value.array, token))
    if isinstance(value, pandas.Index):
        return framed(b"I", _index(pandas, value, token))
    if isinstance(value, pandas.api.extensions.ExtensionArray):
        return framed(b"E", _column(pandas, value, token))
    return None


def _index(pandas: Any, index: Any, token: Token) -> bytes:
    """Return the token of an index by its values: a range is as good as the numbers in it."""
    # A frequency is no value, but what is done with an index depends on it.
    names = token(list(index.names)) + token(getattr(index, "freqstr", None))
    levels = [index]
    if isinstance(index, pandas.MultiIndex):
        levels = [index.get_level_values(number) for number in range(index.nlevels)]
    return names + token([_column(pandas, level.array, token) for level in levels])


def _column(pandas: Any, array: Any, token: Token) -> bytes:
    """Return the digest of the values of an extension array, with their type."""
    dtype = array.dtype
    head = text(str(dtype))
    if isinstance(dtype, pandas.CategoricalDtype):
        content = _index(pandas, array.categories, token) + token(array.ordered) + token(array.codes)
    elif hasattr(array, "asi8"):  # dates, differences and periods, as whole numbers
        content = token(array.asi8)
    elif hasattr(dtype, "numpy_dtype") and dtype.numpy_dtype.kind in "iufb" and _is_masked(pandas, dtype):
        content = token(array.isna()) + token(array.to_numpy(dtype=dtype.numpy_dtype, na_value=0))
    elif hasattr(dtype, "numpy_dtype") and not _is_masked(pandas, dtype) and dtype.kind in "iufbcO":
        content = token(array.to_numpy())
    elif type(array).__name__ == "ArrowExtensionArray":
        content = token(_arrow_values(sys.modules["pyarrow"], array.__arrow_array__()))
    else:
        content = token(array.astype(object).tolist())
    return digested(head + content)


def _is_masked(pandas: Any, dtype: Any) -> bool:
    return isinstance(dtype, pandas.api.extensions.ExtensionDtype) and dtype.na_value is pandas.NA


def _arrow(pyarrow: Any, value: Any, token: Token) -> bytes | None:
    if isinstance(value, pyarrow.Table | pyarrow.RecordBatch):
        columns = [_arrow_values(pyarrow, column) for column in value.columns]
        # Serialized, because the text of a schema leaves out what is long.
        return framed(b"A", token([value.schema.serialize().to_pybytes(), columns]))
    if isinstance(value, pyarrow.Array | pyarrow.ChunkedArray):
        schema = pyarrow.schema([pyarrow.field("", value.type)])
        return framed(b"C", token([schema.serialize().to_pybytes(), _arrow_values(pyarrow, value)]))
    return None


def _arrow_values(pyarrow: Any, array: Any) -> list[Any]:
    """Return the values of an array of Arrow; times as whole numbers, because those of Python know no nanoseconds."""
    kind, types = array.type, pyarrow.types
    if not _holds_times(pyarrow, kind):
        return list(array.to_pylist())
    if isinstance(array, pyarrow.ChunkedArray):
        array = pyarrow.concat_arrays(array.chunks) if array.num_chunks else pyarrow.array([], kind)
    if types.is_dictionary(kind):
        return _arrow_values(pyarrow, array.dictionary_decode())
    if types.is_struct(kind):
        return [array.is_valid().to_pylist(), *(_arrow_values(pyarrow, part) for part in array.flatten())]
    if types.is_nested(kind):  # lists and maps
        return [_arrow_values(pyarrow, value.values) if value.is_valid else None for value in array]
    return list(array.view(pyarrow.int32() if kind.bit_width == 32 else pyarrow.int64()).to_pylist())


def _holds_times(pyarrow: Any, kind: Any) -> bool:
    types = pyarrow.types
    if types.is_dictionary(kind):
        return _holds_times(pyarrow, kind.value_type)
    if types.is_nested(kind) and not types.is_union(kind):
        return any(_holds_times(pyarrow, kind.field(number).type) for number in range(kind.num_fields))
    return bool(types.is_temporal(kind) and not types.is_interval(kind))


def _polars(polars: Any, value: Any, token: Token) -> bytes | None:
    if isinstance(value, polars.DataFrame):
        return framed(b"L", token([_polars(polars, column, token) for column in value.get_columns()]))
    if isinstance(value, polars.Series):
        kind = str(value.dtype)
        content = text(value.name) + text(kind) + token(value.to_list())
        if "'ns'" in kind or "Time" in kind:  # those of Python know no nanoseconds
            content += token(value.to_physical().to_list())
        return framed(b"R", content)
    return None


_LIBRARIES: dict[str, Callable[[Any, Any, Token], bytes | None]] = {
    "pandas": _pandas,
    "pyarrow": _arrow,
    "polars": _polars,
}
