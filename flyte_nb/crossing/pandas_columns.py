"""Columns of pandas: what they hold as arrays of numpy and plain Python, in a form that is no version's own.

A type that the other version does not have becomes the nearest that it has, with the same values: the text of pandas
3 becomes objects before that, and times get nanoseconds before pandas 2.
"""

from __future__ import annotations

import sys
from typing import Any

from flyte_nb.crossing import installed
from flyte_nb.crossing.pandas_times import offset, offset_facts, zone, zone_facts
from flyte_nb.crossing.refusing import RefusedError

__all__ = ["column", "column_facts", "is_of_numpy"]

_MASKED = {"Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64", "boolean"}
# What an array of numpy calls its type when pandas has wrapped it.
_OF_NUMPY = {"NumpyEADtype", "PandasDtype"}


def is_of_numpy(dtype: Any) -> bool:
    """Say whether an element type is one of numpy's."""
    return isinstance(dtype, installed.numpy().dtype)


def column_facts(array: Any) -> tuple[Any, ...]:
    """Return what an array of pandas holds, beginning with its form.

    Raises:
        RefusedError: It is of a type that pandas has added meanwhile.
    """
    dtype = array.dtype
    if type(array).__module__.partition(".")[0] not in ("pandas", "numpy"):
        return "foreign", array
    if is_of_numpy(dtype) or type(dtype).__name__ in _OF_NUMPY:
        return "numpy", array.to_numpy()
    if str(dtype) in _MASKED:
        values = array.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
        return "masked", str(dtype), values, array.isna()
    return _further_facts(sys.modules["pandas"], array)


def _further_facts(pandas: Any, array: Any) -> tuple[Any, ...]:
    dtype = array.dtype
    if isinstance(dtype, pandas.CategoricalDtype):
        return "categories", array.codes, array.categories, bool(array.ordered)
    if isinstance(dtype, pandas.DatetimeTZDtype):
        return "times", array.tz_convert(None).to_numpy(), zone_facts(dtype.tz)
    if isinstance(dtype, pandas.PeriodDtype):
        return "periods", array.asi8, offset_facts(dtype.freq)
    if isinstance(dtype, pandas.IntervalDtype):
        return "intervals", array.left, array.right, array.closed
    if isinstance(dtype, pandas.StringDtype):
        missing = "NA" if dtype.na_value is pandas.NA else "nan"
        return "text", dtype.storage, missing, array.astype(object), array.isna()
    if isinstance(dtype, pandas.SparseDtype):
        return "sparse", array.sp_values, array.sp_index.to_int_index().indices, len(array), dtype.fill_value
    if hasattr(dtype, "pyarrow_dtype"):
        return "arrow", array.__arrow_array__()
    raise RefusedError(array, f"flyte_nb does not know columns of type {dtype}; convert it")


def column(facts: tuple[Any, ...]) -> Any:
    """Return an array of pandas or numpy that holds what `column_facts` has told."""
    form, *rest = facts
    return _FORMS[form](installed.pandas(), *rest)


def _numpy(pandas: Any, values: Any) -> Any:
    if values.dtype.kind in "mM" and int(pandas.__version__.partition(".")[0]) < 2:
        return values.astype(f"{values.dtype.kind}8[ns]")
    return values


def _masked(pandas: Any, name: str, values: Any, missing: Any) -> Any:
    kinds = {"I": "IntegerArray", "U": "IntegerArray", "F": "FloatingArray", "b": "BooleanArray"}
    return getattr(pandas.arrays, kinds[name[0]])(values, missing)


def _categories(pandas: Any, codes: Any, categories: Any, ordered: bool) -> Any:
    return pandas.Categorical.from_codes(codes, categories=categories, ordered=ordered)


def _times(pandas: Any, values: Any, facts: Any) -> Any:
    return pandas.DatetimeIndex(_numpy(pandas, values)).tz_localize("UTC").tz_convert(zone(facts)).array


def _periods(pandas: Any, ordinals: Any, facts: Any) -> Any:
    return pandas.arrays.PeriodArray(ordinals, dtype=pandas.PeriodDtype(offset(facts)))


def _intervals(pandas: Any, left: Any, right: Any, closed: str) -> Any:
    return pandas.arrays.IntervalArray.from_arrays(left, right, closed=closed)


def _text(pandas: Any, storage: str, missing: str, values: Any, is_missing: Any) -> Any:
    objects = values.copy()
    if missing == "NA":
        objects[is_missing] = pandas.NA
        return pandas.array(objects, dtype=pandas.StringDtype(_storage(storage)))
    objects[is_missing] = float("nan")
    try:
        dtype = pandas.StringDtype(_storage(storage), na_value=float("nan"))
    except TypeError:  # before pandas 2.3
        return objects
    return pandas.array(objects, dtype=dtype)


def _storage(wanted: str) -> str:
    if wanted != "python":
        try:
            installed.pyarrow()
        except ImportError:
            return "python"
    return wanted


def _sparse(pandas: Any, values: Any, places: Any, length: int, fill: Any) -> Any:
    array, dtype = pandas.arrays.SparseArray, pandas.SparseDtype(values.dtype, fill)
    if hasattr(array, "from_indices"):  # since 3.1
        return array.from_indices(values, places, length, fill, dtype=values.dtype)
    # The class of its index is in no public module.
    kind: Any = type(array([0], kind="integer").sp_index)
    return array(values, sparse_index=kind(length, places), fill_value=fill, dtype=dtype)


def _arrow(pandas: Any, values: Any) -> Any:
    if not hasattr(pandas, "ArrowDtype"):
        return values.to_pandas().array
    return pandas.arrays.ArrowExtensionArray(values)


def _foreign(_: Any, array: Any) -> Any:
    return array


_FORMS: dict[str, Any] = {
    "numpy": _numpy,
    "masked": _masked,
    "categories": _categories,
    "times": _times,
    "periods": _periods,
    "intervals": _intervals,
    "text": _text,
    "sparse": _sparse,
    "arrow": _arrow,
    "foreign": _foreign,
}
