"""Arrays and scalars of numpy: the element type, the shape and the bytes of the elements."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from flyte_nb.crossing import installed
from flyte_nb.crossing.markers import Chunk
from flyte_nb.crossing.numpy_types import described, element_type

if TYPE_CHECKING:
    from collections.abc import Callable

    Rule = Callable[[Any], tuple[Any, ...]]

__all__ = ["is_scalar_type", "rule_for", "scalar_type"]


def rule_for(kind: Any) -> Rule | None:
    """Return the rule for values of `kind`, or None if they are not numpy's, or of a class of its user's."""
    numpy: Any = sys.modules.get("numpy")
    if numpy is None or not hasattr(numpy, "random"):  # it may be being imported
        return None
    if kind in (numpy.ndarray, numpy.memmap):
        return reduced
    if issubclass(kind, numpy.generic):
        return reduced_scalar
    if issubclass(kind, numpy.dtype):
        return reduced_type
    if kind in (numpy.matrix, numpy.recarray):
        return reduced_view
    return _rarer(numpy, kind)


def _rarer(numpy: Any, kind: Any) -> Rule | None:
    if kind is numpy.ma.MaskedArray:
        return reduced_masked
    if kind is type(numpy.ma.masked):
        return reduced_mask_constant
    if kind is numpy.random.Generator:
        return reduced_generator
    if kind is numpy.random.RandomState:
        return reduced_random_state
    return None


def reduced(value: Any) -> tuple[Any, ...]:
    """Return how an array is put together again."""
    dtype = value.dtype
    description = described(dtype)
    if dtype.kind == "O":
        return array_of_objects, (value.shape, value.ravel().tolist())
    if dtype.kind == "T":
        return array_of_objects, (value.shape, value.ravel().tolist(), description)
    if dtype.hasobject:
        return array_of_fields, (description, value.shape, [(name, value[name]) for name in dtype.names])
    order, elements = _in_a_row(value)
    return array, (description, value.shape, order, Chunk(elements))


def _in_a_row(value: Any) -> tuple[str, memoryview]:
    """Return the bytes of the elements of an array and their order; copied only if they do not lie in a row."""
    numpy = installed.numpy()

    if value.size == 0 or value.dtype.itemsize == 0:
        return "C", memoryview(b"")
    order = "C" if value.flags.c_contiguous or not value.flags.f_contiguous else "F"
    row = value if order == "C" else value.T
    # As bytes, because the buffers of Python know no times and no types of other libraries.
    return order, memoryview(numpy.ascontiguousarray(row).view(numpy.ndarray).reshape(-1).view(numpy.uint8))


def array(description: Any, shape: tuple[int, ...], order: str, elements: memoryview) -> Any:
    """Return an array on `elements`, which are not copied."""
    numpy = installed.numpy()

    dtype = element_type(description)
    if not elements.nbytes:
        return numpy.zeros(shape, dtype)
    return numpy.frombuffer(elements, numpy.uint8).view(dtype).reshape(shape, order=order)


def array_of_objects(shape: tuple[int, ...], elements: list[Any], description: Any = "|O") -> Any:
    """Return an array of objects, or of strings of any length."""
    numpy = installed.numpy()

    made = numpy.empty(len(elements), element_type(description))
    for number, element in enumerate(elements):  # one by one: numpy would look into sequences
        made[number] = element
    return made.reshape(shape)


def array_of_fields(description: Any, shape: tuple[int, ...], fields: list[tuple[str, Any]]) -> Any:
    """Return an array with fields, some of which hold objects."""
    numpy = installed.numpy()

    made = numpy.zeros(shape, element_type(description))
    for name, content in fields:
        made[name] = content
    return made


def reduced_scalar(value: Any) -> tuple[Any, ...]:
    """Return how a scalar is made again."""
    numpy = installed.numpy()

    if value.dtype.kind in "US":  # an array would lose zeros at the end
        return text_scalar, (value[:],)
    dtype = value.dtype
    if dtype.hasobject:
        return scalar_of, (numpy.array(value),)
    return scalar, (described(dtype), value.tobytes())


def scalar(description: Any, content: bytes) -> Any:
    """Return a scalar from its bytes."""
    numpy = installed.numpy()

    return numpy.frombuffer(bytearray(content), numpy.uint8).view(element_type(description))[0]


def scalar_of(content: Any) -> Any:
    """Return the only element of an array."""
    return content[()]


def text_scalar(content: str | bytes) -> Any:
    """Return a str_ or bytes_."""
    numpy = installed.numpy()

    return (numpy.str_ if isinstance(content, str) else numpy.bytes_)(content)


def is_scalar_type(kind: type) -> bool:
    """Say whether `kind` is a type like numpy.float64, which every version of numpy has."""
    numpy: Any = sys.modules.get("numpy")
    return hasattr(numpy, "generic") and issubclass(kind, numpy.generic) and getattr(numpy, kind.__name__, None) is kind


def scalar_type(name: str) -> Any:
    """Return the type with that name."""
    return getattr(installed.numpy(), name)


def reduced_type(value: Any) -> tuple[Any, ...]:
    """Return how an element type is made again."""
    return element_type, (described(value),)


def reduced_view(value: Any) -> tuple[Any, ...]:
    """Return how a matrix, or an array of records, is made again."""
    numpy = installed.numpy()

    return view, (type(value).__name__, value.view(numpy.ndarray))


def view(kind: str, content: Any) -> Any:
    """Return `content` as a matrix or an array of records."""
    numpy = installed.numpy()

    return content.view(numpy.matrix if kind == "matrix" else numpy.recarray)


def reduced_masked(value: Any) -> tuple[Any, ...]:
    """Return how an array with a mask is made again."""
    numpy = installed.numpy()

    mask = value.mask if value.mask is not numpy.ma.nomask else None
    # Asking for it would set one.
    fill = vars(value).get("_fill_value")
    return masked, (value.data.view(numpy.ndarray), mask, None if fill is None else fill[()], value.hardmask)


def masked(content: Any, mask: Any, fill: Any, hard: bool) -> Any:
    """Return an array with a mask."""
    numpy = installed.numpy()

    mask = numpy.ma.nomask if mask is None else mask
    return numpy.ma.MaskedArray(content, mask, fill_value=fill, hard_mask=hard, copy=False)


def reduced_mask_constant(_: Any) -> tuple[Any, ...]:
    """Return how numpy.ma.masked is found again."""
    return mask_constant, ()


def mask_constant() -> Any:
    """Return numpy.ma.masked."""
    numpy = installed.numpy()

    return numpy.ma.masked


def reduced_generator(value: Any) -> tuple[Any, ...]:
    """Return how a generator of random numbers is made again."""
    bits = value.bit_generator
    seeds = getattr(bits, "seed_seq", None) or getattr(bits, "_seed_seq", None)  # before numpy 1.25
    numbers = ("entropy", "spawn_key", "pool_size", "n_children_spawned")
    is_known = type(seeds) is installed.numpy().random.SeedSequence
    return generator, (bits.state, {name: getattr(seeds, name) for name in numbers} if is_known else None)


def generator(state: dict[str, Any], seeds: dict[str, Any] | None = None) -> Any:
    """Return a generator of random numbers that goes on from `state`, and spawns others from `seeds`."""
    numpy = installed.numpy()

    kind = getattr(numpy.random, state["bit_generator"])
    bits = kind(numpy.random.SeedSequence(**seeds)) if seeds else kind()
    bits.state = state
    return numpy.random.Generator(bits)


def reduced_random_state(value: Any) -> tuple[Any, ...]:
    """Return how a RandomState is made again."""
    return random_state, (value.get_state(legacy=False),)


def random_state(state: dict[str, Any]) -> Any:
    """Return a RandomState that goes on from `state`."""
    numpy = installed.numpy()

    made = numpy.random.RandomState(getattr(numpy.random, state["bit_generator"])())
    made.set_state(state)
    return made
