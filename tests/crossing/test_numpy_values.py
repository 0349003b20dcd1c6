"""Arrays and scalars of numpy arrive with their elements, type, shape and order, and can be written to."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from flyte_nb.crossing.packing import pack
from flyte_nb.errors import CannotCrossError
from tests.crossing.sides import NOWHERE, crossed

OF_NUMPY_2 = hasattr(getattr(np, "dtypes", None), "StringDType")

ARRAYS = [
    np.array(3), np.empty((0, 3)), np.arange(10)[::2], np.arange(10)[::-1], np.zeros(3, "V8"), np.zeros(2, "S0"),
    np.array([True]), np.longdouble([1]) / 3, np.array(["2020", "NaT"], "M8[D]"), np.array([1], "m8[ns]"),
    np.arange(3, dtype=">i4"), np.array([(1, [2.0, 3.0])], [("a", "i4"), ("b", "f8", (2,))]),
    np.array([(1, [1])], [("a", "i4"), ("b", "O")]), np.array([{"a": 1}, [1], None], object),
    np.zeros(3, np.dtype({"names": ["a", "b"], "formats": ["i1", "f8"], "offsets": [0, 8], "itemsize": 24})),
    np.zeros((1, 2)).view(np.matrix), np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
]  # fmt: skip


def check(arrived: Any, sent: Any) -> None:
    assert type(arrived) is type(sent)
    assert arrived.dtype == sent.dtype
    assert arrived.shape == sent.shape
    if sent.dtype.hasobject:
        np.testing.assert_array_equal(arrived, sent)
    else:  # by bytes, because some elements are not equal to themselves
        assert arrived.tobytes() == sent.tobytes()
    assert arrived.flags.writeable


@given(
    npst.arrays(
        npst.scalar_dtypes() | npst.byte_string_dtypes() | npst.unicode_string_dtypes() | npst.array_dtypes(),
        npst.array_shapes(min_dims=0, min_side=0),
    ),
    st.sampled_from([lambda array: array, np.transpose, np.asfortranarray]),
)
def test_arrays_arrive_as_they_were_sent(array: Any, laid_out: Any) -> None:
    """Elements, type and shape are the same, whatever order the elements lie in."""
    check(crossed(laid_out(array)), laid_out(array))


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{type(array).__name__} {array.dtype}")
def test_rarer_arrays_arrive_as_they_were_sent(array: Any) -> None:
    """Arrays of fields, of objects, of times and of the other byte order arrive too."""
    check(crossed(array), array)


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_order_of_elements_is_kept(order: Any) -> None:
    """An array whose columns lie in a row has columns that lie in a row."""
    arrived = crossed(np.zeros((30, 40), order=order))
    assert (arrived.flags.c_contiguous, arrived.flags.f_contiguous) == (order == "C", order == "F")


@pytest.mark.parametrize("size", [10, 1_000_000])
def test_what_arrives_can_be_written_to(size: int) -> None:
    """Writing changes nothing on the other side, and works though the array sent could not be written to."""
    sent = np.zeros(size)
    sent.flags.writeable = False
    arrived = crossed(sent)
    arrived += 1
    assert arrived.sum() == size
    assert sent.sum() == 0


def test_large_arrays_lie_in_shared_memory() -> None:
    """A large array is not part of the payload."""
    parcel = pack({"a": np.zeros(1_000_000), "b": np.zeros(2)}, "x", NOWHERE)
    assert len(parcel.payload) < 1000
    assert parcel.memory is not None
    assert parcel.memory.size >= 8_000_000


@pytest.mark.skipif(not OF_NUMPY_2, reason="numpy has such strings since version 2")
def test_strings_of_any_length_arrive() -> None:
    """So do those that may be missing."""
    kind: Any = np.dtypes.StringDType
    for array in (np.array(["a", "b" * 100], kind()), np.array([["a"], [None]], kind(na_object=None))):
        arrived = crossed(array)
        assert arrived.dtype == array.dtype
        assert arrived.tolist() == array.tolist()


SCALARS = [
    np.float64(1.5), np.int8(3), np.bool_(True), np.str_("a\0"), np.bytes_(b"a\0"), np.datetime64("2020-01-01"),
    np.timedelta64(3, "s"), np.complex64(1j), np.void(b"abc"), np.longdouble(1) / 3, np.float16(0.5),
    np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")])[0],
]  # fmt: skip


@pytest.mark.parametrize("scalar", SCALARS, ids=lambda scalar: type(scalar).__name__)
def test_scalars_arrive_as_they_were_sent(scalar: Any) -> None:
    """A scalar arrives equal and of its type."""
    arrived = crossed(scalar)
    assert type(arrived) is type(scalar)
    assert arrived == scalar


def test_masked_arrays_arrive_with_their_masks() -> None:
    """Data, mask, fill value and hardness are the same."""
    sent = np.ma.masked_array([1, 2, 3], [0, 1, 0], fill_value=7, hard_mask=True)
    arrived = crossed(sent)
    assert arrived.tolist() == sent.tolist()
    assert arrived.data.tolist() == [1, 2, 3]
    assert (arrived.fill_value, arrived.hardmask) == (7, True)
    assert crossed(np.ma.array([1, 2])).mask is np.ma.nomask
    assert crossed(np.ma.masked) is np.ma.masked


def test_types_and_random_numbers_cross() -> None:
    """Element types and scalar types are found again, and generators go on where they were."""
    assert crossed([np.float64, np.dtype("M8[s]"), np.dtype([("a", "i4")])]) == [
        np.float64, np.dtype("M8[s]"), np.dtype([("a", "i4")])
    ]  # fmt: skip
    generator, state = np.random.default_rng(7), np.random.RandomState(7)
    generator.random()
    state.rand()
    if hasattr(generator, "spawn"):  # numpy 1.25
        generator.spawn(1)
        assert crossed(generator).spawn(1)[0].random() == crossed(generator.spawn(1)[0]).random()
    assert crossed(generator).random() == generator.random()
    assert crossed(state).rand() == state.rand()


def test_nothing_of_numpy_itself_is_pickled() -> None:
    """A payload with arrays names functions of flyte_nb only, so any version of numpy can be on the other side."""
    for value in (*ARRAYS, *SCALARS, np.random.default_rng(7), np.ma.array([1]), np.float64):
        payload = pack(value, "x", NOWHERE).payload
        assert b"multiarray" not in payload
        assert b"numpy.core" not in payload
        assert b"numpy._core" not in payload


def test_elements_that_cannot_cross_are_found() -> None:
    """Objects in an array cross one by one, and what cannot is refused by its place."""
    with pytest.raises(CannotCrossError, match=r"at \.flat\[1\] \(_thread\.lock\)"):
        crossed(np.array([1, threading.Lock()], object))


def test_arrays_of_the_users_own_class_need_the_same_numpy() -> None:
    """What a subclass adds only numpy and the class know, so it crosses as numpy does it."""

    class Image(np.ndarray):  # type: ignore[type-arg]
        pass

    with pytest.raises(CannotCrossError, match="at the top level of a cell"):
        crossed(np.zeros(2).view(Image))
