"""Digests of numpy's arrays and scalars: element type, shape and elements, however they lie in memory."""

from __future__ import annotations

import sys
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from flyte_nb.execution.caching.encoding import framed, text

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["array_token"]

# How many elements of an array that is not contiguous are copied at a time.
_COPIED_AT_ONCE = 1 << 16


def array_token(value: Any, token: Callable[[Any], bytes]) -> bytes | None:
    """Return the token of an array or scalar of numpy, and None of all else; `token` gives those of its elements."""
    numpy: Any = sys.modules.get("numpy")
    if numpy is None or not hasattr(numpy, "ndarray"):  # it may be being imported
        return None
    if isinstance(value, numpy.generic):
        return framed(b"p", _array(numpy, numpy.asarray(value), token))
    # Other subclasses mean something of their own, such as a mask; they tell what when they are taken apart.
    if type(value) in (numpy.ndarray, numpy.memmap):
        return framed(b"a", _array(numpy, value, token))
    return None


def _array(numpy: Any, array: Any, token: Callable[[Any], bytes]) -> bytes:
    head = token(array.shape)
    if array.dtype.names is not None:  # by field, because what lies between fields is no content
        fields = [text(name) + _array(numpy, numpy.asarray(array[name]), token) for name in array.dtype.names]
        return head + framed(b"r", b"".join(fields))
    if array.dtype.hasobject or array.dtype.kind == "T":  # T: strings of any length
        return head + text(array.dtype.str) + token(array.ravel().tolist())
    # With the name, because the types of other libraries are all bytes to numpy.
    return head + text(f"{array.dtype.str} {array.dtype.name}") + _digest(numpy, array)


def _digest(numpy: Any, array: Any) -> bytes:
    if array.flags.c_contiguous:
        return sha256(array.reshape(-1).view(numpy.uint8)).digest() if array.nbytes else b""
    digest = sha256()
    chunks = numpy.nditer(
        array, flags=["external_loop", "buffered", "zerosize_ok"], order="C", buffersize=_COPIED_AT_ONCE
    )
    for chunk in chunks:
        digest.update(numpy.ascontiguousarray(chunk).view(numpy.uint8))
    return digest.digest()
